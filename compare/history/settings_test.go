package history

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// told gives a session's programs a default of flash attention.
func told(r *record.Run, value string) *record.Run {
	r.Arms[0].Defaults = map[string]map[string]string{"bench": {"flash_attn": value}}
	return r
}

// A session that another default measured is no baseline, and says so; one that
// spelt the same value out is.
func TestChooseSameSettings(t *testing.T) {
	spelt := session(2)
	for i, c := range spelt.Cells {
		was := c.Key
		c.Params = map[string]string{"flash_attn": "auto"}
		c.Key = record.CellKey(c.Workload, c.Model, c.Params)
		spelt.Cells[i] = c
		for k := range spelt.Trials {
			if spelt.Trials[k].Cell == was {
				spelt.Trials[k].Cell = c.Key
			}
		}
	}
	s, _ := stored(t, session(0), told(session(1), "off"), spelt, told(session(3), "auto"))
	head := told(session(9), "auto")
	choice := Choose(contents(t, s), head, Options{})
	if got := strings.Join(ids(choice.Cells["bench/a"]), " "); got != "night-02 night-03" {
		t.Errorf("chosen: %s", got)
	}
	if len(choice.PassedOver) != 1 || choice.PassedOver[0] != (Reason{Why: "ran with flash_attn off, not auto", Sessions: 2}) {
		t.Errorf("passed over: %+v", choice.PassedOver)
	}
	past, err := choice.Selections(t.Context(), s)
	if err != nil || len(past) != 2 || len(past[0].Run.Trials) != 6 {
		t.Fatalf("%v, %d sessions", err, len(past))
	}
	res := compare.History(past, compare.Selection{Run: head, Arm: "nightly"}, compare.DefaultPolicy())
	for _, c := range res.Comparisons {
		if len(c.Baseline.Trials) != 2 {
			t.Errorf("%s: %d sessions", c.Cell, len(c.Baseline.Trials))
		}
	}
	trends := Analyze(contents(t, s), TrendOptions{})
	for _, m := range trends.Machines {
		for _, tr := range m.Trends {
			if tr.Cell == "bench/a" && (len(tr.Breaks) != 1 || tr.Breaks[0].Why != "ran with flash_attn off, not auto") {
				t.Errorf("breaks %+v", tr.Breaks)
			}
		}
	}
}
