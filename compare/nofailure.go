package compare

import "slices"

// neverFailed reports whether every request of a side succeeded. Such a side
// says how often its requests fail only if they fail independently, which
// nothing in it shows: a server that crashes fails all the rest of its trial.
// What is known is known of trials: n without a failure bound the share of
// trials with one below 1-0.05^(1/n), one-sided at 95 % (Clopper and Pearson
// 1934), 39 % for 6. It is false for a side without trials.
func (s Side) neverFailed() bool {
	return len(s.Trials) > 0 && !slices.ContainsFunc(s.Trials, func(p Point) bool { return p.Count == nil || p.Count.Succeeded < p.Count.Total })
}
