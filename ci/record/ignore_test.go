package record

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// matrix is a run of two arms, of which one sets flash_attn, and one cell for each
// number of threads.
func matrix(threads ...string) *Run {
	run := &Run{Schema: Schema, ID: "r", Baseline: "base", Arms: []Arm{{Name: "base"}, {Name: "head", Params: map[string]string{"flash_attn": "on"}}}}
	for _, n := range threads {
		params := map[string]string{"threads": n}
		key := CellKey("bench", "m", params)
		run.Cells = append(run.Cells, Cell{Key: key, Workload: "bench", Model: "m", Params: params})
		for _, arm := range run.Arms {
			run.Trials = append(run.Trials, Trial{ID: arm.Name + n, Arm: arm.Name, Cell: key, Outcome: OK})
		}
	}
	return run
}

func TestIgnore(t *testing.T) {
	run := matrix("4")
	run.Interims = []Interim{{Cell: run.Cells[0].Key, Blocks: 1}}
	run.Parts = []Part{{Cells: []string{run.Cells[0].Key}}}
	if err := run.Ignore([]string{"threads", "flash_attn", "numa"}); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, c := range run.Cells {
		keys = append(keys, c.Key)
	}
	keys = append(keys, run.Trials[0].Cell, run.Trials[1].Cell, run.Interims[0].Cell, run.Parts[0].Cells[0])
	if got := strings.Join(keys, " "); got != "bench/m bench/m bench/m bench/m bench/m" {
		t.Errorf("keys %s", got)
	}
	want := []Arm{{Name: "base", Params: map[string]string{"threads": "4", "flash_attn": "off"}}, {Name: "head", Params: map[string]string{"threads": "4", "flash_attn": "on"}}}
	if diff := cmp.Diff(want, run.Arms); diff != "" {
		t.Errorf("arms (-want +got):\n%s", diff)
	}
	run.Parts, run.Interims = nil, nil
	if err := run.Validate(); err != nil {
		t.Errorf("the run does not hold together: %v", err)
	}
}

// What varies within an arm cannot be ignored, and the refusal changes nothing.
func TestIgnoreWhatVaries(t *testing.T) {
	run, was := matrix("1", "2"), matrix("1", "2")
	err := run.Ignore([]string{"threads"})
	if err == nil || !strings.Contains(err.Error(), "arm base ran with both 1 and 2") {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(was, run); diff != "" {
		t.Errorf("the run was changed:\n%s", diff)
	}
}
