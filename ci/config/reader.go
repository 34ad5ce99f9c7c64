package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// A reader turns nodes of YAML into values. It notes where every value stands
// and what is wrong with it, and goes on.
type reader struct {
	places map[string]place
	faults []fault
}

// A setter reads the value at path.
type setter func(path string, n ast.Node)

func (r *reader) fault(path, format string, args ...any) {
	r.faults = append(r.faults, fault{path: path, msg: fmt.Sprintf(format, args...)})
}

// at notes where path stands, unless that is already known.
func (r *reader) at(path string, t *token.Token) {
	if _, known := r.places[path]; !known && t != nil {
		r.places[path] = place{t.Position.Line, t.Position.Column}
	}
}

// object reads a mapping, each value by the setter of its key. Keys that are
// known but not supported yet are named in later.
func (r *reader) object(path string, n ast.Node, keys map[string]setter, later ...string) {
	r.entries(path, n, func(at, key string, value ast.Node) {
		switch set, ok := keys[key]; {
		case ok:
			set(at, value)
		case slices.Contains(later, key):
			r.faults = append(r.faults, fault{path: at, bare: true,
				msg: fmt.Sprintf("%q%s is not supported by configuration version %d yet", key, inside(path), Version)})
		default:
			known := slices.Sorted(maps.Keys(keys))
			r.faults = append(r.faults, fault{path: at, bare: true,
				msg: fmt.Sprintf("unknown key %q%s%s", key, inside(path), suggest(key, known))})
		}
	})
}

// inside says in which part a key stands, nothing for the outermost.
func inside(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

// entries calls each for the pairs of a mapping, and refuses a key that comes twice.
func (r *reader) entries(path string, n ast.Node, each func(path, key string, value ast.Node)) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.wrong(path, n, "a mapping (key: value)")
		return
	}
	lines := make(map[string]int, len(m.Values))
	for _, pair := range m.Values {
		t := pair.Key.GetToken()
		key := t.Value
		at := strings.TrimPrefix(path+"."+key, ".")
		if _, ok := pair.Key.(ast.ScalarNode); !ok || key == "" {
			r.wrong(path, pair.Key, "a plain key")
			continue
		}
		if line, ok := lines[key]; ok {
			twice := fmt.Sprintf("%s (line %d)", at, t.Position.Line) // a path of its own, for its own line
			r.at(twice, t)
			r.faults = append(r.faults, fault{path: twice, bare: true,
				msg: fmt.Sprintf("key %q%s comes twice, first on line %d", key, inside(path), line)})
			continue
		}
		lines[key] = t.Position.Line
		r.at(at, t)
		each(at, key, pair.Value)
	}
}

// list reads a sequence, each element by set.
func (r *reader) list(set setter) setter {
	return func(path string, n ast.Node) {
		seq, ok := n.(*ast.SequenceNode)
		if !ok {
			r.wrong(path, n, "a list")
			return
		}
		for i, value := range seq.Values {
			at := fmt.Sprintf("%s[%d]", path, i)
			r.at(at, firstToken(value))
			set(at, value)
		}
	}
}

// firstToken is where a reader of the file would say that n begins.
func firstToken(n ast.Node) *token.Token {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		return m.Values[0].Key.GetToken()
	}
	return n.GetToken()
}

// text reads one line of text, such as a name; numbers are taken as written.
func (r *reader) text(to *string) setter {
	return func(path string, n ast.Node) {
		if s, ok := r.scalar(path, n, "a text"); ok {
			*to = s
		}
	}
}

// texts reads a mapping of texts.
func (r *reader) texts(to *map[string]string) setter {
	return func(path string, n ast.Node) {
		*to = map[string]string{}
		r.entries(path, n, func(at, key string, value ast.Node) {
			if s, ok := r.scalar(at, value, "a text"); ok {
				(*to)[key] = s
			}
		})
	}
}

// scalar returns a scalar as it is written, without quotes.
func (r *reader) scalar(path string, n ast.Node, want string) (string, bool) {
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	r.wrong(path, n, want)
	return "", false
}

// whole reads a whole number; its range is for check to judge.
func (r *reader) whole(to *int) setter {
	return func(path string, n ast.Node) {
		number, ok := n.(*ast.IntegerNode)
		if ok {
			if v, err := strconv.ParseInt(number.GetToken().Value, 10, 32); err == nil {
				*to = int(v)
				return
			}
		}
		r.wrong(path, n, "a whole number")
	}
}

// seed reads a whole number of 64 bits.
func (r *reader) seed(to *uint64) setter {
	return func(path string, n ast.Node) {
		if number, ok := n.(*ast.IntegerNode); ok {
			if v, err := strconv.ParseUint(number.GetToken().Value, 10, 64); err == nil {
				*to = v
				return
			}
		}
		r.wrong(path, n, "a whole number from 0 to 18446744073709551615")
	}
}

// duration reads a text such as 45m or 1h30m.
func (r *reader) duration(to *time.Duration) setter {
	return func(path string, n ast.Node) {
		const want = "a duration with its unit, such as 90s, 45m or 1h30m"
		s, ok := r.scalar(path, n, want)
		if !ok {
			return
		}
		d, err := time.ParseDuration(s)
		if err != nil || d == 0 {
			r.wrong(path, n, want)
			return
		}
		*to = d
	}
}

// wrong reports a value of another type than wanted.
func (r *reader) wrong(path string, n ast.Node, want string) {
	r.at(path, n.GetToken())
	have := "a value"
	switch n := n.(type) {
	case *ast.MappingNode:
		have = "a mapping"
	case *ast.SequenceNode:
		have = "a list"
	case *ast.NullNode:
		have = "nothing"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		r.fault(path, "anchors, aliases and merge keys are not supported; write the value out")
		return
	case *ast.TagNode:
		have = "a tag"
	case *ast.LiteralNode:
		have = "a text of several lines"
	case *ast.StringNode:
		have = strconv.Quote(short(n.Value))
	case ast.ScalarNode:
		have = short(n.GetToken().Value)
	}
	r.fault(path, "want %s, have %s", want, have)
}

// short keeps a foreign text from flooding a message.
func short(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
