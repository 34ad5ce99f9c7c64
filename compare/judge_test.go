package compare

import (
	"math"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

var successRate = record.Metric{Name: "success_rate", Kind: "success_rate", Unit: "1", Better: record.Higher}

// rates is a session of serve trials with these successes out of total.
func rates(total int, base, head []int) *record.Run {
	s := session{arms: []string{"base", "head"}, blocks: len(base), metric: successRate}
	run := s.run()
	for i := range run.Trials {
		t := &run.Trials[i]
		k := base[t.Block]
		if t.Arm == "head" {
			k = head[t.Block]
		}
		m := &t.Measurements[0]
		m.Values, m.Count = []float64{float64(k) / float64(total)}, &record.Count{Succeeded: k, Total: total}
	}
	return run
}

func TestSuccessRates(t *testing.T) {
	all := slices.Repeat([]int{50}, 10)
	tests := []struct {
		name       string
		total      int // requests a trial
		base, head []int
		verdict    Verdict
		reason     ReasonCode
	}{
		{"500 of 500 on both sides", 50, all, all, Inconclusive, NoFailure},
		{"a fifth fails", 50, all, slices.Repeat([]int{40}, 10), Regression, ""},
		{"one trial of ten lost half of its requests", 50, all, append(slices.Repeat([]int{50}, 9), 25), Inconclusive, TooNoisy},
		{"three trials a side", 50, all[:3], all[:3], Inconclusive, TooFewTrials},
		{"100 requests without a failure prove no 2 points", 25, slices.Repeat([]int{25}, 4), slices.Repeat([]int{25}, 4), Inconclusive, NoFailure},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Run(rates(tt.total, tt.base, tt.head), DefaultPolicy()).Comparisons[0]
			if c.Method != Paired || c.Estimator != PooledRates {
				t.Errorf("method %s, estimator %s", c.Method, c.Estimator)
			}
			checkVerdict(t, c, tt.verdict, tt.reason)
		})
	}
}

// A latency that falls among failed requests is no number to average: without
// it the trials that went well would speak for all.
func TestCensoredTrials(t *testing.T) {
	latency := record.Metric{Name: "ttft_p95", Kind: "ttft_p95", Unit: "s", Better: record.Lower}
	censor := func(metric record.Metric, which func(record.Trial) bool) Comparison {
		s := session{arms: []string{"base", "head"}, blocks: 8, noise: 0.01, seed: 5, metric: metric, change: map[string]float64{"head": -0.5}}
		run := s.run()
		for i, trial := range run.Trials {
			if which(trial) {
				m := &run.Trials[i].Measurements[0]
				m.Values, m.Censored = []float64{60}, true
			}
		}
		return Run(run, DefaultPolicy()).Comparisons[0]
	}
	checkVerdict(t, censor(latency, func(record.Trial) bool { return false }), Improvement, "")
	one := censor(latency, func(r record.Trial) bool { return r.Arm == "head" && r.Block == 3 })
	checkVerdict(t, one, Inconclusive, Censored)
	if one.Candidate.Censored != 1 || len(one.Candidate.Trials) != 7 || one.Candidate.Failed != 0 {
		t.Errorf("candidate %+v", one.Candidate)
	}
	checkVerdict(t, censor(latency, func(r record.Trial) bool { return r.Arm == "head" }), Inconclusive, Censored)
	checkVerdict(t, censor(latency, func(record.Trial) bool { return true }), Inconclusive, NotMeasured)
	latency.Name, latency.Kind = "e2e_p95", "e2e_p95"
	checkVerdict(t, censor(latency, func(record.Trial) bool { return true }), Inconclusive, NoMargin)
}

