package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// conversations is a run in which later turns of base and head had these shares
// of their prompts in the cache.
func conversations(base, head float64) *record.Run {
	hits := record.Metric{Name: record.CacheHitRate, Kind: record.CacheHitRate, Unit: "1", Better: record.Higher}
	run := &record.Run{
		Schema: record.Schema, ID: "r", Baseline: "base", Arms: []record.Arm{{Name: "base"}, {Name: "head"}},
		Cells: []record.Cell{{Key: "serve/m/turns=4", Workload: record.ServeWorkload, Model: "m", Params: map[string]string{"turns": "4"}, Metrics: []record.Metric{hits}}},
	}
	for block := range 6 {
		for i, share := range []float64{base, head} {
			arm := run.Arms[i].Name
			run.Trials = append(run.Trials, record.Trial{
				ID: fmt.Sprint(block, arm), Arm: arm, Cell: run.Cells[0].Key, Block: block, Order: 2*block + i, Outcome: record.OK,
				Measurements: []record.Measurement{{Metric: hits.Name, Values: []float64{share + 0.001*float64(block*i)}}},
				Load: &record.Load{Requests: 40, Succeeded: 40, Seconds: 1, Conversations: &record.Conversations{
					Count: 10, Cut: i, LaterTurns: 30, LaterPromptTokens: 3000, LaterCachedTokens: int64(3000 * share),
				}},
			})
		}
	}
	return run
}

// A cache that is hit no more is named in words, and what that means.
func TestCacheThatIsNotHit(t *testing.T) {
	for _, c := range []struct {
		base, head float64
		want       string // "" for nothing
	}{
		{0.98, 0.0, "98% of the prompt came from the cache on base, 0% on head: the whole prompt is processed again each turn."},
		{0.98, 0.6, "98% of the prompt came from the cache on base, 60% on head: more of each prompt is processed again than before."},
		{0.98, 0.98, ""},
		{0.1, 0.98, ""},
	} {
		run := conversations(c.base, c.head)
		r := report.New(compare.Run(run, compare.DefaultPolicy()), report.Source{Base: run, Head: run})
		said := ""
		for _, p := range r.Patterns {
			if text := p.Terminal(); strings.Contains(text, "Later turns of ") {
				said = text
			}
		}
		if c.want == "" && said != "" || !strings.Contains(said, c.want) {
			t.Errorf("%g and %g: says %q, want %q", c.base, c.head, said, c.want)
		}
		if c.head == 0.6 {
			var details string
			for _, s := range r.Serving {
				for _, d := range s.Details {
					details += s.Arm.Terminal(9) + ": " + d.Terminal() + "\n"
				}
			}
			for _, want := range []string{
				"base: in later turns 98% of the prompt came from the cache, and 2 of 100 tokens were processed, on average\n",
				"head: in later turns 60% of the prompt came from the cache, and 40 of 100 tokens were processed, on average\n",
				"head: 6 of 60 conversations ended early, as their history no longer fitted into the context\n",
			} {
				if !strings.Contains(details, want) {
					t.Errorf("details %q, want %q", details, want)
				}
			}
		}
	}
}
