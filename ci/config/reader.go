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
	places map[string]place // of every value met, by its path
	faults []fault
}

// A setter reads the value at path.
type setter func(path string, n ast.Node)

// fault notes what is wrong with the value at path.
func (r *reader) fault(path, format string, args ...any) {
	r.faults = append(r.faults, fault{path: path, place: nearest(r.places, path), msg: fmt.Sprintf(format, args...)})
}

// faultAt notes what is wrong at t, in words that name the value themselves.
func (r *reader) faultAt(t *token.Token, path, format string, args ...any) {
	r.faults = append(r.faults, fault{path: path, bare: true, place: placeOf(t), msg: fmt.Sprintf(format, args...)})
}

func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{t.Position.Line, t.Position.Column}
}

// object reads a mapping, each value by the setter of its key. Keys that the
// design has but this version has not are named in later.
func (r *reader) object(path string, n ast.Node, keys map[string]setter, later ...string) {
	r.entries(path, n, func(at string, key *token.Token, value ast.Node) {
		switch set, ok := keys[key.Value]; {
		case ok:
			set(at, value)
		case slices.Contains(later, key.Value):
			r.faultAt(key, at, "%q%s is not supported by configuration version %d yet", key.Value, inside(path), Version)
		default:
			known := slices.Sorted(maps.Keys(keys))
			hint := Suggest(key.Value, known)
			if hint == "" {
				hint = "; known here: " + strings.Join(known, ", ")
			}
			r.faultAt(key, at, "unknown key %q%s%s", short(key.Value), inside(path), hint)
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

// entries calls each for every pair of a mapping, except for keys that are no
// plain text or come a second time.
func (r *reader) entries(path string, n ast.Node, each func(at string, key *token.Token, value ast.Node)) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.wrong(path, n, "a mapping (key: value)")
		return
	}
	lines := make(map[string]int, len(m.Values))
	for _, pair := range m.Values {
		key := pair.Key.GetToken()
		switch pair.Key.(type) {
		case *ast.StringNode, *ast.IntegerNode, *ast.BoolNode, *ast.FloatNode:
		default:
			r.faultAt(key, path, "only plain keys are supported%s: no merge keys, anchors or aliases", inside(path))
			continue
		}
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		if line, ok := lines[key.Value]; ok {
			r.faultAt(key, at, "key %q%s comes twice, first on line %d", short(key.Value), inside(path), line)
			continue
		}
		lines[key.Value] = key.Position.Line
		r.places[at] = placeOf(key)
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
			r.places[at] = placeOf(firstToken(value))
			set(at, value)
		}
	}
}

// oneOrMore reads a list, or one element that stands for a list of it.
func (r *reader) oneOrMore(set setter) setter {
	return func(path string, n ast.Node) {
		if _, ok := n.(*ast.SequenceNode); ok {
			r.list(set)(path, n)
		} else {
			set(path, n)
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

// text reads a text that is not empty; a number is one, as it is written.
func (r *reader) text(to *string) setter {
	return func(path string, n ast.Node) {
		_, isBool := n.(*ast.BoolNode)
		if s, ok := r.scalar(path, n, "a text"); ok {
			if s == "" || isBool {
				r.wrong(path, n, "a text")
				return
			}
			*to = s
		}
	}
}

// texts reads a mapping of scalars.
func (r *reader) texts(to *map[string]string) setter {
	return func(path string, n ast.Node) {
		*to = map[string]string{}
		r.entries(path, n, func(at string, key *token.Token, value ast.Node) {
			if s, ok := r.scalar(at, value, "a text"); ok {
				(*to)[key.Value] = s
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
		if number, ok := n.(*ast.IntegerNode); ok {
			if v, err := strconv.ParseInt(number.GetToken().Value, 10, 32); err == nil {
				*to = int(v)
				return
			}
		}
		r.wrong(path, n, "a whole number")
	}
}

// number reads a number, whole or not; its range is for check to judge.
func (r *reader) number(to *float64) setter {
	return func(path string, n ast.Node) {
		switch n.(type) {
		case *ast.IntegerNode, *ast.FloatNode:
			if text := n.GetToken().Value; decimal.MatchString(text) {
				if v, err := strconv.ParseFloat(text, 64); err == nil {
					*to = v
					return
				}
			}
		}
		r.wrong(path, n, "a number")
	}
}

// truth reads true or false, which YAML also lets people write as on or off.
func (r *reader) truth(to *bool) setter {
	return func(path string, n ast.Node) {
		if b, ok := n.(*ast.BoolNode); ok {
			*to = b.Value
			return
		}
		r.wrong(path, n, "true or false")
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
		const want = "a duration above 0 with its unit, such as 90s, 45m or 1h30m"
		s, ok := r.scalar(path, n, want)
		if !ok {
			return
		}
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 {
			r.wrong(path, n, want)
			return
		}
		*to = d
	}
}

// wrong reports a value of another type than wanted.
func (r *reader) wrong(path string, n ast.Node, want string) {
	have := "a value of another kind"
	switch n := n.(type) {
	case *ast.MappingNode:
		have = "a mapping"
	case *ast.SequenceNode:
		have = "a list"
	case *ast.NullNode:
		have = "nothing"
	case *ast.AnchorNode, *ast.AliasNode:
		r.fault(path, "anchors and aliases are not supported; write the value out")
		return
	case *ast.TagNode:
		have = "a tag"
	case *ast.LiteralNode:
		have = "a block of text"
	case *ast.StringNode:
		have = strconv.Quote(short(n.Value))
	case ast.ScalarNode:
		have = short(n.GetToken().Value)
	}
	r.fault(path, "want %s, have %s", want, have)
}

// short keeps a foreign text from flooding a message.
func short(s string) string { return cut(s, 60) }

// cut returns at most the first characters of s.
func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
