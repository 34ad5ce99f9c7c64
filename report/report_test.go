package report_test

import (
	"testing"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

func TestNothingComparedIsNotAPass(t *testing.T) {
	r := report.New(&compare.Result{Policy: compare.DefaultPolicy()}, report.Source{})
	if r.Outcome != compare.NothingCompared {
		t.Errorf("outcome of an empty result is %q, want %q", r.Outcome, compare.NothingCompared)
	}
	if len(r.Lead) == 0 || len(r.Steps) == 0 {
		t.Errorf("an empty result must say what happened and what to do: lead %q, steps %v", r.Lead, r.Steps)
	}
}
