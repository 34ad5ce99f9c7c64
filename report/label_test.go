package report

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

func cellOf(workload, model string, params ...string) compare.Comparison {
	c := compare.Comparison{Workload: workload, Model: model, Params: map[string]string{}}
	for i := 0; i < len(params); i += 2 {
		c.Params[params[i]] = params[i+1]
	}
	c.Cell = record.CellKey(workload, model, c.Params)
	return c
}

// A label says what sets a cell apart and nothing else.
func TestLabels(t *testing.T) {
	tests := []struct {
		name   string
		cells  []compare.Comparison
		want   []string
		common string
	}{
		{"one cell", []compare.Comparison{cellOf("bench", "tiny", "threads", "2")}, []string{"tiny"}, "threads=2"},
		{"one parameter", []compare.Comparison{cellOf("bench", "tiny", "threads", "2", "batch", "512"), cellOf("bench", "tiny", "threads", "8", "batch", "512")},
			[]string{"threads=2", "threads=8"}, "batch=512"},
		{"two models", []compare.Comparison{cellOf("bench", "tiny"), cellOf("bench", "small")}, []string{"tiny", "small"}, ""},
		{"parameter of one only", []compare.Comparison{cellOf("bench", "tiny"), cellOf("bench", "tiny", "threads", "2")}, []string{"tiny", "threads=2"}, ""},
		{"workload tells", []compare.Comparison{cellOf("bench", "tiny"), cellOf("serve", "tiny")}, []string{"bench", "serve"}, ""},
		{"workload need not tell", []compare.Comparison{cellOf("bench", "tiny", "threads", "2"), cellOf("serve", "tiny", "concurrency", "4")},
			[]string{"tiny", "concurrency=4"}, ""},
		{"settings of the server", []compare.Comparison{cellOf("bench", "tiny", "threads", "2"), cellOf("bench", "tiny", "threads", "8"),
			cellOf("serve", "tiny", "concurrency", "4", "parallel", "2", "threads", "2")}, []string{"threads=2", "threads=8", "concurrency=4 threads=2"}, ""},
		{"two that look alike", []compare.Comparison{cellOf("bench", "a b"), cellOf("bench", "a", "b", "")}, []string{"a b", "a b="}, ""},
		{"none", nil, nil, ""},
	}
	for _, test := range tests {
		labels := labelCells(test.cells)
		for i, c := range test.cells {
			if got := labels[c.Cell]; got != test.want[i] {
				t.Errorf("%s: label of %s is %q, want %q", test.name, c.Cell, got, test.want[i])
			}
		}
		if got := commonParams(test.cells); got != test.common {
			t.Errorf("%s: in common %q, want %q", test.name, got, test.common)
		}
	}
}

// Different cells never share a label, however they are named.
func FuzzLabelsDiffer(f *testing.F) {
	f.Add("bench", "a b", "k", "v", "bench", "a", "b k", "v")
	f.Add("", "", "", "", "", " ", "", "")
	f.Fuzz(func(t *testing.T, w1, m1, k1, v1, w2, m2, k2, v2 string) {
		a, b := cellOf(w1, m1, k1, v1), cellOf(w2, m2, k2, v2)
		if a.Cell == b.Cell {
			return
		}
		if labels := labelCells([]compare.Comparison{a, b}); labels[a.Cell] == labels[b.Cell] {
			t.Errorf("%q and %q are both called %q", a.Cell, b.Cell, labels[a.Cell])
		}
	})
}
