package runner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// What was left out is noted from the first trial on.
func TestNotesOfOneTrialLeftOut(t *testing.T) {
	f := failures{}
	p := &plan.Plan{Cells: []plan.Cell{{Cell: record.Cell{Key: "cell"}}}, Arms: []record.Arm{{Name: "head"}}}
	for range giveUpAfter {
		f.add(plan.Trial{}, record.Trial{Outcome: record.Failed, Failure: &record.Failure{Class: record.Crashed, Message: "x"}})
		p.Trials = append(p.Trials, plan.Trial{})
	}
	if notes := f.notes(p); notes != nil {
		t.Errorf("nothing was left out: %q", notes)
	}
	p.Trials = append(p.Trials, plan.Trial{})
	if notes := f.notes(p); len(notes) != 1 || !strings.HasSuffix(notes[0], "its other 1 trials were left out") {
		t.Errorf("%q", notes)
	}
}

// A trial needs the metrics of its own cell, and of no other.
func TestCheckComplete(t *testing.T) {
	run := &record.Run{Cells: []record.Cell{
		{Key: "a", Metrics: []record.Metric{{Name: "pp512"}, {Name: "tg128"}}},
		{Key: "b", Metrics: []record.Metric{{Name: "pp64"}}},
	}}
	for _, c := range []struct{ cell, metrics, says string }{
		{"a", "pp512 tg128", ""}, {"a", "pp512", "tg128 was not measured"}, {"b", "pp64", ""}, {"b", "pp512 tg128", "pp64 was not measured"},
	} {
		trial := record.Trial{Cell: c.cell}
		for name := range strings.FieldsSeq(c.metrics) {
			trial.Measurements = append(trial.Measurements, record.Measurement{Metric: name, Values: []float64{1}})
		}
		if err := checkComplete(run, trial); (err == nil) != (c.says == "") || err != nil && err.Error() != c.says {
			t.Errorf("%s with %s: %v, want %q", c.cell, c.metrics, err, c.says)
		}
	}
}

// identifier is a bench that only identifies: all but the named arms.
type identifier struct {
	Bench
	faulty []string
}

func (b identifier) Identify(_ context.Context, arm record.Arm) (record.Build, error) {
	if slices.Contains(b.faulty, arm.Name) {
		return record.Build{}, errors.New("arm " + arm.Name + ": no")
	}
	return record.Build{}, nil
}

// A fault of an arm is told once, not for its control again; a control's own is told.
func TestControlsRepeatNoFault(t *testing.T) {
	for faulty, want := range map[string]string{
		"": "", "base control": "arm base: no", "control": "arm control: no", "base head control": "arm base: no\narm head: no",
	} {
		s := &session{bench: identifier{faulty: strings.Fields(faulty)}, run: &record.Run{Arms: []record.Arm{{Name: "base"}, {Name: "head"}, {Name: "control", ControlOf: "base"}}}}
		err := s.identifyBuilds(t.Context())
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("faulty %q: %v, want %q", faulty, err, want)
		}
	}
}
