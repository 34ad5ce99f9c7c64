package report_test

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// The first thing said after the verdict is why requests failed, where most did.
func TestCauseComesFirst(t *testing.T) {
	r := reporttest.Serving().Report()
	got := r.Patterns[0].Terminal()
	for _, want := range []string{"Failed requests of concurrency=4 with head: ", " failures were on reused connections (", "use a fresh connection for each request."} {
		if !strings.Contains(got, want) {
			t.Errorf("says %q, want %q in it", got, want)
		}
	}
	if got := r.Patterns[1].Terminal(); !strings.HasPrefix(got, "Capacity: base 4 requests at a time, 90% interval 4 to 4, from 6 blocks; head ") {
		t.Errorf("says %q", got)
	}
}

func TestServingOrder(t *testing.T) {
	r := reporttest.Serving().Report()
	var got []string
	for _, s := range r.Serving {
		got = append(got, s.Label.Terminal(80)+" "+string(s.Role))
	}
	var want []string
	for _, label := range []string{"concurrency=2", "concurrency=4", "concurrency=8"} {
		for _, role := range []string{"baseline", "contender", "control"} {
			want = append(want, label+" "+role)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("served: %q, want %q", got, want)
	}
	for _, s := range r.Serving {
		details := 7
		if s.WarmupFailed() > 0 {
			details-- // it is told with the failures
		}
		if sum := s.Succeeded + s.Failed(); sum != 240 || (s.Failed() > 0) != (len(s.Common) > 0) || len(s.Details) != details || len(s.Timelines) != 6 {
			t.Errorf("%s of %s: %d requests, %d causes, %d details, %d timelines", s.Arm, s.Label, sum, len(s.Common), len(s.Details), len(s.Timelines))
		}
	}
	for _, c := range r.Capacity {
		if c.Role == report.Control || len(c.Figures) != 3 || len(c.Points) != 3 {
			t.Errorf("capacity of %s (%s): %d levels", c.Arm, c.Role, len(c.Figures))
		}
	}
}

// Of two runs each shows the arm that was compared, and of a file that breaks
// off what could be read.
func TestServingOfTwoRuns(t *testing.T) {
	kase := reporttest.Serving()
	base, head := kase.Source.Base, *kase.Source.Base
	head.ID = "another"
	res := compare.Between(compare.Selection{Run: base, Arm: "base"}, compare.Selection{Run: &head, Arm: "head"}, compare.DefaultPolicy())
	src := report.Source{Base: base, Head: &head, BaseFile: "a.json", HeadFile: "b.json", Requests: func(*record.Run) iter.Seq2[record.Request, error] {
		return func(yield func(record.Request, error) bool) { yield(record.Request{}, errors.New("torn")) }
	}}
	r := report.New(res, src)
	if len(r.Serving) != 6 {
		t.Errorf("%d served, want the baseline and the candidate in 3 cells", len(r.Serving))
	}
	for i, s := range r.Serving {
		if want := []string{"base", "head"}[i%2]; s.Arm.Terminal(80) != want || s.TTFT != nil || s.Requests != 240 || s.Common != nil {
			t.Errorf("%d: %s with %d requests, TTFT %v", i, s.Arm, s.Requests, s.TTFT)
		}
	}
	if note := r.Notes[len(r.Notes)-1].Terminal(); !strings.Contains(note, "Not all requests could be read") || !strings.Contains(note, "torn") {
		t.Errorf("the note is %q", note)
	}
}

// Success counts of a paired run have blocks as every other metric.
func TestRatesCountBlocks(t *testing.T) {
	r := reporttest.Serving().Report()
	if got := r.Fact("blocks").Terminal(); !strings.HasSuffix(got, "blocks") {
		t.Errorf("replicates: %q", got)
	}
	for _, row := range r.Rows {
		for _, text := range []report.Text{row.Reason, row.Remedy} {
			if strings.Contains(text.Terminal(), "a side") {
				t.Errorf("%s: %q", row.Comparison.Metric.Name, text)
			}
		}
	}
	rates := 0
	for _, row := range r.Rows {
		if row.Comparison.Estimator == compare.PooledRates {
			rates++
		}
	}
	if rates == 0 {
		t.Error("no row is a rate: this shows nothing")
	}
}

func TestServeDefinitions(t *testing.T) {
	var terms []string
	for _, d := range reporttest.Serving().Report().Definitions {
		terms = append(terms, d.Term)
	}
	for _, want := range []string{"success rate", "TTFT", "TPOT", "output tokens/s", "request rate", "goodput", "capacity"} {
		if !slices.Contains(terms, want) {
			t.Errorf("%q is not defined in %q", want, terms)
		}
	}
	for _, d := range reporttest.Pass().Report().Definitions {
		if d.Term == "TTFT" || d.Term == "capacity" {
			t.Errorf("%s is defined and not used", d.Term)
		}
	}
}

// A control that could not have seen much does not look like a clean one.
func TestControlSaysWhatItCouldSee(t *testing.T) {
	got := reporttest.Serving().Report().Fact("control").Terminal()
	if !strings.Contains(got, "; a loss below ") || !strings.HasSuffix(got, " could have stayed unseen") {
		t.Errorf("control: %q", got)
	}
	if got := reporttest.Pass().Report().Fact("control").Terminal(); strings.Contains(got, "unseen") {
		t.Errorf("a control shown to be equal: %q", got)
	}
}

// More blocks replace those of the command, and a command is said whole once.
func TestMoreBlocksOnce(t *testing.T) {
	kase := reporttest.Regression()
	kase.Source.Reproduce = []string{"llama-regress", "gate", "--blocks", "4", "--blocks=5", "--seed", "1"}
	for _, s := range kase.Report().Steps {
		switch s.Kind {
		case report.Reproduce:
			if s.Command != report.AsForeign("llama-regress gate --blocks 4 --blocks=5 --seed 1") || s.Short != nil {
				t.Errorf("reproduce: %q, %q", s.Command, s.Short)
			}
		case report.MoreBlocks:
			if s.Command != report.AsForeign("llama-regress gate --seed 1 --blocks 42") || s.Short.Terminal() != "the same with --blocks 42" {
				t.Errorf("more blocks: %q, %q", s.Command, s.Short)
			}
		}
	}
}

// Where failed requests are why nothing could be measured, they are what to
// look at, not the logs of trials.
func TestFailedRequestsComeFirst(t *testing.T) {
	res := &compare.Result{Method: compare.Paired, Policy: compare.DefaultPolicy(), Comparisons: []compare.Comparison{{
		Cell: "serve/m", Workload: "serve", Metric: record.Metric{Name: record.TTFTp50, Unit: "s", Better: record.Lower}, Method: compare.Paired,
		Baseline: compare.Side{Arm: "base", Censored: 4}, Candidate: compare.Side{Arm: "head", Censored: 3, Failed: 1}, Reason: &compare.Reason{Code: compare.NotMeasured},
	}}}
	r := report.New(res, report.Source{})
	if got := r.Steps[0].Text.Terminal(); !strings.Contains(got, "why so many requests fail") {
		t.Errorf("the first step is %q", got)
	}
	if got := r.Rows[0].Reason.Terminal(); got != "no usable trial of base (too many requests failed in all 4), no usable trial of head (1 failed, and in 3 too many requests)" {
		t.Errorf("the reason is %q", got)
	}
}

// The warm-up is in no figure of its arm, so what failed in it is told apart, in
// every form of the report, also where each request that counts was answered.
func TestWarmupFailuresAreTold(t *testing.T) {
	kase := reporttest.Serving()
	for i := range kase.Source.Head.Trials {
		trial := &kase.Source.Head.Trials[i]
		trial.Load.Warmup, trial.Load.WarmupFailures = 4, nil
		if trial.Arm == "head" {
			trial.Load.WarmupFailures = map[record.RequestFailureClass]int{record.ConnectionReset: 3}
		}
	}
	for _, s := range kase.Report().Serving {
		switch {
		case s.Arm.Terminal(20) == "head":
			if got := s.Warmup.Summary.Terminal(); s.WarmupFailed() != 18 || got != "18 of 24 requests of the warm-up failed (18 connection_reset); no latency and no other rate counts them" {
				t.Errorf("%s: %q", s.Label, got)
			}
		case s.WarmupFailed() != 0 || !slices.ContainsFunc(s.Details, func(t report.Text) bool { return t.Terminal() == "all 24 requests of the warm-up answered" }):
			t.Errorf("%s of %s: %+v", s.Arm, s.Label, s.Warmup)
		}
	}
}