// A server that drops the long prompts is fast with the rest. That is no
// improvement, and the baseline is not slower for having answered them all.
func TestSurvivorsProveNothing(t *testing.T) {
	tests := []struct {
		name    string
		head    int     // requests of 50 that the candidate answered
		change  float64 // of its throughput
		verdict Verdict
		reason  ReasonCode
	}{
		{"faster, with all answered", 50, 0.3, Improvement, ""},
		{"faster, with a fifth dropped", 40, 0.3, Inconclusive, Survivors},
		{"the same, with a fifth dropped", 40, 0, Inconclusive, Survivors},
		{"slower, though a fifth was dropped", 40, -0.3, Regression, ""},
	}
	for _, tt := range tests {
		for _, swap := range []bool{false, true} {
			run := rates(50, slices.Repeat([]int{50}, 10), slices.Repeat([]int{tt.head}, 10))
			run.Cells[0].Metrics = append(run.Cells[0].Metrics, record.Metric{Name: record.OutputTPS, Kind: record.Throughput, Unit: "tok/s", Better: record.Higher})
			for i := range run.Trials {
				trial := &run.Trials[i]
				speed := 100 + 0.1*float64(trial.Block%3)
				if trial.Arm == "head" {
					speed *= 1 + tt.change
				}
				trial.Measurements = append(trial.Measurements, record.Measurement{Metric: record.OutputTPS, Values: []float64{speed}})
			}
			want := tt.verdict
			if swap {
				run.Baseline = "head"
				want = map[Verdict]Verdict{Improvement: Regression, Regression: Improvement}[want]
			}
			t.Run(tt.name, func(t *testing.T) { checkVerdict(t, Run(run, DefaultPolicy()).Comparisons[1], want, tt.reason) })
		}
	}
}

func TestWarnings(t *testing.T) {
	s := session{arms: []string{"base", "head"}, blocks: 12, noise: 0.002, seed: 2}
	codes := func(run *record.Run) (got []WarningCode) {
		for _, w := range Run(run, DefaultPolicy()).Comparisons[0].Warnings {
			got = append(got, w.Code)
		}
		return got
	}
	if got := codes(s.run()); len(got) > 0 {
		t.Errorf("a quiet session warns of %v", got)
	}

	drifting := s.run()
	for _, trial := range drifting.Trials {
		multiply(trial.Measurements[0].Values, math.Exp(-0.01*float64(trial.Block)))
	}
	if got := codes(drifting); !slices.Contains(got, Drift) {
		t.Errorf("1 %% a block slower: %v", got)
	}
	if v := Run(drifting, DefaultPolicy()).Comparisons[0].Verdict; v != Equivalent {
		t.Errorf("both arms drift alike: %v", v)
	}

	wild := s.run()
	multiply(wild.Trials[7].Measurements[0].Values, 1.4)
	if got := codes(wild); !slices.Contains(got, Outlier) {
		t.Errorf("one trial 40 %% off: %v", got)
	}

	failing := s.run()
	failing.Trials[4].Outcome, failing.Trials[4].Failure, failing.Trials[4].Measurements = record.Failed, &record.Failure{}, nil
	failing.Trials[5].Warnings = []string{"warning: debug build, performance may be affected"}
	if got := codes(failing); !slices.Equal(got, []WarningCode{FailedTrials, ProgramWarning}) {
		t.Errorf("a failed trial and a debug build: %v", got)
	}

	waves := s.run()
	for _, trial := range waves.Trials {
		if trial.Arm == "head" && trial.Block >= 6 {
			multiply(trial.Measurements[0].Values, 1.01)
		}
	}
	if got := codes(waves); !slices.Contains(got, Autocorrelated) {
		t.Errorf("the second half is off by 1 %%: %v", got)
	}
}

func TestGroups(t *testing.T) {
	s := session{arms: []string{"base", "head"}, blocks: 8, noise: 0.005, cells: 4, seed: 6, change: map[string]float64{"head": -0.10}}
	res := Run(s.run(), DefaultPolicy())
	if len(res.Groups) != 1 || len(res.Groups[0].Cells) != 4 || math.Abs(res.Groups[0].Change+0.10) > 0.01 {
		t.Errorf("four cells lost a tenth: %+v", res.Groups)
	}
	s.cells = 2
	if res := Run(s.run(), DefaultPolicy()); len(res.Groups) != 0 {
		t.Errorf("two cells are no group: %+v", res.Groups)
	}
}

// Everything on the other side is slower by the same: more likely the machine
// than the build, unless the arms took turns.
func TestSuspects(t *testing.T) {
	s := session{arms: []string{"base", "head"}, blocks: 8, noise: 0.005, cells: 6, seed: 8, change: map[string]float64{"head": -0.05}}
	if res := Run(s.run(), DefaultPolicy()); len(res.Suspects) != 0 {
		t.Errorf("interleaved arms share their environment: %v", res.Suspects)
	}
	base, head := s.raw("base"), s.raw("head")
	for _, run := range []*record.Run{base, head} {
		for i := range 3 { // half of the cells belong to another model
			run.Cells[i].Model = "small"
		}
	}
	res := Between(Selection{base, "base"}, Selection{head, "head"}, DefaultPolicy())
	if !slices.Equal(res.Suspects, []string{"head"}) {
		t.Errorf("two models lost 5 %% alike, one after the other: %v", res.Suspects)
	}
}

