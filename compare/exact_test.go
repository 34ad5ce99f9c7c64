package compare_test

import (
	"fmt"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

var instructions = record.Test{Prompt: 64}.InstructionsMetric()

// counted is a session of a cell of counts, and of one of times where those are given,
// by arm and block. An arm that is no candidate is a control.
func counted(arms map[string][]float64, times map[string][]float64) *record.Run {
	run := emptySession(2, instructions)
	run.ID = fmt.Sprint(arms)
	run.Arms = append(run.Arms, record.Arm{Name: "base~control", ControlOf: "base"})
	run.Cells[0].Workload = record.CountWorkload
	run.Cells[0].Key = record.CellKey(record.CountWorkload, run.Cells[0].Model, run.Cells[0].Params)
	run.Cells[1].Metrics = []record.Metric{throughput}
	for _, arm := range run.Arms {
		for b, v := range arms[arm.Name] {
			addTrial(run, arm.Name, run.Cells[0], b, record.Measurement{Metric: instructions.Name, Values: []float64{v}})
			run.Trials[len(run.Trials)-1].Counting = &record.Counting{Tool: record.Valgrind, CPU: "A", CLibrary: "glibc 2.36"}
		}
		for b, v := range times[arm.Name] {
			addTrial(run, arm.Name, run.Cells[1], b, record.Measurement{Metric: throughput.Name, Values: []float64{v}})
		}
	}
	return run
}

func ofCount(t *testing.T, res *compare.Result) compare.Comparison {
	t.Helper()
	for _, c := range res.Comparisons {
		if c.Metric == instructions {
			return c
		}
	}
	t.Fatal("no count was compared")
	return compare.Comparison{}
}

func verdictOf(c compare.Comparison) string {
	if c.Reason != nil {
		return string(c.Reason.Code)
	}
	return c.Verdict.String()
}

// Two trials an arm decide a metric that repeats, and nothing is called of one that does not.
func TestExactVerdicts(t *testing.T) {
	for _, c := range []struct {
		base, head []float64
		want       string
	}{
		{[]float64{3202282, 3202281}, []float64{3202280, 3202285}, "equivalent"},
		{[]float64{3202282, 3202281}, []float64{3225000, 3225001}, "regression"},  // 0.71 % more
		{[]float64{3225000, 3225001}, []float64{3202282, 3202281}, "improvement"}, // the same the other way
		{[]float64{1000000, 1000000}, []float64{1000000, 1000000}, "equivalent"},  // nothing varies
		{[]float64{1000000, 1000000}, []float64{1005000, 1005000}, "suspected"},   // the margin, where nothing can be told for sure
		{[]float64{1000000}, []float64{1100000}, "too_few_trials"},
		{[]float64{1000000, 1002000}, []float64{1100000, 1100000}, "not_deterministic"},
		{[]float64{1000000, 1000000}, []float64{1100000, 1102000, 1100000}, "not_deterministic"},
		{[]float64{1000000, 1000000}, nil, "not_measured"},
	} {
		run := counted(map[string][]float64{"base": c.base, "head": c.head}, nil)
		if c.head == nil {
			run.Trials = append(run.Trials, record.Trial{ID: "failed", Arm: "head", Cell: run.Cells[0].Key, Outcome: record.Failed, Failure: &record.Failure{Class: record.Crashed}})
		}
		one := ofCount(t, compare.Run(run, defaults))
		if have := verdictOf(one); have != c.want {
			t.Errorf("%v, then %v: %s, want %s (%+v)", c.base, c.head, have, c.want, one.Interval)
		}
		if c.want == "too_few_trials" && one.Reason.Need != 2 {
			t.Errorf("asks for %d trials", one.Reason.Need)
		}
	}
}

// A busy machine disturbs times, and no counts.
func TestExactIsNotDisturbed(t *testing.T) {
	run := counted(map[string][]float64{"base": {1e6, 1e6}, "head": {1.1e6, 1.1e6}}, nil)
	for i := range run.Trials {
		run.Trials[i].Disturbed = []string{"others kept 90 % of the processors busy"}
	}
	if c := ofCount(t, compare.Run(run, defaults)); c.Verdict != compare.Regression || c.Disturbance != nil {
		t.Errorf("%s, %+v", verdictOf(c), c.Disturbance)
	}
}

// What makes two timings of one build differ makes no counts differ, and the other way.
func TestExactAndControls(t *testing.T) {
	slow, fast := []float64{90, 91, 90, 91}, []float64{100, 101, 100, 101}
	same, more := []float64{1e6, 1e6}, []float64{1.02e6, 1.02e6}
	run := counted(map[string][]float64{"base": same, "head": more}, map[string][]float64{"base": fast, "base~control": slow, "head": fast})
	if res := compare.Run(run, defaults); !res.ControlFired || ofCount(t, res).Verdict != compare.Regression {
		t.Errorf("after a control of times: %s", verdictOf(ofCount(t, res)))
	}
	run = counted(map[string][]float64{"base": same, "base~control": more, "head": more}, map[string][]float64{"base": fast, "head": slow})
	res := compare.Run(run, defaults)
	if c := ofCount(t, res); verdictOf(c) != "control_fired" {
		t.Errorf("after a control of counts: %s", verdictOf(c))
	}
	for _, c := range res.Comparisons {
		if c.Metric == throughput && c.Verdict != compare.Regression {
			t.Errorf("a control of counts took back a verdict of times: %s", verdictOf(c))
		}
	}
}

// Counts need no second stage and no interim analysis: they are convicted of their own trials.
func TestExactInStages(t *testing.T) {
	times := map[string][]float64{"base": {100, 101, 100, 101, 100, 101}, "head": {100, 101, 100, 101, 101, 100}}
	for _, plan := range []record.Plan{{Screen: 3}, {Interims: []int{4, 8}}, {Screen: 2, Interims: []int{4, 8}}} {
		run := counted(map[string][]float64{"base": {1e6, 1e6}, "head": {1.02e6, 1.02e6}}, times)
		run.Plan = plan
		if c := ofCount(t, compare.Run(run, defaults)); c.Verdict != compare.Regression || c.Interim != nil {
			t.Errorf("%+v: %s", plan, verdictOf(c))
		}
	}
}

// Counts of two sessions are compared, if tool, processor and C library are the same.
func TestExactBetweenSessions(t *testing.T) {
	past := counted(map[string][]float64{"base": {1e6, 1e6}}, nil)
	for _, c := range []struct {
		head []float64
		with func(*record.Counting)
		want string
	}{
		{[]float64{1.02e6, 1.02e6}, nil, "regression"},
		{[]float64{1.0002e6, 1.0002e6}, nil, "equivalent"},
		{[]float64{1.02e6, 1.02e6}, func(c *record.Counting) { c.CLibrary = "glibc 2.41" }, "environment_mismatch"},
		{[]float64{1.02e6, 1.02e6}, func(c *record.Counting) { c.Tool = record.Perf }, "environment_mismatch"},
		{[]float64{1.02e6, 1.02e6}, func(c *record.Counting) { c.Version = "valgrind-3.24.0" }, "regression"}, // which the other did not tell
	} {
		head := counted(map[string][]float64{"base": c.head}, nil)
		for i := range head.Trials {
			if c.with != nil {
				c.with(head.Trials[i].Counting)
			}
		}
		res := compare.Between(compare.Selection{Run: past, Arm: "base"}, compare.Selection{Run: head, Arm: "base"}, defaults)
		if have := verdictOf(ofCount(t, res)); have != c.want {
			t.Errorf("%v: %s, want %s", c.head, have, c.want)
		}
	}
}

// Arms of one run that were counted by different tools are not compared either.
func TestExactOfTwoTools(t *testing.T) {
	run := counted(map[string][]float64{"base": {1e6, 1e6}, "head": {1.02e6, 1.02e6}}, nil)
	run.Trials[len(run.Trials)-1].Counting.Tool = record.Perf
	for _, run.Plan.Screen = range []int{0, 2} {
		if have := verdictOf(ofCount(t, compare.Run(run, defaults))); have != "environment_mismatch" {
			t.Errorf("screen of %d: %s", run.Plan.Screen, have)
		}
	}
}

// Stored sessions that agree to the last digit do not make every change a suspicion.
func TestExactHistory(t *testing.T) {
	var past []compare.Selection
	for i := range 8 {
		run := counted(map[string][]float64{"base": {1e6, 1e6}}, nil)
		run.ID = fmt.Sprint(i)
		past = append(past, compare.Selection{Run: run, Arm: "base"})
	}
	for v, want := range map[float64]string{1.0002e6: "equivalent", 1.02e6: "nominated", 1.00499e6: "too_noisy"} {
		head := counted(map[string][]float64{"base": {v, v}}, nil)
		if have := verdictOf(ofCount(t, compare.History(past, compare.Selection{Run: head, Arm: "base"}, defaults))); have != want {
			t.Errorf("%v: %s, want %s", v, have, want)
		}
	}
}
