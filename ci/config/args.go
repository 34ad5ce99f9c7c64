package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/llama-regress/llama-regress/ci/record"
)

// settable are the parameters that have a key of their own in the matrix and
// among an arm's params.
func settable() []record.Param {
	return slices.DeleteFunc(slices.Clone(record.Params), func(p record.Param) bool { return p.Target == record.Arguments })
}

// armArgs reads the arguments of an arm, apart for each program: their flags
// differ.
func (r *reader) armArgs(to *Args) setter {
	return func(path string, n ast.Node) {
		if _, ok := n.(*ast.MappingNode); !ok {
			r.wrong(path, n, "{bench: [--flag, value]} for llama-bench, {serve: [--flag, value]} for llama-server, or both: their flags differ")
			return
		}
		r.object(path, n, map[string]setter{"bench": r.words(&to.Bench), "serve": r.words(&to.Serve)})
	}
}

// words reads a list of words, each as it is written.
func (r *reader) words(to *[]string) setter {
	return func(path string, n ast.Node) {
		if _, ok := n.(*ast.SequenceNode); !ok {
			r.wrong(path, n, "a list of words, such as [--prio, 2]: no shell takes a text apart")
			return
		}
		*to = nil
		r.list(func(path string, n ast.Node) {
			word, _ := r.scalar(path, n, "a word")
			*to = append(*to, word)
		})(path, n)
	}
}

// argsOrMore reads a list of words, or several such lists.
func (r *reader) argsOrMore(to *[][]string) setter {
	return func(path string, n ast.Node) {
		*to = nil
		seq, ok := n.(*ast.SequenceNode)
		nested := ok && slices.ContainsFunc(seq.Values, func(v ast.Node) bool { _, list := v.(*ast.SequenceNode); return list })
		each := func(path string, n ast.Node) {
			var words []string
			r.words(&words)(path, n)
			*to = append(*to, words)
		}
		if nested {
			r.list(each)(path, n)
		} else {
			each(path, n)
		}
	}
}

// arguments checks the lists of a section.
func (k *checker) arguments(path, workload string, lists [][]string) {
	const most = 100
	if len(lists) > most {
		k.fault(path, "%d lists of arguments; at most %d are measured", len(lists), most)
		return
	}
	seen := make(map[string]bool)
	for i, words := range lists {
		at := path
		if len(lists) > 1 {
			at = fmt.Sprintf("%s[%d]", path, i)
		}
		if err := record.CheckArgs(workload, words); err != nil {
			k.fault(at, "%v", err)
		}
		if text := record.JoinArgs(words); seen[text] {
			k.fault(at, "these arguments come twice")
		} else {
			seen[text] = true
		}
	}
}

// armArgs checks the arguments of an arm.
func (k *checker) armArgs(path string, a Args, c *Config) {
	var serve [][]string
	if c.Serve != nil {
		serve = c.Serve.Args
	}
	for _, of := range []struct {
		workload     string
		words        []string
		section      [][]string
		there        bool
		otherProgram string
	}{
		{record.BenchWorkload, a.Bench, c.Bench.Args, len(c.Bench.Tests) > 0 || c.Count != nil, "llama-bench, and the configuration has no bench section: take them out, or add one"},
		{record.ServeWorkload, a.Serve, serve, c.Serve != nil, "llama-server, and the configuration has no serve section: take them out, or add one"},
	} {
		if len(of.words) == 0 {
			continue
		}
		at := path + "." + of.workload
		if err := record.CheckArgs(of.workload, of.words); err != nil {
			k.fault(at, "%v", err)
		}
		switch {
		case !of.there:
			k.fault(at, "%s is for %s", strings.Join(of.words, " "), of.otherProgram)
		case slices.ContainsFunc(of.section, func(words []string) bool { return len(words) > 0 }):
			k.fault(at, "%s.args gives arguments as well; take them out of one of them", of.workload)
		}
	}
}