func TestOutcome(t *testing.T) {
	regression, open := Comparison{Verdict: Regression}, Comparison{Reason: &Reason{Code: TooNoisy}}
	lost := Comparison{Reason: &Reason{Code: NotMeasured}}
	same, better := Comparison{Verdict: Equivalent}, Comparison{Verdict: Improvement}
	strict := Policy{FailOn: OnInconclusive}
	tests := []struct {
		name string
		res  Result
		want Outcome
	}{
		{"nothing", Result{}, NothingCompared},
		{"the same", Result{Comparisons: []Comparison{same, better}}, Passed},
		{"open", Result{Comparisons: []Comparison{same, open}}, Passed},
		{"open and strict", Result{Comparisons: []Comparison{same, open}, Policy: strict}, Undecided},
		{"no margin and strict", Result{Comparisons: []Comparison{same, {Reason: &Reason{Code: NoMargin}}}, Policy: strict}, Passed},
		{"not measured", Result{Comparisons: []Comparison{same, open, lost}, Policy: strict}, MeasurementFailed},
		{"a trial failed", Result{Comparisons: []Comparison{same}, Failures: []Failure{{}}}, MeasurementFailed},
		{"only failures", Result{Failures: []Failure{{}}}, MeasurementFailed},
		{"a regression among failures", Result{Comparisons: []Comparison{lost, regression}, Failures: []Failure{{}}, Policy: strict}, Regressed},
	}
	for _, tt := range tests {
		if got := tt.res.Outcome(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A candidate that crashes in half of its trials is a finding although the
// other half measures nothing wrong.
func TestReliability(t *testing.T) {
	s := session{arms: []string{"base", "head"}, blocks: 12, noise: 0.005, seed: 6}
	run := s.run()
	fail := func(arm string, blocks int) {
		for i := range run.Trials {
			if trial := &run.Trials[i]; trial.Arm == arm && trial.Block < blocks {
				trial.Outcome, trial.Failure, trial.Measurements = record.Failed, &record.Failure{Class: record.Crashed}, nil
			}
		}
	}
	fail("base", 1)
	if got := Run(run, DefaultPolicy()).Reliability; len(got) != 0 {
		t.Errorf("only the baseline failed: %+v", got)
	}
	fail("head", 6)
	got := Run(run, DefaultPolicy()).Reliability
	if len(got) != 1 || got[0].Failed != 6 || got[0].BaselineFailed != 1 || got[0].Trials != 12 {
		t.Fatalf("6 of 12 against 1 of 12: %+v", got)
	}
	// SciPy 1.17.1: boschloo_exact([[6, 11], [6, 1]], alternative="less", n=20000).pvalue
	if want := 0.0144238; math.Abs(got[0].P-want) > 1e-4 {
		t.Errorf("p %v, want %v", got[0].P, want)
	}
}

// What a policy fails, and that a row fails by itself exactly where the whole does.
func TestFailOn(t *testing.T) {
	throughput := record.Test{Prompt: 512}.Metric()
	inconclusive := func(code ReasonCode) Comparison {
		return Comparison{Metric: throughput, Verdict: Inconclusive, Reason: &Reason{Code: code}}
	}
	for code, fails := range map[ReasonCode][]FailOn{
		Suspected:          {OnSuspected, OnInconclusive},
		SuspectedByHistory: {OnSuspected, OnInconclusive},
		TooNoisy:           {OnInconclusive},
		Lost:               {OnInconclusive},
		NoMargin:           {},
		NoFailure:          {},
	} {
		for _, on := range append(FailsOn, "") {
			p := DefaultPolicy()
			p.FailOn = on
			c := inconclusive(code)
			want := slices.Contains(fails, on)
			if got := p.Undecided(c); got != want {
				t.Errorf("%s fails on %q: %v, want %v", code, on, got, want)
			}
			res := Result{Policy: p, Comparisons: []Comparison{{Verdict: Equivalent}, c}}
			if got := res.Outcome() == Undecided; got != want {
				t.Errorf("a run with %s fails on %q: %v, want %v", code, on, got, want)
			}
		}
	}
}
