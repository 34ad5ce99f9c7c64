package report_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// staged is a run record and its result: two cells, of which the second is left
// open, with the looks it was given.
func staged(t *testing.T, plan record.Plan, change func(*compare.Comparison)) report.Report {
	t.Helper()
	metric := record.Test{Prompt: 512}.Metric()
	run := &record.Run{Schema: record.Schema, ID: "r", Baseline: "base", Plan: plan, Arms: []record.Arm{{Name: "base"}, {Name: "head"}}}
	run.Plan.Trials = 80
	res := &compare.Result{Method: compare.Paired, Policy: compare.DefaultPolicy()}
	for _, model := range []string{"tiny", "small"} {
		cell := record.Cell{Key: record.CellKey("bench", model, nil), Workload: "bench", Model: model, Metrics: []record.Metric{metric}}
		run.Cells = append(run.Cells, cell)
		loss := -0.03
		c := compare.Comparison{Cell: cell.Key, Workload: "bench", Model: model, Metric: metric, Method: compare.Paired,
			Baseline: compare.Side{Arm: "base", Estimate: 100}, Candidate: compare.Side{Arm: "head", Estimate: 97}, Change: &loss, Replicates: 6,
			Interval: &compare.Interval{Low: -0.05, High: -0.01, Confidence: 0.9}, Margin: &compare.Range{Low: -0.03, High: 0.03},
			Reason: &compare.Reason{Code: compare.TooNoisy, Have: 6, Need: 24}}
		if model == "small" {
			change(&c)
		}
		res.Comparisons = append(res.Comparisons, c)
	}
	run.Interims = []record.Interim{{Cell: run.Cells[0].Key, Blocks: 6, Stop: record.StopCleared}, {Cell: run.Cells[1].Key, Blocks: 6}}
	return report.New(res, report.Source{Base: run, Head: run, Reproduce: []string{"llama-regress", "gate", "--adaptive", "--confirm-blocks", "12", "--blocks=6"}})
}

func TestMoreBlocksByTheirFlag(t *testing.T) {
	for _, c := range []struct {
		name   string
		plan   record.Plan
		change func(*compare.Comparison)
		want   string
	}{
		{"fixed", record.Plan{Blocks: 6}, func(*compare.Comparison) {}, "llama-regress gate --adaptive --confirm-blocks 12 --blocks 24"},
		{"adaptive", record.Plan{Blocks: 20, Interims: []int{6, 20}}, func(*compare.Comparison) {}, "llama-regress gate --confirm-blocks 12 --blocks=6 --adaptive=24"},
		{"screened", record.Plan{Blocks: 18, Screen: 6}, func(*compare.Comparison) {}, "llama-regress gate --adaptive --confirm-blocks 12 --blocks 24"},
		{"confirmed", record.Plan{Blocks: 18, Screen: 6}, func(c *compare.Comparison) { c.Confirmed, c.Reason.Need, c.Reason.AsSeen = true, 31, true }, "llama-regress gate --adaptive --blocks=6 --confirm-blocks 31"},
		{"confirmed, and perhaps nothing changed", record.Plan{Blocks: 18, Screen: 6}, func(c *compare.Comparison) { c.Confirmed, c.Reason.Need = true, 31 }, "llama-regress gate --adaptive --confirm-blocks 12 --blocks 31"},
	} {
		r := staged(t, c.plan, c.change)
		i := slices.IndexFunc(r.Steps, func(s report.Step) bool { return s.Kind == report.MoreBlocks })
		if i < 0 || r.Steps[i].Command.Terminal(200) != c.want {
			t.Errorf("%s: steps %+v, want %q", c.name, r.Steps, c.want)
		}
	}
}

// What was screened and not measured again is open, neither suspected nor failed.
func TestUnconfirmed(t *testing.T) {
	r := staged(t, record.Plan{Blocks: 26, Screen: 6, Interims: []int{6, 10, 15, 20}}, func(c *compare.Comparison) {
		c.Reason = &compare.Reason{Code: compare.Unconfirmed, Have: 6, Need: 12}
	})
	i := slices.IndexFunc(r.Rows, func(row report.Row) bool { return row.Comparison.Model == report.AsForeign("small") })
	row := r.Rows[i]
	if row.Class != report.Inconclusive || !strings.Contains(row.Reason.Terminal(), "6 blocks of the screening could not clear it of a loss") {
		t.Errorf("class %s, reason %q", row.Class, row.Reason)
	}
	want := "6 blocks of every cell, then fresh ones of those that may have lost, which are judged by these alone, " +
		"until each verdict is reached, at 4 interim analyses after 6, 10, 15 and 20 blocks; intervals allow for them; 1 cell cleared by the screening; 1 cell cut short"
	if got := r.Fact("stages").Terminal(); got != want {
		t.Errorf("fact %q, want %q", got, want)
	}
	if got := r.Fact("trials"); got != nil {
		t.Errorf("trials %q of a run without any", got)
	}
}
