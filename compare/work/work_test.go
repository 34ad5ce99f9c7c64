package work

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/llama-regress/llama-regress/ci/record"
)

func side(rest float64, list ...record.Function) Side { return Side{Functions: list, Rest: rest} }

func f(name, file, object string, perToken float64) record.Function {
	return record.Function{Name: name, File: file, Object: object, PerToken: perToken}
}

func TestCompare(t *testing.T) {
	const cpu, vec, ops = "libggml-cpu.so", "ggml-cpu/vec.cpp", "ggml-cpu/ops.cpp"
	for name, test := range map[string]struct {
		base, head Side
		want       []Line
	}{
		"one function does more": {
			side(5, f("vec_dot", vec, cpu, 100), f("rope", ops, cpu, 30)),
			side(5, f("vec_dot", vec, cpu, 139), f("rope", ops, cpu, 30)),
			[]Line{{Kind: Changed, Name: "vec_dot", File: vec, Object: cpu, Base: 100, Head: 139}, {Kind: Changed, Name: "rope", File: ops, Object: cpu, Base: 30, Head: 30}},
		},
		"without source files a function is new and one is gone": {
			side(0, f("old", "", cpu, 10)), side(0, f("fresh", "", cpu, 11)),
			[]Line{{Kind: New, Name: "fresh", Object: cpu, Head: 11}, {Kind: Gone, Name: "old", Object: cpu, Base: 10}},
		},
		"renamed": {
			side(0, f("old", vec, cpu, 10)), side(0, f("fresh", vec, cpu, 11)),
			[]Line{{Kind: Moved, File: vec, Object: cpu, Base: 10, Head: 11, Vanished: []string{"old"}, Came: []string{"fresh"}}},
		},
		"renamed, with what is inlined into it": {
			side(0, f("old", vec, cpu, 10), f("old", ops, cpu, 3)), side(0, f("fresh", vec, cpu, 11), f("fresh", ops, cpu, 3)),
			[]Line{{Kind: Moved, File: vec, Object: cpu, Base: 13, Head: 14, Vanished: []string{"old"}, Came: []string{"fresh"}}},
		},
		"split in two": {
			side(0, f("old", vec, cpu, 10)), side(0, f("a", vec, cpu, 3), f("b", vec, cpu, 7)),
			[]Line{{Kind: Moved, File: vec, Object: cpu, Base: 10, Head: 10, Vanished: []string{"old"}, Came: []string{"b", "a"}}},
		},
		"inlined into callers of its file": {
			side(0, f("helper", ops, cpu, 10), f("a", ops, cpu, 20), f("b", ops, cpu, 20), f("c", ops, cpu, 20)),
			side(0, f("a", ops, cpu, 24), f("b", ops, cpu, 25), f("c", ops, cpu, 20)),
			[]Line{
				{Kind: Moved, File: ops, Object: cpu, Base: 50, Head: 49, Vanished: []string{"helper"}, Grown: []string{"a", "b"}},
				{Kind: Changed, Name: "c", File: ops, Object: cpu, Base: 20, Head: 20},
			},
		},
		"inlined into a caller of another file, whose debug information tells": {
			side(0, f("helper", vec, cpu, 10), f("a", ops, cpu, 20)),
			side(0, f("a", vec, cpu, 9), f("a", ops, cpu, 20)),
			[]Line{
				{Kind: Moved, File: vec, Object: cpu, Base: 10, Head: 9, Vanished: []string{"helper"}, Came: []string{"a"}},
				{Kind: Changed, Name: "a", File: ops, Object: cpu, Base: 20, Head: 20},
			},
		},
		"a small one gone does not hide what grew beside it": {
			side(0, f("helper", ops, cpu, 1), f("a", ops, cpu, 20)), side(0, f("a", ops, cpu, 30)),
			[]Line{{Kind: Changed, Name: "a", File: ops, Object: cpu, Base: 20, Head: 30}, {Kind: Gone, Name: "helper", File: ops, Object: cpu, Base: 1}},
		},
		"moved to another file": {
			side(0, f("a", ops, cpu, 20)), side(0, f("a", vec, cpu, 21)),
			[]Line{{Kind: Changed, Name: "a", File: vec, Object: cpu, Base: 20, Head: 21}},
		},
		"another CPU backend": {
			side(0, f("dot", "", "libggml-cpu-haswell.so", 20), f("rope", "", "libggml-cpu-haswell.so", 2), f("???", "", "libggml-cpu-haswell.so", 5), f("memcpy", "", "libc.so", 1)),
			side(0, f("dot", "", "libggml-cpu-sse42.so", 80), f("rope", "", "libggml-cpu-sse42.so", 4), f("???", "", "libggml-cpu-sse42.so", 9), f("memcpy", "", "libc.so", 1)),
			[]Line{
				{Kind: Changed, Name: "dot", Object: "libggml-cpu-sse42.so", Base: 20, Head: 80},
				{Kind: Changed, Name: "???", Object: "libggml-cpu-sse42.so", Base: 5, Head: 9},
				{Kind: Changed, Name: "rope", Object: "libggml-cpu-sse42.so", Base: 2, Head: 4},
				{Kind: Changed, Name: "memcpy", Object: "libc.so", Base: 1, Head: 1},
			},
		},
		"code without symbols of two objects stays two": {
			side(0, f("???", "", "liba.so", 20), f("memcpy", "", "libc.so", 1)), side(0, f("???", "", "libb.so", 9), f("memcpy", "", "libc.so", 1)),
			[]Line{{Kind: Gone, Name: "???", Object: "liba.so", Base: 20}, {Kind: New, Name: "???", Object: "libb.so", Head: 9}, {Kind: Changed, Name: "memcpy", Object: "libc.so", Base: 1, Head: 1}},
		},
		"parts of a function from several files are one line": {
			side(0, f("a", ops, cpu, 20), f("a", vec, cpu, 5)), side(0, f("a", ops, cpu, 22), f("a", vec, cpu, 6), f("b", "", cpu, 1)),
			[]Line{{Kind: Changed, Name: "a", File: ops, Object: cpu, Base: 25, Head: 28}, {Kind: New, Name: "b", Object: cpu, Head: 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := Compare(test.base, test.head)
			if diff := cmp.Diff(test.want, d.Lines, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			addsUp(t, d, test.base, test.head)
		})
	}
}

// addsUp checks that the lines and the rest are all of both sides.
func addsUp(t *testing.T, d Difference, base, head Side) {
	t.Helper()
	b, h := d.Rest.Base, d.Rest.Head
	for _, l := range d.Lines {
		b, h = b+l.Base, h+l.Head
	}
	for _, x := range [][2]float64{{b, base.Total()}, {h, head.Total()}, {d.Base, base.Total()}, {d.Head, head.Total()}} {
		if math.Abs(x[0]-x[1]) > 1e-9*(1+math.Abs(x[1])) {
			t.Errorf("%v instead of %v", x[0], x[1])
		}
	}
}

// TestHidden has a function that the other side's list is too short for.
func TestHidden(t *testing.T) {
	full := func(cost float64) (s Side) {
		for i := range record.MostFunctions - 1 {
			s.Functions = append(s.Functions, f(fmt.Sprint("f", i), "", "", 1000))
		}
		s.Functions = append(s.Functions, f("least", "", "", cost))
		return s
	}
	base, head := full(4), full(4)
	base.Functions[198].Name, base.Functions[198].PerToken = "clear", 50 // more than ten times the least of head
	base.Functions[199].Name, base.Functions[199].PerToken = "open", 30
	d := Compare(base, head)
	addsUp(t, d, base, head)
	kinds := make(map[string]Kind)
	for _, l := range d.Lines {
		kinds[l.Name] = l.Kind
	}
	if kinds["clear"] != Gone || kinds["open"] != "" || kinds["f198"] != New || kinds["least"] != "" {
		t.Errorf("kinds: clear %q, open %q, f198 %q, least %q", kinds["clear"], kinds["open"], kinds["f198"], kinds["least"])
	}
	if d.Rest.Base != 30 || d.Rest.Head != 4 {
		t.Errorf("rest: %+v", d.Rest)
	}
}

func TestMean(t *testing.T) {
	got := Mean(
		record.CountedTest{Functions: []record.Function{f("a", "x", "y", 10), f("b", "", "", 2)}, Rest: 1},
		record.CountedTest{Functions: []record.Function{f("a", "x", "y", 14)}, Rest: 3},
	)
	want := side(2, f("a", "x", "y", 12), f("b", "", "", 1))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if empty := Mean(); empty.Total() != 0 || Compare(empty, empty).Change() != 0 {
		t.Errorf("of nothing: %+v", empty)
	}
}

// TestProperties draws sides of few names, files and objects, so that all pairings
// happen: lines and rest add up, a side against itself has no change, and the
// candidate against the baseline mirrors the change of every whole.
func TestProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(18, 3))
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	draw := func() Side {
		s := Side{Rest: float64(rng.IntN(5))}
		seen := make(map[key]bool)
		for range rng.IntN(12) {
			g := f(pick("a", "b", "c", "d", Nameless), pick("", "x.c", "y.c"), pick("", "liba.so", "libb.so", "libc.so"), float64(rng.IntN(200)-20))
			if !seen[keyOf(g)] {
				seen[keyOf(g)] = true
				s.Functions = append(s.Functions, g)
			}
		}
		return s
	}
	kinds := make(map[Kind]int)
	for range 3000 {
		base, head := draw(), draw()
		d, back := Compare(base, head), Compare(head, base)
		addsUp(t, d, base, head)
		if math.Abs(d.Change()+back.Change()) > 1e-9 || d.Rest.Base != back.Rest.Head {
			t.Fatalf("%v there and %v back", d.Change(), back.Change())
		}
		for i, l := range d.Lines {
			kinds[l.Kind]++
			if i > 0 && math.Abs(l.Change()) > math.Abs(d.Lines[i-1].Change()) {
				t.Fatalf("not by change: %+v", d.Lines)
			}
		}
		for _, l := range Compare(base, base).Lines {
			if l.Kind != Changed || l.Change() != 0 {
				t.Fatalf("against itself: %+v", l)
			}
		}
		if t.Failed() {
			t.Fatalf("base %+v\nhead %+v\n%+v", base, head, d)
		}
	}
	for _, k := range []Kind{Changed, New, Gone, Moved} {
		if kinds[k] < 100 {
			t.Errorf("%d lines of kind %s", kinds[k], k)
		}
	}
}
