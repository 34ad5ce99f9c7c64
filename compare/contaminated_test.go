package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// spoil marks trials as contaminated and slows them down.
func spoil(run *record.Run, which func(t record.Trial) bool, by func() float64) *record.Run {
	for i := range run.Trials {
		t := &run.Trials[i]
		if which(*t) {
			t.Contaminated = []string{"others made noise"}
			multiply(t.Measurements[0].Values, by())
		}
	}
	return run
}

func hasWarning(c Comparison, code WarningCode) (n float64, ok bool) {
	i := slices.IndexFunc(c.Warnings, func(w Warning) bool { return w.Code == code })
	if i < 0 {
		return 0, false
	}
	return c.Warnings[i].Number, true
}

func TestContaminated(t *testing.T) {
	half := func() float64 { return 0.5 }
	for name, tt := range map[string]struct {
		which   func(t record.Trial) bool
		blocks  int // that count
		warning WarningCode
		number  float64
		reason  ReasonCode
	}{
		"none":            {func(record.Trial) bool { return false }, 8, "", 0, ""},
		"two blocks":      {func(t record.Trial) bool { return t.Block == 1 && t.Arm == "base" || t.Block == 6 }, 6, ContaminatedLeftOut, 3, ""},
		"half":            {func(t record.Trial) bool { return t.Block%2 == 0 && t.Arm == "head" }, 4, ContaminatedLeftOut, 4, ""},
		"more than half":  {func(t record.Trial) bool { return t.Block < 5 && t.Arm == "head" }, 8, ContaminatedKept, 5, Contaminated},
		"one arm in all":  {func(t record.Trial) bool { return t.Arm == "head" }, 8, ContaminatedKept, 8, Contaminated},
		"each block once": {func(t record.Trial) bool { return (t.Block%2 == 0) == (t.Arm == "head") }, 8, ContaminatedKept, 8, Contaminated},
	} {
		run := spoil(session{arms: []string{"base", "head"}, blocks: 8, noise: 0.002, seed: 3}.run(), tt.which, half)
		c := Run(run, DefaultPolicy()).Comparisons[0]
		if c.Blocks != tt.blocks {
			t.Errorf("%s: %d blocks, want %d", name, c.Blocks, tt.blocks)
		}
		if n, ok := hasWarning(c, tt.warning); tt.warning != "" && (!ok || n != tt.number) || tt.warning == "" && len(c.Warnings) > 0 {
			t.Errorf("%s: warnings %v", name, c.Warnings)
		}
		if tt.reason == "" && c.Verdict != Equivalent {
			t.Errorf("%s: %v, %+v", name, c.Verdict, c.Reason)
		}
		if tt.reason != "" && (c.Verdict != Inconclusive || c.Reason.Code != tt.reason) {
			t.Errorf("%s: %v, %+v", name, c.Verdict, c.Reason)
		}
		if got := c.Baseline.Contaminated + c.Contender.Contaminated; float64(got) != tt.number {
			t.Errorf("%s: %d contaminated, want %v", name, got, tt.number)
		}
	}
}

// A stored session's mean leaves contaminated trials out in the same way.
func TestContaminatedHistory(t *testing.T) {
	past, head := nights(12, 1, 0.004, 0, 5)
	clean := History(past, head, DefaultPolicy()).Comparisons[0]
	half := func() float64 { return 0.5 }
	spoil(past[3].Run, func(t record.Trial) bool { return t.Block < 2 }, half)
	spoil(head.Run, func(t record.Trial) bool { return t.Block == 0 }, half)
	c := History(past, head, DefaultPolicy()).Comparisons[0]
	if c.Verdict != Equivalent || math.Abs(*c.Change-*clean.Change) > 0.01 {
		t.Errorf("%v, %+v, %v instead of %v", c.Verdict, c.Reason, *c.Change, *clean.Change)
	}
	if n, ok := hasWarning(c, ContaminatedLeftOut); !ok || n != 3 {
		t.Errorf("warnings %v", c.Warnings)
	}
}

func TestLopsided(t *testing.T) {
	sides := func(base, head string) (b, h Side) { // x: contaminated, one a block
		for i := range base {
			b.Trials = append(b.Trials, Point{Block: i, Contaminated: base[i] == 'x'})
			h.Trials = append(h.Trials, Point{Block: i, Contaminated: head[i] == 'x'})
		}
		return b, h
	}
	for _, tt := range []struct {
		base, head string
		want       bool
	}{
		{"......", "......", false}, {"xxxxxx", "xxxxxx", false}, {"x.x.x.", ".x.x.x", false},
		{"...", "xxx", false},                                       // 2/2^3 = 0.25
		{"....", "xxxx", true},                                      // 2/2^4 = 0.125
		{"xxxx..", "......", true}, {"xx......", "..xxxxxx", false}, // 2·37/2^8 = 0.289
		{"x.......", ".xxxxxxx", true}, {"x........", ".xxxxxxxx", true}, // 2·9/2^8 = 0.0703, 2·10/2^9 = 0.0391
	} {
		if got := lopsided(sides(tt.base, tt.head)); got != tt.want {
			t.Errorf("%s %s: %v", tt.base, tt.head, got)
		}
	}
}

