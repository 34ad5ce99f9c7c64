package compare

import (
	"math"

	"github.com/llama-regress/llama-regress/stats"
)

// A Reliability says that a candidate's trials fail more often than the
// baseline's: a finding of its own, beside whatever the others measured.
type Reliability struct {
	Candidate      string `json:"contender"`
	Failed         int    `json:"failed"` // of Trials
	Trials         int    `json:"trials"`
	BaselineFailed int    `json:"baseline_failed"`
	BaselineTrials int    `json:"baseline_trials"`
	// P is the one-sided p-value of "the candidate fails no more often" by
	// Boschloo's exact test: trials are processes and independent by design.
	P float64 `json:"p"`
}

// mostExact bounds the trials that Boschloo's test is run on; beyond it
// Fisher's is as good.
const mostExact = 400

// reliability compares how often two arms fail, and reports whether the
// candidate does more often.
func reliability(base, head armTrials) (Reliability, bool) {
	r := Reliability{Candidate: head.arm.Name}
	r.Failed, r.Trials = head.failed()
	r.BaselineFailed, r.BaselineTrials = base.failed()
	if r.Trials == 0 || r.BaselineTrials == 0 || r.Failed*r.BaselineTrials <= r.BaselineFailed*r.Trials {
		return Reliability{}, false
	}
	succeeded := func(failed, trials int) stats.Count {
		return stats.Count{K: float64(trials - failed), N: float64(trials)}
	}
	test := stats.Boschloo
	if r.Trials+r.BaselineTrials > mostExact {
		test = stats.Fisher
	}
	r.P = test(succeeded(r.BaselineFailed, r.BaselineTrials), succeeded(r.Failed, r.Trials)).Less
	return r, true
}

// An Unfailed candidate had no trial that failed, which leaves failures open that are
// rarer.
type Unfailed struct {
	Candidate string
	Trials    int     // that measured something, at least 1
	UpTo      float64 // share of failing trials that leaves none among Trials with a chance of 5 %
}

// Unfailed lists the candidates without a failed trial, in the order of the
// comparisons.
func (r *Result) Unfailed() []Unfailed {
	failed := make(map[string]bool)
	for _, f := range r.Failures {
		failed[f.Arm] = true
	}
	trials := make(map[string]map[string]bool)
	var order []string
	for i := range r.Comparisons {
		side := &r.Comparisons[i].Candidate
		if failed[side.Arm] || len(side.Trials) == 0 {
			continue
		}
		if trials[side.Arm] == nil {
			trials[side.Arm], order = make(map[string]bool), append(order, side.Arm)
		}
		for _, p := range side.Trials {
			trials[side.Arm][p.Trial] = true
		}
	}
	var list []Unfailed
	for _, arm := range order {
		n := len(trials[arm])
		list = append(list, Unfailed{Candidate: arm, Trials: n, UpTo: 1 - math.Pow(0.05, 1/float64(n))})
	}
	return list
}

func (a armTrials) failed() (failed, trials int) {
	for _, ts := range a.trials {
		for _, t := range ts {
			trials++
			if t.Fault() != nil {
				failed++
			}
		}
	}
	return failed, trials
}
