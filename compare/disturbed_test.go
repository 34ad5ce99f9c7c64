package compare

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// watched are the samples of a load of so many seconds, read each quarter of
// one, in which a series had the same value all the time.
func watched(seconds float64, series string, value float64) *record.Samples {
	values := make([]float64, int(4*seconds))
	for i := range values {
		values[i] = value
	}
	return &record.Samples{Every: 0.25, At: 0.25, Series: map[string][]float64{series: values}}
}

// spoil has other programs use a core during some trials, and slows them down;
// none during the others.
func spoil(run *record.Run, which func(t record.Trial) bool, by func() float64) *record.Run {
	for i := range run.Trials {
		t := &run.Trials[i]
		t.Samples = watched(2, "cpu_other", 0)
		if which(*t) {
			t.Samples = watched(2, "cpu_other", 1)
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

func TestDisturbed(t *testing.T) {
	half := func() float64 { return 0.5 }
	for name, tt := range map[string]struct {
		which   func(t record.Trial) bool
		blocks  int // that count
		warning WarningCode
		number  float64
		reason  ReasonCode
	}{
		"none":            {func(record.Trial) bool { return false }, 8, "", 0, ""},
		"two blocks":      {func(t record.Trial) bool { return t.Block == 1 || t.Block == 6 }, 6, DisturbedExcluded, 4, ""},
		"half":            {func(t record.Trial) bool { return t.Block%2 == 0 }, 4, DisturbedExcluded, 8, ""},
		"more than half":  {func(t record.Trial) bool { return t.Block < 5 }, 8, DisturbedKept, 10, ""},
		"one arm in all":  {func(t record.Trial) bool { return t.Arm == "head" && t.Block < 0 }, 8, "", 0, ""},
		"each block once": {func(t record.Trial) bool { return (t.Block%2 == 0) == (t.Arm == "head") }, 8, "", 0, TooNoisy},
	} {
		run := spoil(session{arms: []string{"base", "head"}, blocks: 8, noise: 0.002, seed: 3}.run(), tt.which, half)
		c := Run(run, DefaultPolicy()).Comparisons[0]
		if c.Replicates != tt.blocks {
			t.Errorf("%s: %d blocks, want %d", name, c.Replicates, tt.blocks)
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
		if got := c.Baseline.Disturbed + c.Candidate.Disturbed; float64(got) != tt.number {
			t.Errorf("%s: %d disturbed, want %v", name, got, tt.number)
		}
	}
}

// A stored session's mean leaves disturbed trials out in the same way.
func TestDisturbedHistory(t *testing.T) {
	past, head := nights(12, 1, 0.004, 0, 5)
	clean := History(past, head, DefaultPolicy()).Comparisons[0]
	half := func() float64 { return 0.5 }
	spoil(past[3].Run, func(t record.Trial) bool { return t.Block < 2 }, half)
	spoil(head.Run, func(t record.Trial) bool { return t.Block == 0 }, half)
	c := History(past, head, DefaultPolicy()).Comparisons[0]
	if c.Verdict != Equivalent || math.Abs(*c.Change-*clean.Change) > 0.01 {
		t.Errorf("%v, %+v, %v instead of %v", c.Verdict, c.Reason, *c.Change, *clean.Change)
	}
	if n, ok := hasWarning(c, DisturbedExcluded); !ok || n != 3 {
		t.Errorf("warnings %v", c.Warnings)
	}
}

// A build is not let off by anything that it does itself: each of these losses
// was cancelled when trials were judged one by one, as the marks tell that a
// record of that time has.
func TestDisturbedByItself(t *testing.T) {
	for name, tt := range map[string]struct{ base, head *record.Samples }{
		"its trials last longer":             {watched(0.5, "cpu_other", 2), watched(2, "cpu_other", 2)},
		"they last longer, all are judged":   {watched(2, "cpu_other", 0.05), watched(20, "cpu_other", 0.15)},
		"it reads its model from disk":       {watched(2, "major_faults", 0), watched(2, "major_faults", 500)},
		"it makes the processor hot":         {watched(2, "throttle_count", 0), watched(20, "throttle_count", 1)},
		"it makes the machine swap":          {watched(2, "swap_in", 0), watched(20, "swap_in", 900)},
		"it asks for more than there is":     {watched(2, "steal", 0.005), watched(20, "steal", 0.2)},
		"its helper is not in its group":     {watched(2, "cpu_other", 0), watched(2, "cpu_other", 1)},
		"nothing is known of the baseline":   {nil, watched(2, "cpu_other", 2)},
		"the machine is busy and unmeasured": {nil, nil},
	} {
		for _, lost := range []float64{-0.9, -0.5} {
			run := session{arms: []string{"base", "head"}, blocks: 6, noise: 0.02, change: map[string]float64{"head": lost}, seed: 9}.run()
			for i := range run.Trials {
				trial := &run.Trials[i]
				trial.Samples = tt.base
				if trial.Arm == "head" {
					trial.Samples, trial.Disturbed = tt.head, []string{"others made noise"}
				}
			}
			res := Run(run, DefaultPolicy())
			if c := res.Comparisons[0]; c.Verdict != Regression || res.Outcome() != Regressed {
				t.Errorf("%s, %v: %v, %+v", name, lost, c.Verdict, c.Reason)
			}
			run.Trials[1].Disturbed = nil // nor is one arm left out for another's sake
			if c := Run(run, DefaultPolicy()).Comparisons[0]; c.Replicates != 6 {
				t.Errorf("%s: %d blocks", name, c.Replicates)
			}
		}
	}
}

// What the disturbance may explain is suspected and never passes, whatever the
// policy; what it cannot explain stays a regression.
func TestWhatDisturbanceExplains(t *testing.T) {
	for name, tt := range map[string]struct {
		noise, lost float64
		cores       float64 // that others used in every trial
		want        Verdict
		reason      ReasonCode
		outcome     Outcome
	}{
		"a loss like those of the noise":         {0.20, -0.09, 1.9, Inconclusive, Suspected, Undecided},
		"the same on a quiet machine":            {0.20, -0.09, 0, Regression, "", Regressed},
		"a multiple of the noise":                {0.10, -0.60, 1.9, Regression, "", Regressed},
		"a small loss, and a steady disturbance": {0.005, -0.06, 1.9, Regression, "", Regressed},
		"others took too little for it":          {0.12, -0.30, 0.12, Regression, "", Regressed},
		"a loss beyond what four spells hide":    {0.40, -0.20, 1.9, Regression, "", Regressed},
		"a gain like those of the noise":         {0.20, 0.19, 1.9, Inconclusive, Disturbed, Passed},
		"a gain of several times":                {0.10, 2, 1.9, Improvement, "", Passed},
		"no change":                              {0.005, 0, 1.9, Equivalent, "", Passed},
	} {
		run := session{arms: []string{"base", "head"}, blocks: 10, noise: tt.noise, change: map[string]float64{"head": tt.lost}, seed: 2}.run()
		for i := range run.Trials {
			run.Trials[i].Samples = watched(2, "cpu_other", tt.cores)
		}
		res := Run(run, DefaultPolicy())
		c := res.Comparisons[0]
		var code ReasonCode
		if c.Reason != nil {
			code = c.Reason.Code
		}
		if c.Verdict != tt.want || code != tt.reason || res.Outcome() != tt.outcome {
			t.Errorf("%s: %v, %+v, %s, interval %+v, sigma %.3f, %+v", name, c.Verdict, c.Reason, res.Outcome(), c.Interval, c.Sigma, c.Disturbance)
		}
	}
}

// A loss that all blocks show does not pass because the disturbed ones are left out and
// the rest is too noisy to tell: of these blocks some look quiet and are not.
func TestLeavingOutIsNoPass(t *testing.T) {
	run := session{arms: []string{"base", "head"}, blocks: 10, noise: 0.01, change: map[string]float64{"head": -0.45}, seed: 7}.run()
	off := []float64{1, 1, 1, 1, 1, 0.3, 1.9, 0.35, 2.2, 0.5}
	for i := range run.Trials {
		trial := &run.Trials[i]
		trial.Samples = watched(2, "cpu_other", 0)
		if trial.Block < 4 {
			trial.Samples = watched(2, "cpu_other", 1)
		}
		if trial.Arm == "head" {
			multiply(trial.Measurements[0].Values, off[trial.Block])
		}
	}
	res := Run(run, DefaultPolicy())
	c := res.Comparisons[0]
	if c.Replicates != 6 || c.Verdict != Inconclusive || c.Reason.Code != Suspected || c.Reason.Disturbed != 8 || res.Outcome() != Undecided {
		t.Errorf("%d blocks, %v, %+v, %s, interval %+v", c.Replicates, c.Verdict, c.Reason, res.Outcome(), c.Interval)
	}
}

// Trials of less than a second are judged all together, and then all of them or
// none is disturbed.
func TestDisturbedShortTrials(t *testing.T) {
	for cores, want := range map[float64]int{0.05: 0, 2: 8} {
		run := session{arms: []string{"base", "head"}, blocks: 8, noise: 0.002, seed: 3}.run()
		for i := range run.Trials {
			run.Trials[i].Samples = &record.Samples{Every: 0.3, At: 0.3, Series: map[string][]float64{"cpu_other": {cores}}}
		}
		c := Run(run, DefaultPolicy()).Comparisons[0]
		got := 0
		if c.Disturbance != nil {
			got = c.Disturbance.Blocks
		}
		if got != want || c.Replicates != 8 {
			t.Errorf("%v cores: %d disturbed of %d that count, want %d of 8", cores, got, c.Replicates, want)
		}
	}
}

// A record without samples is judged by what it says itself of whole blocks.
func TestDisturbedWithoutSamples(t *testing.T) {
	run := session{arms: []string{"base", "head"}, blocks: 8, noise: 0.002, seed: 3}.run()
	for i := range run.Trials {
		if trial := &run.Trials[i]; trial.Block < 2 || trial.Block == 5 && trial.Arm == "head" {
			trial.Disturbed = []string{"others made noise"}
		}
	}
	if c := Run(run, DefaultPolicy()).Comparisons[0]; c.Replicates != 6 || c.Disturbance == nil || c.Disturbance.Blocks != 2 {
		t.Errorf("%d blocks, %+v", c.Replicates, c.Disturbance)
	}
}

// What is proven in spite of the noise stays proven: a machine that is always
// busy must not keep a gate from failing.
func TestDisturbedRegression(t *testing.T) {
	run := session{arms: []string{"base", "head"}, blocks: 8, noise: 0.005, change: map[string]float64{"head": -0.2}, seed: 4}.run()
	spoil(run, func(record.Trial) bool { return true }, func() float64 { return 0.9 })
	c := Run(run, DefaultPolicy()).Comparisons[0]
	if _, kept := hasWarning(c, DisturbedKept); c.Verdict != Regression || !kept {
		t.Errorf("%v, %+v, %v", c.Verdict, c.Reason, c.Warnings)
	}
}

// A block's repetition counts in its place when all of it was repeated with success.
func TestRepeated(t *testing.T) {
	run := spoil(session{arms: []string{"base", "head"}, blocks: 6, noise: 0.002, seed: 5}.run(), func(t record.Trial) bool { return t.Block < 3 }, func() float64 { return 0.5 })
	for i := range 5 { // of the blocks 0 and 1, and one arm of block 2
		again := run.Trials[i]
		again.ID, again.Repeats, again.Disturbed = again.ID+".again1", again.ID, nil
		again.Samples = watched(2, "cpu_other", 0)
		again.Measurements = []record.Measurement{{Metric: "pp512", Values: []float64{1000}}}
		if i == 3 {
			again.Outcome, again.Failure, again.Measurements = record.Failed, &record.Failure{Class: record.Crashed}, nil
		}
		run.Trials = append(run.Trials, again)
	}
	c := Run(run, DefaultPolicy()).Comparisons[0]
	var ids []string
	for _, p := range slices.Concat(c.Baseline.Trials, c.Candidate.Trials) {
		ids = append(ids, p.Trial)
	}
	slices.Sort(ids)
	// Blocks 1 and 2 are disturbed and left out: of neither both trials were repeated.
	if got := fmt.Sprint(ids); got != "[t0.again1 t1.again1 t10 t11 t6 t7 t8 t9]" {
		t.Errorf("used %s", got)
	}
	if c.Replicates != 4 || c.Candidate.Disturbed != 2 || c.Candidate.Failed != 1 || c.Verdict != Equivalent {
		t.Errorf("%d blocks, %+v, %v", c.Replicates, c.Candidate, c.Verdict)
	}
}