// What is proven in spite of the noise stays proven: a machine that is always
// busy must not keep a gate from failing.
func TestContaminatedRegression(t *testing.T) {
	run := session{arms: []string{"base", "head"}, blocks: 8, noise: 0.005, change: map[string]float64{"head": -0.2}, seed: 4}.run()
	spoil(run, func(record.Trial) bool { return true }, func() float64 { return 0.9 })
	c := Run(run, DefaultPolicy()).Comparisons[0]
	if _, kept := hasWarning(c, ContaminatedKept); c.Verdict != Regression || !kept {
		t.Errorf("%v, %+v, %v", c.Verdict, c.Reason, c.Warnings)
	}
}

// A repetition counts in the place of what it repeats, unless it failed.
func TestRepeated(t *testing.T) {
	run := spoil(session{arms: []string{"base", "head"}, blocks: 6, noise: 0.002, seed: 5}.run(), func(t record.Trial) bool { return t.ID == "t3" || t.ID == "t5" }, func() float64 { return 0.5 })
	for _, i := range []int{3, 5} {
		again := run.Trials[i]
		again.ID, again.Repeats, again.Contaminated = again.ID+".again1", again.ID, nil
		again.Measurements = []record.Measurement{{Metric: "pp512", Values: []float64{1000}}}
		if i == 5 {
			again.Outcome, again.Failure, again.Measurements = record.Failed, &record.Failure{Class: record.Crashed}, nil
		}
		run.Trials = append(run.Trials, again)
	}
	c := Run(run, DefaultPolicy()).Comparisons[0]
	var ids []string
	for _, p := range slices.Concat(c.Baseline.Trials, c.Contender.Trials) {
		ids = append(ids, p.Trial)
	}
	slices.Sort(ids)
	// t5 is spoilt and its repetition failed: it is left out, and counted as contaminated.
	if got := fmt.Sprint(ids); got != "[t0 t1 t10 t11 t2 t3.again1 t4 t6 t7 t8 t9]" {
		t.Errorf("used %s", got)
	}
	if c.Blocks != 5 || c.Contender.Contaminated != 1 || c.Contender.Failed != 1 || c.Verdict != Equivalent {
		t.Errorf("%d blocks, %+v, %v", c.Blocks, c.Contender, c.Verdict)
	}
}

// Leaving trials out by their conditions keeps the error rate where a change
// lies exactly at the margin, also when one arm meets the disturbances far more
// often; blindly keeping them does not.
func TestContaminationKeepsTheErrorRate(t *testing.T) {
	runs := effort.Draws(3000, 600)
	policy := DefaultPolicy()
	margin, _ := policy.Margin(record.Test{Prompt: 512}.Metric())
	for name, share := range map[string]map[string]float64{
		"both arms alike":      {"base": 0.15, "head": 0.15},
		"mostly the contender": {"base": 0.05, "head": 0.30},
		"a busy machine":       {"base": 0.80, "head": 0.80},
		"busiest with one arm": {"base": 0.60, "head": 0.90},
	} {
		alarms, blind := 0, 0
		for i := range runs {
			s := session{arms: []string{"base", "head"}, blocks: 16, noise: 0.02, common: 0.05, change: map[string]float64{"head": -margin.Value}, seed: uint64(i + 1)}
			rng := rand.New(rand.NewPCG(uint64(i), 7))
			run := spoil(s.run(), func(t record.Trial) bool { return rng.Float64() < share[t.Arm] }, func() float64 { return 1 - 0.1*math.Abs(rng.NormFloat64()) })
			if Run(run, policy).Comparisons[0].Verdict == Regression {
				alarms++
			}
			for j := range run.Trials {
				run.Trials[j].Contaminated = nil
			}
			if Run(run, policy).Comparisons[0].Verdict == Regression {
				blind++
			}
		}
		rate := float64(alarms) / float64(runs)
		t.Logf("%s: %.4f of %d runs are called a regression, %.4f if conditions are ignored", name, rate, runs, float64(blind)/float64(runs))
		if limit := policy.Alpha + 3*math.Sqrt(policy.Alpha*(1-policy.Alpha)/float64(runs)); rate > limit {
			t.Errorf("%s: %.4f of runs are called a regression, at most %.4f allowed", name, rate, limit)
		}
	}
}
