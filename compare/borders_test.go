package compare

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// A cell that the screening could hardly look at goes on, if it is gated at all:
// too few trials clear nothing.
func TestSuspectWhatWasHardlySeen(t *testing.T) {
	seen := func(margin *Range, code ReasonCode) Comparison {
		return Comparison{Cell: "c", Margin: margin, Reason: &Reason{Code: code}, P: &PValues{Worse: 0.9}}
	}
	for name, c := range map[string]struct {
		c    Comparison
		want int
	}{
		"too few trials":           {seen(&Range{}, TooFewTrials), 1},
		"too few, and never gated": {seen(nil, TooFewTrials), 0},
		"no sign of a loss":        {seen(&Range{}, TooNoisy), 0},
	} {
		if got := uncleared(&Result{Comparisons: []Comparison{c.c}}); len(got) != c.want {
			t.Errorf("%s: %d go on, want %d", name, len(got), c.want)
		}
	}
}

// One comparison alone is planned as two are, so that a second one costs no
// power that was promised.
func TestLevelOfASingleComparison(t *testing.T) {
	for family, want := range map[int]float64{0: 0.025, 1: 0.025, 2: 0.025, 5: 0.01} {
		if got := newJudge(Policy{Alpha: 0.05}, family).perTest; got != want {
			t.Errorf("%d comparisons: level %v, want %v", family, got, want)
		}
	}
}

// Sessions of a history: below eight none is judged without the help of similar
// cells, from eight on it is.
func TestAgeOfABaseline(t *testing.T) {
	policy := DefaultPolicy()
	j := newJudge(policy, 1)
	for blocks, want := range map[int]bool{3: true, 7: true, 8: false} {
		change := 0.0
		c := Comparison{Method: Historical, Replicates: blocks, Change: &change, Margin: &Range{Low: -0.03, High: 0.03}, Interval: &Interval{}, P: &PValues{Regression: 1, Improvement: 1, Equivalence: 1, Worse: 1, AdjustedRegression: 1, AdjustedImprovement: 1}}
		c.Metric.Kind = "throughput"
		c.Baseline.Trials, c.Candidate.Trials = make([]Point, blocks), make([]Point, 1)
		c.effect = effect{inference: stats.Estimate{SE: 1, DF: float64(blocks - 1)}, lambda: 0.03}
		_, reason := j.verdict(&c, mismatches{})
		if young := reason != nil && reason.Code == BaselineTooYoung; young != want {
			t.Errorf("%d sessions: %+v", blocks, reason)
		}
	}
}

// Where one block lies far from the others, the signed-rank interval is asked at
// the confidence of the verdict's own: at a higher one other differences would
// be called contradictory.
func TestRanksAreAskedAtTheVerdictsConfidence(t *testing.T) {
	d := []float64{-0.030, -0.034, -0.031, -0.033, -0.036, -0.032, -0.035, -0.037, -0.0305, -0.2}
	policy := DefaultPolicy()
	j := newJudge(policy, 2)
	apart := 0
	for lambda := 0.020; lambda < 0.040; lambda += 0.0001 {
		change := -0.05
		c := Comparison{Method: Paired, Replicates: len(d), Change: &change, Margin: &Range{Low: -lambda, High: lambda}, Interval: &Interval{},
			P: &PValues{AdjustedRegression: 0.001, AdjustedImprovement: 1, Equivalence: 1}}
		c.Metric.Kind = "throughput"
		c.Baseline.Trials, c.Candidate.Trials = make([]Point, len(d)), make([]Point, len(d))
		c.effect = effect{inference: stats.PairedT(d), theta: -0.05, lambda: lambda, differences: d, n: len(d)}
		want := ranksDisagree(c.effect, 1-2*policy.Alpha)
		if want != ranksDisagree(c.effect, 1-policy.Alpha) {
			apart++
		}
		_, reason := j.verdict(&c, mismatches{})
		if got := reason != nil && reason.Code == MethodsDisagree; got != want {
			t.Errorf("margin %v: %+v, want a disagreement: %v", lambda, reason, want)
		}
	}
	if apart == 0 {
		t.Error("no margin tells the confidences apart")
	}
}

// Disturbed blocks are left out where at least half of the blocks remain, and as
// many as the policy asks for; of a session by itself likewise.
func TestEnoughUndisturbedBlocksRemain(t *testing.T) {
	for _, c := range []struct{ blocks, disturbed, minTrials, want int }{
		{8, 4, 2, 4}, {7, 4, 2, 7}, // four at least
		{12, 6, 2, 6}, {12, 7, 2, 12}, // half at least
		{10, 5, 5, 5}, {10, 5, 6, 10}, // as the policy has it
	} {
		run := session{arms: []string{"base", "head"}, blocks: c.blocks, noise: 0.002, seed: 3}.run()
		spoil(run, func(t record.Trial) bool { return t.Block < c.disturbed }, func() float64 { return 1 })
		policy := DefaultPolicy()
		policy.MinTrials = c.minTrials
		if got := Run(run, policy).Comparisons[0].Replicates; got != c.want {
			t.Errorf("%+v: %d blocks", c, got)
		}
		var side Side
		for _, r := range run.Trials {
			if r.Arm == "base" {
				side.Trials = append(side.Trials, Point{Trial: r.ID, Block: r.Block, samples: r.Samples})
			}
		}
		if got := excludeDisturbedAlone(side, policy); len(got.Trials) != c.want {
			t.Errorf("%+v: %d trials of a session by itself", c, len(got.Trials))
		}
	}
}
