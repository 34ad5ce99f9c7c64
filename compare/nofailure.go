package compare

import (
	"math"
	"slices"
)

// neverFailed reports whether every request of a side succeeded. Such a side
// says how often its requests fail only if they fail independently, which
// nothing in it shows: a server that crashes fails all the rest of its trial.
// What is known is known of trials: n without a failure bound the share of
// trials with one below 1-0.05^(1/n), one-sided at 95 % (Clopper and Pearson
// 1934), 39 % for 6. It is false for a side without trials.
func (s Side) neverFailed() bool {
	return len(s.Trials) > 0 && !slices.ContainsFunc(s.Trials, failed)
}

// alwaysFailed reports whether a side has trials and not one request of them
// succeeded.
func (s Side) alwaysFailed() bool {
	return len(s.Trials) > 0 && !slices.ContainsFunc(s.Trials, succeeded)
}

// dead counts the trials of a side in which not one request succeeded.
func (s Side) dead() int {
	n := 0
	for _, p := range s.Trials {
		if !succeeded(p) {
			n++
		}
	}
	return n
}

// tellsCorrelation reports whether a side shows how failures come together: in
// at least half of its trials something failed (or succeeded, if that is rarer).
// Where fewer did, failures may be those of whole trials, as of a server that
// crashes in one start of ten, and the trials that would show it are missing: an
// interval from the few requests that failed is then too narrow.
func (s Side) tellsCorrelation() bool {
	with, without := 0, 0
	for _, p := range s.Trials {
		if failed(p) {
			with++
		}
		if succeeded(p) {
			without++
		}
	}
	return 2*min(with, without) >= len(s.Trials)
}

// failed reports whether a request of a trial failed; true where none was counted.
func failed(p Point) bool { return p.Count == nil || p.Count.Succeeded < p.Count.Total }

// succeeded reports whether a request of a trial succeeded.
func succeeded(p Point) bool { return p.Count != nil && p.Count.Succeeded > 0 }

// constantRates is the reason where no request failed on either side, or none
// succeeded; nil elsewhere.
func constantRates(c *Comparison) *Reason {
	switch {
	case c.Estimator != PooledRates:
	case c.Baseline.neverFailed() && c.Contender.neverFailed():
		return &Reason{Code: NoFailure, Have: c.Blocks}
	case c.Baseline.alwaysFailed() && c.Contender.alwaysFailed():
		return &Reason{Code: AllFailed, Have: c.Blocks}
	}
	return nil
}

// newlyDead reports whether a trial of the contender has no success and no trial
// of the baseline is like it. A server that is dead in some of its starts is no
// matter of a mean: too few trials prove it, and it is no pass.
func newlyDead(c *Comparison) bool {
	return c.Estimator == PooledRates && c.Contender.dead() > 0 && c.Baseline.dead() == 0
}

// fewFailures reports whether the trials of a side are too few for the interval
// of a rate to be believed where it says that nothing changed: too few of them
// hold a failure, or a server that now and then dies would not show in so many.
func fewFailures(c *Comparison) bool {
	least := min(len(c.Baseline.Trials), len(c.Contender.Trials))
	return c.Estimator == PooledRates &&
		(least < trialsForCrashes(c.effect.lambda) || !c.Baseline.tellsCorrelation() || !c.Contender.tellsCorrelation())
}

// trialsForCrashes is how many trials a side needs to show, at 95 %, that it does
// not lose margin, a fraction of its requests, by crashes. A server that dies at
// a uniform moment of a trial loses half of its requests, so 2·margin of the
// trials have a crash, and none of n has with (1-2·margin)^n: 74 for 2 points.
func trialsForCrashes(margin float64) int {
	if margin >= 0.5 {
		return 1
	}
	return int(math.Ceil(math.Log(0.05) / math.Log1p(-2*margin)))
}
