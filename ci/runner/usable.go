package runner

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/llama-regress/llama-regress/ci/record"
)

// usable makes sure that a trial a Bench returned can be kept: whatever would
// make the record unreadable, or an OK trial incomplete, turns it into a
// failed one. Without this one bad number would cost the whole run.
func usable(run *record.Run, t record.Trial) record.Trial {
	class, fault := record.BadOutput, checkTrial(run, t)
	if fault == nil {
		_, fault = json.Marshal(t)
	}
	if fault == nil && t.Outcome == record.OK {
		class, fault = record.MissingTest, checkComplete(run, t)
	}
	if fault == nil {
		return t
	}
	bad := failed(class, fmt.Sprintf("the trial cannot be used: %v", fault))
	if t.Failure != nil {
		bad.Failure.Message += fmt.Sprintf("; it had failed already: %s: %s", t.Failure.Class, t.Failure.Message)
	}
	kept := t // what became of its requests, and of the machine, explains the fault
	kept.Outcome, kept.Failure, kept.Measurements, kept.Disturbed = bad.Outcome, bad.Failure, nil, nil
	if _, err := json.Marshal(kept); err == nil && checkTrial(run, kept) == nil {
		return kept
	}
	bad.ID, bad.Arm, bad.Cell, bad.Block, bad.Order = t.ID, t.Arm, t.Cell, t.Block, t.Order
	bad.Start, bad.Seconds, bad.Command = t.Start, t.Seconds, t.Command
	return bad
}

func failed(class record.FailureClass, message string) record.Trial {
	return record.Trial{Outcome: record.Failed, Failure: &record.Failure{Class: class, Message: message}}
}

// checkTrial says what would be wrong with a run that had this trial.
func checkTrial(run *record.Run, t record.Trial) error {
	one := record.Run{Schema: run.Schema, Baseline: run.Baseline, Arms: run.Arms, Trials: []record.Trial{t}}
	for _, c := range run.Cells {
		if c.Key == t.Cell {
			one.Cells = []record.Cell{c}
		}
	}
	return one.Validate()
}

// checkComplete says which metric of its cell a trial does not have, and should.
func checkComplete(run *record.Run, t record.Trial) error {
	for _, c := range run.Cells {
		if w, _ := record.WorkloadByName(c.Workload); w.Discovers {
			continue // a build may lack what another has
		}
		for _, m := range c.Metrics {
			if _, ok := t.Measurement(m.Name); c.Key == t.Cell && !ok && !record.MayNotExist(m.Name) {
				return fmt.Errorf("%s was not measured", m.Name)
			}
		}
	}
	return nil
}

// fillFromEcho fills in what only a running program tells of its build and its model:
// a field that is still empty takes the first trial's answer.
func fillFromEcho(run *record.Run, t record.Trial) {
	for i := range run.Arms {
		if b := &run.Arms[i].Build; run.Arms[i].Name == t.Arm {
			number, _ := strconv.Atoi(t.Echo["build_number"]) // 0 is "unknown"
			b.Commit = cmp.Or(b.Commit, t.Echo["build_commit"])
			b.Number = cmp.Or(b.Number, number)
			b.Backends = cmp.Or(b.Backends, t.Echo["backends"])
			b.CPU = cmp.Or(b.CPU, t.Echo["cpu_info"])
			b.GPU = cmp.Or(b.GPU, t.Echo["gpu_info"])
			if at := slices.IndexFunc(run.Cells, func(c record.Cell) bool { return c.Key == t.Cell }); at >= 0 {
				run.Arms[i].Tell(run.Cells[at], t.Echo)
			}
		}
	}
	for i := range run.Models {
		if m := &run.Models[i]; m.Name == modelOf(run, t) {
			weights, _ := strconv.ParseInt(t.Echo["model_n_params"], 10, 64)
			m.Type = cmp.Or(m.Type, t.Echo["model_type"])
			m.Parameters = cmp.Or(m.Parameters, weights)
		}
	}
}

func modelOf(run *record.Run, t record.Trial) string {
	for _, c := range run.Cells {
		if c.Key == t.Cell {
			return c.Model
		}
	}
	return ""
}
