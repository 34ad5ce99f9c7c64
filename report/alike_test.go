package report_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// No row is lost or shown twice, what is shown keeps its order, and rows are folded
// only behind three that say the same.
func TestFamilies(t *testing.T) {
	folded := 0
	for _, c := range append(reporttest.Cases(), reporttest.Grid(24, 6), reporttest.Grid(500, 6)) {
		rows := c.Report().Rows
		shown, families := report.Families(rows)
		var left []string
		for _, r := range shown {
			left = append(left, r.ID)
		}
		all := slices.Clone(left)
		for _, f := range families {
			folded += len(f.Rows)
			first := f.Rows[0]
			alike := func(r report.Row) bool {
				return r.Class == first.Class && fmt.Sprint(codeOf(r)) == fmt.Sprint(codeOf(first)) && r.Comparison.Metric.Name.Compare(first.Comparison.Metric.Name) == 0 &&
					r.Comparison.Model.Compare(first.Comparison.Model) == 0 && r.Comparison.Candidate.Arm.Compare(first.Comparison.Candidate.Arm) == 0
			}
			if n := len(slices.DeleteFunc(slices.Clone(shown), func(r report.Row) bool { return !alike(r) })); n != 3 {
				t.Errorf("%s: %d rows stand for %s", c.Name, n, first.ID)
			}
			for _, r := range f.Rows {
				if !alike(r) {
					t.Errorf("%s: %s is folded with %s", c.Name, r.ID, first.ID)
				}
				all = append(all, r.ID)
			}
			if len(f.Rows) < 2 || first.Figures.Change != "" && f.Span == "" {
				t.Errorf("%s: %d rows, %q", c.Name, len(f.Rows), f.Span)
			}
		}
		var want []string
		for _, r := range rows {
			want = append(want, r.ID)
		}
		in := slices.DeleteFunc(slices.Clone(want), func(id string) bool { return !slices.Contains(left, id) })
		if !slices.Equal(in, left) {
			t.Errorf("%s: rows changed their order", c.Name)
		}
		slices.Sort(all)
		slices.Sort(want)
		if !slices.Equal(all, want) {
			t.Errorf("%s: %d rows of %d", c.Name, len(all), len(want))
		}
	}
	if folded < 100 {
		t.Errorf("only %d rows were folded", folded)
	}
}

func codeOf(r report.Row) any {
	if r.Comparison.Reason == nil {
		return nil
	}
	return r.Comparison.Reason.Code.Terminal(80)
}
