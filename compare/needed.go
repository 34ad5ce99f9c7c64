package compare

import (
	"math"

	"github.com/llama-regress/llama-regress/stats"
)

// sdConfidence is that of the upper limit of the standard deviation that advice
// is planned with. The estimate itself is too small half of the time, and more
// often where a comparison is open because it is: new runs of the size that it
// asks for decide less often than promised.
const sdConfidence = 0.80

// advised is a reason with the size of a new run that would decide: see
// Reason.Need.
func (j judge) advised(code ReasonCode, c *Comparison) Reason {
	r := Reason{Code: code, Have: c.Replicates}
	r.Need, r.AsSeen = j.needed(c)
	return r
}

// needed is how many blocks (unpaired: trials a side) a new run, judged by itself
// alone, needs to decide with 80 % power; 0 when no sensible number would. asSeen
// says of which truth this holds: that the change is what it looks like, where it
// looks like one beyond the margin, or else that nothing changed. What the change
// really is, a few blocks do not tell: a promise that took the observed one for
// the true one was kept by half to two thirds of the new runs.
func (j judge) needed(c *Comparison) (n int, asSeen bool) {
	e := c.effect
	if c.Margin == nil || c.Interval == nil {
		return 0, false
	}
	switch {
	case c.Metric.Exact:
		return 0, false // more trials narrow the interval no further than its floor
	case c.Method == Historical:
		return 0, false // more sessions narrow the interval only so far: the new one is still one
	case c.Estimator == PooledRates:
		return j.neededForRate(c), false
	}
	size := math.Abs(e.theta)
	asSeen = size > e.lambda && min(c.P.Worse, 1-c.P.Worse) <= suspectAlpha
	t := stats.Target{Margin: e.lambda, Alpha: j.policy.Alpha * c.share(), Power: power}
	if asSeen {
		t.Alpha = j.perTest
	}
	switch paired := c.Method == Paired; {
	case paired && asSeen:
		n = fewest(func(n int) bool { return e.lambda+multiplier(t, n)*upperSD(c.Sigma, e.n) <= size })
	case paired:
		n = fewest(func(n int) bool { return smallestMargin(t, n)*upperSD(c.Sigma, e.n) <= e.lambda })
	case asSeen:
		n, _ = stats.TrialsNeeded(t, upperSD(spread(e.base), len(e.base)), upperSD(spread(e.head), len(e.head)), size)
	default:
		n, _ = stats.TrialsForEquivalence(t, upperSD(spread(e.base), len(e.base)), upperSD(spread(e.head), len(e.head)), 0)
	}
	if n == 0 || n > mostBlocks {
		return 0, asSeen
	}
	return max(n, e.n+1), asSeen
}

// neededForRate is needed for success rates: the trials a side needs before an
// equal rate would be shown to lie within the margin.
func (j judge) neededForRate(c *Comparison) int {
	counts := c.Baseline.counts()
	_, size := stats.ICC(counts)
	icc := c.effect.inference.(stats.RateDifference).ICC
	n := stats.TrialsForRate(pooledRate(counts), max(1, size), icc, c.effect.lambda, 1-2*j.policy.Alpha*c.share())
	if n > mostBlocks {
		return 0
	}
	return max(n, c.effect.n+1)
}

// fewest is the least number of blocks from 2 to mostBlocks for which enough
// holds, which stays true once it is; 0 without one.
func fewest(enough func(n int) bool) int {
	if !enough(mostBlocks) {
		return 0
	}
	low, high := 1, 2 // not enough(low), or low is 1
	for !enough(high) {
		low, high = high, min(2*high, mostBlocks)
	}
	for high-low > 1 {
		if mid := (low + high) / 2; enough(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// A design is what the power of a paired comparison follows from, but for the
// ratio of margin and spread.
type design struct {
	what   string
	blocks int
	level  float64
}

// designs are those that were asked for: each costs a search, and every
// comparison of a run has the same.
var designs memo[design, float64]

func (d design) once(find func() float64) float64 { return designs.get(d, find) }

// multiplier is t.Multiplier, found once.
func multiplier(t stats.Target, blocks int) float64 {
	return design{"loss", blocks, t.Alpha}.once(func() float64 { return t.Multiplier(blocks) })
}

// smallestMargin is the margin, over the spread, within which no change is shown
// to lie; found once.
func smallestMargin(t stats.Target, blocks int) float64 {
	return design{"none", blocks, t.Alpha}.once(func() float64 { return stats.SmallestMargin(t.Alpha, t.Power, 1, blocks) })
}

// upperSD is the upper limit of a standard deviation that n values gave.
func upperSD(sd float64, n int) float64 {
	if n < 2 {
		return math.Inf(1)
	}
	return sd * design{"spread", n, sdConfidence}.once(func() float64 { return stats.UpperSD(1, float64(n-1), sdConfidence) })
}
