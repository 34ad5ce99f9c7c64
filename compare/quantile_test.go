package compare

import (
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// latenciesOf is a run of 8 blocks whose trials have a Harrell-Davis quantile and
// an order statistic that is a fifth lower; change may alter each.
func latenciesOf(metric string, change func(*record.Trial, *record.Measurement)) *record.Run {
	m := record.Metric{Name: metric, Kind: metric, Unit: "s", Better: record.Lower}
	run := session{arms: []string{"base", "head"}, blocks: 8, noise: 0.01, seed: 5, metric: m}.run()
	for i := range run.Trials {
		t := &run.Trials[i]
		x := &t.Measurements[0]
		x.Values = x.Values[:1]
		order, of := 0.8*x.Values[0], 0.9*x.Values[0]
		x.Quantile = &record.Quantile{Estimator: record.HarrellDavis, Requests: 12, Order: &order, Succeeded: &of}
		change(t, x)
	}
	return run
}

// Where one trial has no Harrell-Davis quantile, all trials of both sides are
// compared by the order statistic: estimators differ by more than builds do.
func TestBothSidesHaveOneEstimator(t *testing.T) {
	fallback := func(t *record.Trial, m *record.Measurement) {
		if t.Arm == "head" && t.Block < 4 {
			m.Values = []float64{*m.Quantile.Order}
			m.Quantile.Estimator, m.Quantile.Failed = record.OrderStatistic, 3
		}
	}
	c := Run(latenciesOf("ttft_p95", fallback), DefaultPolicy()).Comparisons[0]
	checkVerdict(t, c, Equivalent, "")
	for _, s := range []Side{c.Baseline, c.Candidate} {
		for _, p := range s.Trials {
			if p.Value != *p.quantile.Order {
				t.Errorf("%s: %s has %v, want the order statistic %v", s.Arm, p.Trial, p.Value, *p.quantile.Order)
			}
		}
		if s.Estimator != record.OrderStatistic || s.Requests != 96 || !(s.OfSucceeded > 0.85*1000 && s.OfSucceeded < 0.95*1000) {
			t.Errorf("side %+v", s)
		}
	}
	if c.Baseline.FailedRequests != 0 || c.Candidate.FailedRequests != 12 {
		t.Errorf("failed requests %d and %d", c.Baseline.FailedRequests, c.Candidate.FailedRequests)
	}

	// Without failures there is nothing to tell of, and the usual estimator.
	c = Run(latenciesOf("ttft_p95", func(*record.Trial, *record.Measurement) {}), DefaultPolicy()).Comparisons[0]
	if s := c.Candidate; s.Estimator != "" || s.Requests != 0 || s.OfSucceeded != 0 || s.Trials[0].Value == *s.Trials[0].quantile.Order {
		t.Errorf("without failures %+v", s)
	}

	// An older record has no order statistic to take.
	c = Run(latenciesOf("ttft_p95", func(r *record.Trial, m *record.Measurement) {
		if fallback(r, m); r.Arm == "base" {
			m.Quantile = nil
		}
	}), DefaultPolicy()).Comparisons[0]
	checkVerdict(t, c, Inconclusive, Censored)
	if c.Candidate.Censored != 4 {
		t.Errorf("%d censored, want 4", c.Candidate.Censored)
	}
}

// What does not exist on one side is not told from it, and on both not asked.
func TestMetricsThatDoNotExist(t *testing.T) {
	without := func(arms ...string) *Result {
		run := latenciesOf(record.TPOTp50, func(*record.Trial, *record.Measurement) {})
		for i := range run.Trials {
			if slices.Contains(arms, run.Trials[i].Arm) {
				run.Trials[i].Measurements = nil
			}
		}
		return Run(run, DefaultPolicy())
	}
	r := without("head")
	checkVerdict(t, r.Comparisons[0], Inconclusive, Undefined)
	if r.Outcome() != Passed || r.Comparisons[0].Candidate.Undefined != 8 {
		t.Errorf("%s, %+v", r.Outcome(), r.Comparisons[0].Candidate)
	}
	r.Policy.FailOn = OnInconclusive
	if r.Outcome() != Undecided {
		t.Errorf("a metric lost on one side: %s", r.Outcome())
	}
	if r := without("base", "head"); len(r.Comparisons) != 0 {
		t.Errorf("%+v", r.Comparisons)
	}
}

// A trial in which no request succeeded is no pass. It counts in the success
// rate, whether its record calls it failed or, as older versions did, ok; and so
// does one whose server broke down under the load.
func TestDeadServersAreNoPass(t *testing.T) {
	all := slices.Repeat([]int{12}, 6)
	for _, outcome := range []record.Outcome{record.OK, record.Failed} {
		run := rates(12, all, []int{12, 0, 12, 0, 12, 12})
		for i := range run.Trials {
			if r := &run.Trials[i]; r.Measurements[0].Count.Succeeded == 0 && outcome == record.Failed {
				r.Outcome, r.Failure = outcome, &record.Failure{Class: record.NoneSucceeded, Message: "none of 12 requests succeeded: 12 http_5xx"}
			}
		}
		r := Run(run, DefaultPolicy())
		if got := r.Outcome(); got != MeasurementFailed && got != Regressed {
			t.Errorf("%s: outcome %s of a server that is dead in a third of its starts", outcome, got)
		}
		c := r.Comparisons[0]
		if len(c.Candidate.Trials) != 6 || c.Candidate.Failed != 0 || c.Candidate.Estimate > 0.67 {
			t.Errorf("%s: the rate is %v of %d trials, want 2/3 of 6", outcome, c.Candidate.Estimate, len(c.Candidate.Trials))
		}
		if len(r.Failures) != 2 || r.Failures[0].Cause.Class != record.NoneSucceeded {
			t.Errorf("%s: failures %+v", outcome, r.Failures)
		}
		if len(r.Reliability) != 1 || r.Reliability[0].Failed != 2 {
			t.Errorf("%s: reliability %+v", outcome, r.Reliability)
		}
	}
	run := rates(12, all, []int{0, 5, 3, 0, 0, 0})
	for i := range run.Trials {
		if r := &run.Trials[i]; r.Arm == "head" {
			r.Outcome, r.Failure = record.Failed, &record.Failure{Class: record.Crashed, Message: "after 5 of 12 requests: a segmentation fault"}
		}
	}
	r := Run(run, DefaultPolicy())
	checkVerdict(t, r.Comparisons[0], Regression, "")
}
