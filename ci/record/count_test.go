package record_test

import (
	"math"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A count is a metric of its own: never that of the timed test.
func TestInstructionsMetric(t *testing.T) {
	for _, test := range []record.Test{{Prompt: 64}, {Gen: 16}, {Prompt: 64, Gen: 16, Depth: 128}} {
		m := test.InstructionsMetric()
		if want := test.Name() + "_instructions"; m.Name != want || !m.Exact || m.Better != record.Lower || m.Unit != "instructions/token" {
			t.Errorf("%s: %+v", want, m)
		}
		d, workload, ok := record.DefinitionOf(m.Name)
		if !ok || workload != record.CountWorkload || d.Metric(m.Name) != m || d.Margin != 0.005 {
			t.Errorf("%s is described by %+v of %q", m.Name, d, workload)
		}
	}
	if d, workload, _ := record.DefinitionOf("pp64"); d.Exact || workload != record.BenchWorkload {
		t.Errorf("a timed test is described by %+v of %q", d, workload)
	}
}

// What a stranger's record says of counts is bounded.
func TestCountingIsChecked(t *testing.T) {
	counted := func() *record.CountedTest { return &example().Trials[0].Counting.Tests[0] }
	for want, spoil := range map[string]func(*record.CountedTest){
		"bench test":     func(c *record.CountedTest) { c.Test = "<b>" },
		"repetitions":    func(c *record.CountedTest) { c.Few.Repetitions = -1 },
		"instructions":   func(c *record.CountedTest) { c.Many.Instructions = -1 },
		"functions":      func(c *record.CountedTest) { c.Functions = make([]record.Function, record.MostFunctions+1) },
		"1000 bytes":     func(c *record.CountedTest) { c.Functions[0].Name = strings.Repeat("f", 1001) },
		"rest_per_token": func(c *record.CountedTest) { c.Rest = math.Inf(1) },
	} {
		run, c := example(), counted()
		spoil(c)
		run.Trials[0].Counting.Tests[0] = *c
		if err := run.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if err := example().Validate(); err != nil {
		t.Error(err)
	}
}
