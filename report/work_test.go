package report_test

import (
	"math"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// The functions and the rest of every comparison add up to the change of its whole,
// in numbers and in the bars.
func TestWorkAddsUp(t *testing.T) {
	for _, c := range []reporttest.Case{reporttest.Counted(), reporttest.Hostile()} {
		r := c.Report()
		if len(r.Works) == 0 {
			t.Fatalf("%s: no works", c.Name)
		}
		for _, w := range r.Works {
			base, head, bars := w.Rest.BaselineWork, w.Rest.CandidateWork, w.Bar(w.Rest)
			for _, f := range w.Functions {
				base, head, bars = base+f.BaselineWork, head+f.CandidateWork, bars+w.Bar(f)
			}
			if off := math.Abs(base-w.BaselineWork) + math.Abs(head-w.CandidateWork); off > 1e-9*(w.BaselineWork+w.CandidateWork) {
				t.Errorf("%s: functions of %v and %v, the whole is %v and %v", c.Name, base, head, w.BaselineWork, w.CandidateWork)
			}
			if whole := 100 * (w.CandidateWork/w.BaselineWork - 1); math.Abs(bars-whole) > 1e-9*math.Abs(whole) {
				t.Errorf("%s: bars of %v%%, the whole is %v%%", c.Name, bars, whole)
			}
		}
	}
}

// A rise names its function, as a share of all work and in instructions a token.
func TestWorkNamesTheFunction(t *testing.T) {
	r := reporttest.Counted().Report()
	if len(r.Works) != 2 {
		t.Fatalf("%d works of two counted tests", len(r.Works))
	}
	w := r.Works[0]
	if got, want := w.Finding(w.Functions[0]).Terminal(), "ggml_vec_dot_f16 +12.1% (+388 k of 3.20 M a token)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := w.Summary.Terminal(), "+11.8%: 3.20 M to 3.58 M instructions a token"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// Renamed in one file: one line, and neither a loss nor a gain.
	w = r.Works[1]
	if got, want := w.Finding(w.Functions[0]).Terminal(), "moved, renamed or inlined in ggml-cpu/ops.cpp (ggml_compute_forward_soft_max gone; ggml_compute_forward_soft_max_f32 new) -0.0052% (-200 of 3.81 M a token)"; len(w.Functions) != 1 || got != want {
		t.Errorf("%d functions, %q, want %q", len(w.Functions), got, want)
	}
	for _, row := range r.Rows {
		if got := r.WorkOf(row); len(got) != 1 || got[0].Metric != row.Comparison.Metric.Name {
			t.Errorf("of the row %s: %v", row.ID, got)
		}
	}
}

// What names cannot tell is said with how to build.
func TestWorkSaysWhatItCannotName(t *testing.T) {
	notes := ""
	for _, n := range reporttest.Counted().Report().Works[0].Notes {
		notes += n.Terminal() + "\n"
	}
	for _, want := range []string{"5.62% of the work is in code without names", "-DCMAKE_C_FLAGS=-g1 -DCMAKE_CXX_FLAGS=-g1", "looks like one that is gone and one that is new"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in %q", want, notes)
		}
	}
}

// A regression of counts alone asks for a time, and not for another count.
func TestWorkAsksForTime(t *testing.T) {
	r := reporttest.Counted().Report()
	var asked, again bool
	for _, s := range r.Steps {
		asked = asked || s.Kind == report.Explain && strings.Contains(s.Text.Terminal(), "measure the time")
		again = again || s.Kind == report.Reproduce && strings.Contains(s.Text.Terminal(), "again")
	}
	if !asked || again {
		t.Errorf("%+v", r.Steps)
	}
}

// A session that was not counted has no such section.
func TestNoWorkWithoutCounts(t *testing.T) {
	if r := reporttest.Regression().Report(); len(r.Works) != 0 {
		t.Errorf("%d works", len(r.Works))
	}
	if strings.Contains(report.WorkRule, "slower and") || !strings.Contains(report.WorkRule, "more work, and probably slower") {
		t.Error("the rule promises more than a count tells")
	}
}
