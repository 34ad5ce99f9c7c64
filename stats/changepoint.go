package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// A ChangeRule says what counts as a change in a series.
type ChangeRule struct {
	Alpha  float64 // chance to find a change in a series without one, in [1e-6, 1)
	Margin float64 // >= 0; smaller shifts are not reported, in the unit of the series
	Seed   uint64

	Resemblance Resemblance // of neighbouring nights, as other series know it
}

// bumpShare is the part of Level that is spent on levels that came and went.
const bumpShare = 0.2

// A Change is a lasting step in a series.
type Change struct {
	At          int      // index of the first value after it
	First, Last int      // where it may lie instead, with 95 % of the evidence; First <= At <= Last
	P           float64  // of its split, in (0, 1]; of one that nobody doubts, a bound from above
	Shift       Estimate // mean until the next change minus mean since the last one
}

// ChangePoints returns where the level of a series steps, in order.
//
// The best split, that with the largest pooled two-sample |t| and at least 3
// values on either side, is taken if its p over random permutations is at most
// Level: because every permutation is split at its own best place, the search
// itself raises no alarms. A level that comes and goes pulls both its steps
// towards each other's, so where no split will do the best stretch against the
// rest is tried; a fifth of Level is set aside for that. Each part is then
// searched in the same way.
//
// Of the changes so found those stay whose shift exceeds Margin and has not
// gone away: the last three values before the next change must still lie beyond
// Margin from the mean before. What is dropped rejoins its neighbours, the
// smallest shift first.
//
// Nights resemble each other, which feigns steps: a series of n values with
// first-order autocorrelation r is worth as much as n·(1-r)/(1+r) independent
// ones. The t of a split is reduced accordingly before it is compared with those
// of permutations, and the errors of Shift are widened. r is estimated beside the
// steps and drawn towards 0.3, which counts as much as 30 values.
// Sizes are a little too large for shifts that were only just found.
//
// The series is in order of time, missing values left out; it is not changed.
// Fewer than 6 values, or equal ones, have no change. The result is nil without
// one. It panics if a value is NaN, infinite or beyond ±1e150, Level is not in
// [1e-6, 1), or Margin is negative or NaN.
func ChangePoints(series []float64, rule ChangeRule) []Change {
	if len(series) == 0 {
		return nil
	}
	checkFinite("ChangePoints", series)
	rule.check("ChangePoints")
	found := rule.split(series, 0, nil)
	slices.SortFunc(found, func(a, b Change) int { return a.At - b.At })
	settle(series, found)
	found = keepLasting(found, func(changes []Change, i int) (float64, bool) { return rule.judge(series, changes, i) })
	for i := range found {
		before, after := neighbours(series, found, i)
		first, last := rule.stepRange(before, after)
		found[i].First, found[i].Last = found[i].At-len(before)+first, found[i].At-len(before)+last
	}
	return found
}

// split appends the changes of xs, whose first value has the given index.
func (rule ChangeRule) split(xs []float64, first int, found []Change) []Change {
	cuts, p := rule.cut(xs, rand.New(rand.NewPCG(rule.Seed, uint64(first)<<32|uint64(len(xs)))))
	from := 0
	for _, at := range cuts {
		found = append(found, Change{At: first + at, P: p})
		found = rule.split(xs[from:at], first+from, found)
		from = at
	}
	if from == 0 {
		return found
	}
	return rule.split(xs[from:], first+from, found)
}

// cut returns where xs is to be cut, once or twice, and the p-value of that; no
// place if nothing is to be seen.
func (rule ChangeRule) cut(xs []float64, rng *rand.Rand) (cuts []int, p float64) {
	if len(xs) < 2*leastSegment || isConstant(xs) {
		return nil, 1
	}
	search := newSplitSearch(xs)
	at, step := search.best()
	if at == 0 {
		return nil, 1 // all that differs lies within 3 values of an end
	}
	known := rule.resemblance(xs, at)
	r := known.atMost(rule.Alpha)
	p = search.splitP(search.reduced(step, r), rule.Alpha*(1-bumpShare), rng) / (1 - bumpShare)
	if p <= rule.Alpha {
		if p = max(p, search.unevenP(0, at, known.R)); p <= rule.Alpha {
			return []int{at}, p
		}
	}
	from, to, bump := search.bestStretch()
	p = search.stretchP(search.reduced(bump, r), rule.Alpha*bumpShare, rng) / bumpShare
	if p <= rule.Alpha && to > 0 {
		if p = max(p, search.unevenP(from, to, known.R)); p <= rule.Alpha {
			return []int{from, to}, p
		}
	}
	return nil, 1
}

// settle moves every change to the best split between its neighbours, which the
// first splits were made without knowing.
func settle(series []float64, changes []Change) {
	for i := range changes {
		before, after := neighbours(series, changes, i)
		if at, _ := newSplitSearch(slices.Concat(before, after)).best(); at > 0 {
			changes[i].At += at - len(before)
		}
	}
}

// judge fills in the shift of change i and reports it, and whether it is large
// enough and has lasted.
func (rule ChangeRule) judge(series []float64, changes []Change, i int) (shift float64, lasts bool) {
	before, after := neighbours(series, changes, i)
	changes[i].Shift = rule.shift(before, after)
	still := carefulMean(after[len(after)-leastSegment:]) - carefulMean(before)
	return changes[i].Shift.Theta, rule.lasting(changes[i].Shift.Theta, still)
}

// lasting reports whether a shift, and what is left of it in the end, both
// exceed the margin to the same side.
func (rule ChangeRule) lasting(shift, still float64) bool {
	return math.Abs(shift) > rule.Margin && math.Abs(still) > rule.Margin && (still > 0) == (shift > 0)
}

// keepLasting drops the changes that do not last, the smallest first and one at
// a time, because each that goes alters the shifts of its neighbours.
func keepLasting[C any](changes []C, judge func(changes []C, i int) (shift float64, lasts bool)) []C {
	for len(changes) > 0 {
		drop, smallest := -1, math.Inf(1)
		for i := range changes {
			if shift, lasts := judge(changes, i); !lasts && math.Abs(shift) < smallest {
				drop, smallest = i, math.Abs(shift)
			}
		}
		if drop < 0 {
			return changes
		}
		changes = slices.Delete(changes, drop, drop+1)
	}
	return nil
}

// neighbours returns the values since the change before change i, and those
// from change i to the one after it.
func neighbours(series []float64, changes []Change, i int) (before, after []float64) {
	from, to := 0, len(series)
	if i > 0 {
		from = changes[i-1].At
	}
	if i+1 < len(changes) {
		to = changes[i+1].At
	}
	return series[from:changes[i].At], series[changes[i].At:to]
}

// shift is Welch's estimate, its error widened and its degrees of freedom
// reduced to those of the independent values that an autocorrelated series is
// worth.
func (rule ChangeRule) shift(before, after []float64) Estimate {
	e := Welch(before, after)
	both := slices.Concat(before, after)
	if r := rule.resemblance(both, len(before)).R; r > 0 && e.SE > 0 {
		worth := EffectiveN(len(both), r) / float64(len(both))
		e.SE /= math.Sqrt(worth)
		e.DF = max(1, e.DF*worth)
	}
	return e
}

func (rule ChangeRule) check(caller string) {
	if !(rule.Alpha >= 1e-6 && rule.Alpha < 1) {
		panic("stats: " + caller + ": Level must lie in [1e-6, 1)")
	}
	if !(rule.Margin >= 0) {
		panic("stats: " + caller + ": Margin must not be negative or NaN")
	}
}
