package compare

import "slices"

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

// failed reports whether a request of a trial failed; true where none was counted.
func failed(p Point) bool { return p.Count == nil || p.Count.Succeeded < p.Count.Total }

// succeeded reports whether a request of a trial succeeded.
func succeeded(p Point) bool { return p.Count != nil && p.Count.Succeeded > 0 }

// constantRates is the reason where no request failed on either side, or none
// succeeded; nil elsewhere.
func constantRates(c *Comparison) *Reason {
	switch {
	case c.Estimator != PooledRates:
	case c.Baseline.neverFailed() && c.Candidate.neverFailed():
		return &Reason{Code: NoFailure, Have: c.Replicates}
	case c.Baseline.alwaysFailed() && c.Candidate.alwaysFailed():
		return &Reason{Code: AllFailed, Have: c.Replicates}
	}
	return nil
}

// newlyDead reports whether a trial of the candidate has no success and no trial
// of the baseline is like it. A server that is dead in some of its starts is no
// matter of a mean: too few trials prove it, and it is no pass.
func newlyDead(c *Comparison) bool {
	return c.Estimator == PooledRates && c.Candidate.dead() > 0 && c.Baseline.dead() == 0
}
