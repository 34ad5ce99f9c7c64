package store

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSegments(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, p := range places(t) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := p.open(t)
			var keys []string
			for i := range 3 {
				keys = append(keys, keep(t, s, testRun(night.AddDate(0, 0, i), 2, 1)))
			}
			cell := testRun(night, 2, 1).Cells[1].Key
			promote := func(g Segment) string {
				t.Helper()
				g.Machine = "runner-1"
				if g.Reason == "" {
					g.Reason = "flash attention is the default now"
				}
				key, err := Promote(ctx, s, g)
				if err != nil {
					t.Fatal(err)
				}
				return key
			}
			current := func(cell string) string {
				t.Helper()
				g, ok := load(t, s, LoadOptions{}).Segment("runner-1", cell)
				if !ok {
					return ""
				}
				return g.From
			}
			if got := current(cell); got != "" {
				t.Errorf("a new store is in segment %s", got)
			}
			day := 24 * time.Hour
			promote(Segment{From: keys[1], Made: night.Add(5 * day)})
			wrong := promote(Segment{From: keys[2], Made: night.Add(6 * day), Cells: []string{cell}})
			if got := current(cell); got != keys[2] {
				t.Errorf("the cell is in %s", got)
			}
			if got := current("bench/other"); got != keys[1] {
				t.Errorf("the other cell is in %s", got)
			}
			promote(Segment{Revokes: wrong, Made: night.Add(7 * day), Reason: "a mistake"})
			if got := current(cell); got != keys[1] {
				t.Errorf("after the mistake was taken back the cell is in %s", got)
			}
			// Made earlier by a clock that is behind, about a later session: the
			// segment that starts last counts.
			promote(Segment{From: keys[2], Made: night})
			if got := current(cell); got != keys[2] {
				t.Errorf("the clock decided: %s", got)
			}
			if g, ok := load(t, s, LoadOptions{Machine: "runner-2"}).Segment("runner-1", cell); ok {
				t.Errorf("another machine's: %+v", g)
			}
			c := load(t, s, LoadOptions{})
			var made []int
			for _, g := range c.Segments {
				made = append(made, int(g.Made.Sub(night)/day))
			}
			if diff := cmp.Diff([]int{0, 5}, made); diff != "" || len(c.Faults) > 0 {
				t.Errorf("%s %v", diff, c.Faults)
			}
		})
	}
}

func TestPromoteRefuses(t *testing.T) {
	t.Parallel()
	key := KeyOf(testRun(night, 1, 1), "", 1).String()
	for want, g := range map[string]Segment{
		"reason":                     {Machine: "runner-1", From: key, Reason: " "},
		"want one line":              {Machine: "runner-1", From: key, Reason: "a\nb"},
		"want one line that":         {Machine: "runner-1", From: key, Reason: strings.Repeat("x", 3000)},
		"machine":                    {Machine: "../x", From: key, Reason: "r"},
		"another machine":            {Machine: "runner-2", From: key, Reason: "r"},
		"from":                       {Machine: "runner-1", From: "runs/x", Reason: "r"},
		"want the key of a marker":   {Machine: "runner-1", Revokes: key, Reason: "r"},
		"and nothing else beside it": {Machine: "runner-1", From: key, Revokes: "segments/runner-1/20260309T211500Z-0123456789abcdef.json", Reason: "r"},
	} {
		_, err := Promote(context.Background(), open(t, "dir:"+t.TempDir(), Options{}), g)
		wantError(t, err, want)
	}
}

func TestPrunable(t *testing.T) {
	t.Parallel()
	var objects []Object
	var a, b []string
	for i := range 10 {
		run := testRun(night.AddDate(0, 0, i), 1, 1)
		a = append(a, KeyOf(run, "a", 1).String())
		b = append(b, KeyOf(run, "b", 1).String())
	}
	for _, key := range append(append([]string{"runs/a/notes.json", "segments/a/x.json"}, a...), b[:2]...) {
		objects = append(objects, Object{Key: key})
	}
	later := night.AddDate(1, 0, 0)
	for name, c := range map[string]struct {
		rule Retention
		want []string
	}{
		"nothing asked":   {Retention{}, nil},
		"keep alone":      {Retention{Keep: 8}, nil},
		"keep":            {Retention{Keep: 8, Before: later}, a[:2]},
		"older":           {Retention{Before: night.AddDate(0, 0, 3)}, []string{a[0], b[0], a[1], a[2]}},
		"keep wins":       {Retention{Keep: 9, Before: night.AddDate(0, 0, 3)}, a[:1]},
		"the latest stay": {Retention{Before: later}, append([]string{a[0], b[0]}, a[1:9]...)},
	} {
		if diff := cmp.Diff(c.want, Prunable(objects, c.rule), cmp.Transformer("", func(s []string) []string { return append([]string{}, s...) })); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
