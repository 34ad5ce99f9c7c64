package export_test

import (
	"bytes"
	"regexp"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/export"
	"github.com/llama-regress/llama-regress/ci/record"
)

// benchstat takes what it sees first for the baseline, and trials run in an
// order that is drawn.
func TestBenchfmtBeginsWithTheBaseline(t *testing.T) {
	run := example()
	control := run.Arms[0]
	control.Name, control.ControlOf = "base~control", "base"
	run.Arms = append([]record.Arm{control}, run.Arms...)
	twice := run.Trials[0]
	twice.ID, twice.Arm = "twice", control.Name
	run.Trials = append(run.Trials, twice)
	slices.Reverse(run.Trials)
	var out bytes.Buffer
	w := export.NewBenchfmt(&out)
	if err := w.Add(run); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var arms []string
	for _, m := range regexp.MustCompile(`(?m)^arm: (.*)$`).FindAllStringSubmatch(out.String(), -1) {
		arms = append(arms, m[1])
	}
	if want := []string{"base", "head two", "base~control"}; !slices.Equal(arms, want) {
		t.Errorf("arms %q, want %q", arms, want)
	}
}
