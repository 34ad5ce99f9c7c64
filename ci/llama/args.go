package llama

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A badArgument is a parameter that a build cannot be given.
type badArgument struct {
	param, value string
	flag         string // as the build would call it
	why          string
	instead      string // the nearest thing that works
}

func (e *badArgument) Error() string {
	return fmt.Sprintf("%s=%s cannot be passed: %s (flag %s); %s", e.param, e.value, e.why, e.flag, e.instead)
}

// parameters merges what a trial is given: what is held fixed, then what the
// cell sets, then the arm. What the operating system is to do is left out, what
// another workload alone takes, and arguments, for which see freeArgs.
func parameters(workload string, cell, arm map[string]string) map[string]string {
	values := make(map[string]string)
	for _, p := range record.Params {
		if p.Of(workload) && p.HeldIn(cell) {
			values[p.Name] = p.Default
		}
	}
	for _, set := range []map[string]string{cell, arm} {
		for name, value := range set {
			if p, ok := record.ParamByName(name); ok && (!p.Of(workload) || p.Target != record.LlamaCpp) {
				continue
			}
			values[name] = value
		}
	}
	return values
}

// freeArgs are the arguments that arm or cell give the program of a workload as
// they are, checked: a plan may come from elsewhere than a configuration.
func freeArgs(c capabilities, workload string, cell, arm map[string]string) ([]string, error) {
	param, _ := record.ParamByName(record.ArgsParam(workload))
	text := cmp.Or(arm[param.Name], cell[param.Name])
	if text == "" {
		return nil, nil
	}
	if err := param.Check(text); err != nil {
		return nil, &badArgument{param.Name, text, "none", err.Error(), "correct the configuration"}
	}
	words, err := record.SplitArgs(text)
	if err != nil {
		return nil, err // Check has read it
	}
	for _, word := range words {
		if flag, ok := record.FlagIn(word); ok && !c.has(flag) {
			return nil, &badArgument{param.Name, text, flag, "this build has no such flag", "correct it, or take it out (-h lists what the build has)"}
		}
	}
	return words, nil
}

// parameterArgs spells the parameters as flags of this build. One whose flag the
// build lacks is an error, unless the build does just that without the flag.
func parameterArgs(c capabilities, values map[string]string) ([]string, error) {
	var args []string
	known := make(map[string]bool)
	for _, s := range settings {
		known[s.param] = true
		value, given := values[s.param]
		if !given {
			continue
		}
		if param, _ := record.ParamByName(s.param); param.Check(value) != nil {
			return nil, &badArgument{s.param, value, s.flags[0], param.Check(value).Error(), "correct the configuration"}
		}
		flag := c.first(s.flags...)
		if flag == "" {
			if s.canonical(value) != s.unset {
				return nil, &badArgument{s.param, value, s.flags[0], "this build has no such flag", s.remedy()}
			}
			continue
		}
		text, ok := s.write(c, flag, value)
		if !ok {
			return nil, &badArgument{s.param, value, flag, "this build does not take the value", "it takes " + c.forms[flag]}
		}
		args = append(args, flag, text)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !known[name] {
			return nil, &badArgument{name, values[name], "none", "llama-bench has no such parameter", "remove it from the matrix or the arm"}
		}
	}
	if values["mmap"] != "" && c.has("-dio") && !c.has("-lm") { // b7718 to b10105: a switch of its own, which would win
		args = append(args, "-dio", "0")
	}
	return args, nil
}

func (s setting) remedy() string {
	if s.since > 0 {
		return fmt.Sprintf("llama.cpp has it since build %d: use a newer one, or leave %s out", s.since, s.param)
	}
	return fmt.Sprintf("leave %s out", s.param)
}

// invocations groups tests so that llama-bench, which runs every prompt, gen
// and pair at every depth, runs exactly these: depths that share their tests
// share a process. The groups, and the tests in them, keep the given order; a
// test given twice is run once.
//
// pp512, tg128 and pp512@d4096 thus take two processes. One would also run
// tg128@d4096, minutes of work on a large model that nobody asked for.
func invocations(tests []record.Test) [][]record.Test {
	var depths []int
	byDepth := make(map[int][]record.Test)
	for _, t := range tests {
		if byDepth[t.Depth] == nil {
			depths = append(depths, t.Depth)
		}
		if !slices.Contains(byDepth[t.Depth], t) {
			byDepth[t.Depth] = append(byDepth[t.Depth], t)
		}
	}
	var groups [][]record.Test
	at := make(map[string]int) // group that runs these shapes
	for _, depth := range depths {
		shapes := shapeKey(byDepth[depth])
		if i, ok := at[shapes]; ok {
			groups[i] = append(groups[i], byDepth[depth]...)
			continue
		}
		at[shapes] = len(groups)
		groups = append(groups, byDepth[depth])
	}
	return groups
}

func shapeKey(tests []record.Test) string {
	var shapes []string
	for _, t := range tests {
		shapes = append(shapes, record.Test{Prompt: t.Prompt, Gen: t.Gen}.Name())
	}
	slices.Sort(shapes)
	return strings.Join(shapes, " ")
}

// testArgs asks for the tests of one invocation. -p and -n are always given,
// as 0 where there is nothing to do: their defaults are 512 and 128.
func testArgs(c capabilities, tests []record.Test) ([]string, error) {
	var prompts, gens, depths, pairs []string
	add := func(list *[]string, item string) {
		if !slices.Contains(*list, item) {
			*list = append(*list, item)
		}
	}
	for _, t := range tests {
		switch {
		case t.Gen == 0:
			add(&prompts, strconv.Itoa(t.Prompt))
		case t.Prompt == 0:
			add(&gens, strconv.Itoa(t.Gen))
		default:
			add(&pairs, fmt.Sprintf("%d,%d", t.Prompt, t.Gen))
		}
		add(&depths, strconv.Itoa(t.Depth))
		if t.Depth > 0 && !c.has("-d") {
			return nil, &badArgument{"test", t.Name(), "-d", "this build has no context depth",
				"llama.cpp has it since build 5212: use a newer one, or leave the test out"}
		}
	}
	list := func(items []string) string {
		if items == nil {
			return "0"
		}
		return strings.Join(items, ",")
	}
	args := []string{"-p", list(prompts), "-n", list(gens)}
	for _, pair := range pairs {
		args = append(args, "-pg", pair)
	}
	if c.has("-d") {
		args = append(args, "-d", list(depths))
	}
	return args, nil
}
