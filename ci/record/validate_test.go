package record_test

import (
	"math"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestValidate(t *testing.T) {
	if err := example().Validate(); err != nil {
		t.Fatalf("the example: %v", err)
	}
	first := func(r *record.Run) *record.Trial { return &r.Trials[0] }
	values := func(r *record.Run) *record.Measurement { return &r.Trials[0].Measurements[0] }
	for _, c := range []struct {
		name  string
		spoil func(*record.Run)
		want  string // "" when the run stays valid
	}{
		{"schema", func(r *record.Run) { r.Schema = "" }, `schema is ""`},
		{"nameless arm", func(r *record.Run) { r.Arms[2].Name = "" }, "arms[2]: name"},
		{"two arms of one name", func(r *record.Run) { r.Arms[2].Name = "base" }, `arms[2]: name "base"`},
		{"no baseline", func(r *record.Run) { r.Baseline = "" }, "baseline: no arm"},
		{"no arms", func(r *record.Run) { r.Arms = nil }, "baseline: no arm"},
		{"control of nobody", func(r *record.Run) { r.Arms[1].ControlOf = "bass" }, "arms[1]: control_of"},
		{"control of itself", func(r *record.Run) { r.Arms[1].ControlOf = r.Arms[1].Name }, "arms[1]: control_of"},
		{"baseline as control", func(r *record.Run) { r.Arms[0].ControlOf = "head" }, "arms[0]: control_of"},
		{"two cells of one key", func(r *record.Run) { r.Cells[1] = r.Cells[0] }, "cells[1]: key"},
		{"cell without key", func(r *record.Run) { r.Cells[0].Key = "" }, "cells[0]: key"},
		{"key of another cell", func(r *record.Run) { r.Cells[0].Params["threads"] = "8" }, "cells[0]: key is"},
		{"nameless metric", func(r *record.Run) { r.Cells[0].Metrics[0].Name = "" }, "cells[0] bench/tiny/flash_attn=on,threads=1: metric"},
		{"metric twice", func(r *record.Run) { r.Cells[0].Metrics[1] = r.Cells[0].Metrics[0] }, `metric "pp512"`},
		{"metric without direction", func(r *record.Run) { r.Cells[0].Metrics[0].Better = 0 }, "metric pp512: no direction"},
		{"metric of a third direction", func(r *record.Run) { r.Cells[0].Metrics[0].Better = 3 }, "metric pp512: no direction"},
		{"trial without id", func(r *record.Run) { first(r).ID = "" }, "trials[0]: id"},
		{"trial twice", func(r *record.Run) { r.Trials[1].ID = r.Trials[0].ID }, "trials[1]: id"},
		{"trial of no arm", func(r *record.Run) { first(r).Arm = "x" }, `trials[0] b00.c0001.head: no arm is named "x"`},
		{"trial of no cell", func(r *record.Run) { first(r).Cell = "x" }, `no cell has the key "x"`},
		{"block below none", func(r *record.Run) { first(r).Block = -2 }, "block -2"},
		{"no outcome", func(r *record.Run) { first(r).Outcome = "" }, `outcome "": want "ok" or "failed"`},
		{"ok with failure", func(r *record.Run) { first(r).Failure = &record.Failure{} }, "outcome is ok"},
		{"failed without failure", func(r *record.Run) { first(r).Outcome = record.Failed }, "outcome is failed"},
		{"negative duration", func(r *record.Run) { first(r).Seconds = -1 }, "seconds: -1"},
		{"endless", func(r *record.Run) { first(r).Seconds = math.Inf(1) }, "seconds: +Inf"},
		{"duration not a number", func(r *record.Run) { first(r).Seconds = math.NaN() }, "seconds: NaN"},
		{"measured what the cell has not", func(r *record.Run) { values(r).Metric = "tg1" }, `metric "tg1"`},
		{"measured twice", func(r *record.Run) { r.Trials[0].Measurements[1] = *values(r) }, `metric "pp512"`},
		{"nothing measured", func(r *record.Run) { values(r).Values = nil }, "metric pp512: no values"},
		{"NaN", func(r *record.Run) { values(r).Values[1] = math.NaN() }, "metric pp512: value NaN"},
		{"infinite", func(r *record.Run) { values(r).Values[1] = math.Inf(-1) }, "metric pp512: value -Inf"},
		{"NaN while warming up", func(r *record.Run) { values(r).Warmup[0] = math.NaN() }, "metric pp512: value NaN"},
		{"no throughput", func(r *record.Run) { values(r).Values[0] = 0 }, "metric pp512: value 0"},
		{"a metric of 0 that is no throughput", func(r *record.Run) { r.Trials[0].Measurements[1].Values[0] = 0 }, ""},
		{"failed, with half its measurements", func(r *record.Run) {
			first(r).Outcome, first(r).Failure = record.Failed, &record.Failure{}
			r.Trials[0].Measurements = r.Trials[0].Measurements[:1]
		}, ""},
		{"no trials", func(r *record.Run) { r.Trials = nil }, ""},
		{"looks that do not grow", func(r *record.Run) { r.Plan.Interims = []int{6, 6} }, "plan: looks"},
		{"looks that lie too close", func(r *record.Run) { r.Plan.Interims = []int{6, 7, 60} }, "plan: looks"},
		{"too many looks", func(r *record.Run) { r.Plan.Interims = []int{1, 2, 3, 4, 5, 6, 7, 8, 9} }, "plan: looks: 9"},
		{"a look at nothing", func(r *record.Run) { r.Plan.Interims = []int{0, 6} }, "plan: looks"},
		{"a screening of less than nothing", func(r *record.Run) { r.Plan.Screen = -1 }, "plan: screen_blocks"},
		{"a look at no cell", func(r *record.Run) { r.Interims = []record.Interim{{Cell: "x", Blocks: 6}} }, "looks[0]"},
		{"a look", func(r *record.Run) { r.Interims = []record.Interim{{Cell: r.Cells[0].Key, Blocks: 6}} }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := example()
			c.spoil(run)
			err := run.Validate()
			switch {
			case c.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	run := example()
	if m, ok := run.Cells[0].Metric("model_size"); !ok || m.Unit != "B" {
		t.Errorf("Metric gives %+v, %v", m, ok)
	}
	if m, ok := run.Cells[0].Metric("tg1"); ok || m != (record.Metric{}) {
		t.Errorf("Metric of no such name gives %+v", m)
	}
	if m, ok := run.Trials[0].Measurement("model_size"); !ok || m.Values[0] != 1<<53 {
		t.Errorf("Measurement gives %+v, %v", m, ok)
	}
	if _, ok := run.Trials[0].Measurement("tg1"); ok {
		t.Error("Measurement finds what is not there")
	}
}
