package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// maxSampleSize is where the searches for a sample size give up: beyond about a
// million blocks the answer is "never".
const maxSampleSize = 1 << 20

// A Target is what a planned comparison has to deliver.
type Target struct {
	Margin float64 // >= 0, the change that may pass, in the unit of the effect (for logs ln(1+m))
	Alpha  float64 // one-sided chance of a false claim, in (0, 0.5)
	Power  float64 // chance that a true claim is made, in (Alpha, 1)
}

// Multiplier returns k such that a true loss of Margin + k·σ is shown to exceed
// Margin, by a one-sided paired t test at level Alpha over the given blocks,
// with chance Power; σ is the standard deviation of one block's difference.
//
// k = δ/√blocks, where P(T(blocks-1, δ) > t(blocks-1, 1-Alpha)) = Power for the
// noncentral t. It is +Inf below 2 blocks, which cannot show anything. δ beyond
// 38, met only with 2 or 3 blocks and a tiny Alpha, is good to a few percent.
// It panics if t is not a valid Target.
func (t Target) Multiplier(blocks int) float64 {
	t.check("Target.Multiplier")
	if blocks < 2 {
		return math.Inf(1)
	}
	return noncentrality(t.Alpha, t.Power, float64(blocks-1)) / math.Sqrt(float64(blocks))
}

// MDE returns the minimum detectable effect of a paired comparison: the true
// loss, in the unit of sd and Margin and given as a positive number, that will
// be called a loss beyond Margin with chance Power. It is Margin + k·sd with the
// k of Multiplier; sd is the standard deviation of one block's difference.
//
// It is +Inf below 2 blocks or when sd is +Inf, and Margin when sd is 0.
// It panics if t is not a valid Target or sd is negative or NaN.
func MDE(t Target, sd float64, blocks int) float64 {
	t.check("MDE")
	checkSD("MDE", sd)
	switch {
	case blocks < 2:
		return math.Inf(1)
	case sd == 0:
		return t.Margin
	}
	return t.Margin + t.Multiplier(blocks)*sd
}

// BlocksNeeded returns the fewest blocks, at least 2, with which a true loss of
// the given size is called a loss beyond Margin with chance Power. The loss is
// positive and in the unit of sd, the standard deviation of one block's
// difference. It returns 0, false when no number of blocks up to about a
// million will do, as when loss <= Margin or sd is +Inf.
// It panics if t is not a valid Target, sd is negative or NaN, or loss is NaN.
func BlocksNeeded(t Target, sd, loss float64) (int, bool) {
	t.check("BlocksNeeded")
	checkSD("BlocksNeeded", sd)
	checkLoss("BlocksNeeded", loss)
	return fewest(func(n float64) bool {
		return tPower((loss-t.Margin)*math.Sqrt(n)/sd, t.Alpha, n-1) >= t.Power
	}, t.Alpha, loss-t.Margin, sd, t.z())
}

// BlocksForEquivalence returns the fewest blocks, at least 2, with which a true
// effect of the given size is shown to lie within ±Margin with chance Power by
// two one-sided paired t tests at level Alpha each (TOST). The usual question
// has effect 0: nothing changed, how long until that can be said. It returns
// 0, false when no number up to about a million will do, as when |effect| is
// Margin or more, or sd is +Inf.
// It panics if t is not a valid Target, sd is negative or NaN, or effect is NaN.
func BlocksForEquivalence(t Target, sd, effect float64) (int, bool) {
	t.check("BlocksForEquivalence")
	checkSD("BlocksForEquivalence", sd)
	checkLoss("BlocksForEquivalence", effect)
	return fewest(func(n float64) bool {
		return equivalencePower(t, effect, sd/math.Sqrt(n), n-1) >= t.Power
	}, t.Alpha, t.Margin-math.Abs(effect), sd, t.equivalenceZ(effect))
}

// A Side is one arm of an unpaired comparison.
type Side struct {
	SD float64 // standard deviation of one trial, >= 0
	N  int     // trials
}

// MDEUnpaired is MDE for two independent samples compared by Welch's t with the
// Welch-Satterthwaite degrees of freedom of the given spreads. It is +Inf when a
// side has fewer than 2 trials or an infinite SD, Margin when both SDs are 0.
// It panics if t is not a valid Target or an SD is negative or NaN.
func MDEUnpaired(t Target, a, b Side) float64 {
	t.check("MDEUnpaired")
	checkSD("MDEUnpaired", a.SD)
	checkSD("MDEUnpaired", b.SD)
	if a.N < 2 || b.N < 2 || math.IsInf(a.SD, 1) || math.IsInf(b.SD, 1) {
		return math.Inf(1)
	}
	se, df := welchError(a.SD, float64(a.N), b.SD, float64(b.N))
	if se == 0 {
		return t.Margin
	}
	return t.Margin + noncentrality(t.Alpha, t.Power, df)*se
}

// TrialsNeeded is BlocksNeeded for two independent samples of equal size
// compared by Welch's t: the trials each side needs, given the standard
// deviation of one trial on either side.
func TrialsNeeded(t Target, sdA, sdB, loss float64) (int, bool) {
	t.check("TrialsNeeded")
	checkSD("TrialsNeeded", sdA)
	checkSD("TrialsNeeded", sdB)
	checkLoss("TrialsNeeded", loss)
	return fewest(func(n float64) bool {
		se, df := welchError(sdA, n, sdB, n)
		return tPower((loss-t.Margin)/se, t.Alpha, df) >= t.Power
	}, t.Alpha, loss-t.Margin, math.Hypot(sdA, sdB), t.z())
}

// TrialsForEquivalence is BlocksForEquivalence for two independent samples of
// equal size compared by Welch's t: the trials each side needs.
func TrialsForEquivalence(t Target, sdA, sdB, effect float64) (int, bool) {
	t.check("TrialsForEquivalence")
	checkSD("TrialsForEquivalence", sdA)
	checkSD("TrialsForEquivalence", sdB)
	checkLoss("TrialsForEquivalence", effect)
	return fewest(func(n float64) bool {
		se, df := welchError(sdA, n, sdB, n)
		return equivalencePower(t, effect, se, df) >= t.Power
	}, t.Alpha, t.Margin-math.Abs(effect), math.Hypot(sdA, sdB), t.equivalenceZ(effect))
}

// fewest returns the smallest n >= 2 for which enough(n) holds; enough must
// stay true once it is. The search starts from what the normal distribution
// would need to see a distance, given the sd of one difference and the z that
// the target asks for, and half the square of its critical value more, which is
// what t asks for (Guenther 1981). This is usually within one of the answer, which
// saves calls to enough, which are slow. sd 0 returns 2, distance 0 returns false.
func fewest(enough func(n float64) bool, alpha, distance, sd, z float64) (int, bool) {
	switch {
	case !(distance > 0) || math.IsInf(sd, 1):
		return 0, false
	case sd == 0 || math.IsInf(distance, 1):
		return 2, true
	}
	ratio, critical := z*(sd/distance), distuv.UnitNormal.Quantile(alpha)
	start := int(min(max(math.Ceil(ratio*ratio+critical*critical/2), 2), maxSampleSize))
	low, high := start-1, start // from here: enough(high), and not enough(low) or low is 1
	if enough(float64(start)) {
		for step := 1; low > 1 && enough(float64(low)); step *= 2 {
			low, high = max(1, low-step), low
		}
	} else {
		low, high = start, start+1
		for step := 1; !enough(float64(high)); step *= 2 {
			if high >= maxSampleSize {
				return 0, false
			}
			low, high = high, high+step
		}
	}
	for high-low > 1 {
		mid := (low + high) / 2
		if enough(float64(mid)) {
			high = mid
		} else {
			low = mid
		}
	}
	return high, true
}

// z returns the sum of the normal quantiles that a claim at level Alpha and its
// Power ask for.
func (t Target) z() float64 {
	return -distuv.UnitNormal.Quantile(t.Alpha) - distuv.UnitNormal.Quantile(1-t.Power)
}

// equivalenceZ is z for two claims at once: how many standard errors the nearer
// margin must lie from the effect, the other being as much farther as it is. It
// is 0 for an effect beyond Margin, which cannot be shown to lie within.
func (t Target) equivalenceZ(effect float64) float64 {
	near, far := t.Margin-math.Abs(effect), t.Margin+math.Abs(effect)
	if !(near > 0) {
		return 0
	}
	critical := -distuv.UnitNormal.Quantile(t.Alpha)
	missing := func(z float64) float64 {
		return distuv.UnitNormal.CDF(z-critical) + distuv.UnitNormal.CDF(z*(far/near)-critical) - 1 - t.Power
	}
	most := critical - distuv.UnitNormal.Quantile((1-t.Power)/2) // if both are as near
	return increasingRoot(missing, 0, most, 1e-3)
}

// tPower returns the chance that a one-sided t test at level alpha rejects when
// its statistic follows the noncentral t.
func tPower(noncentral, alpha, df float64) float64 {
	if math.IsInf(noncentral, 1) {
		return 1
	}
	critical := studentT(df).Quantile(1 - alpha)
	return 1 - distuv.NoncentralT{Nu: df, Mu: noncentral}.CDF(critical)
}

// noncentrality solves tPower(δ, alpha, df) = power for δ.
func noncentrality(alpha, power, df float64) float64 {
	critical := studentT(df).Quantile(1 - alpha)
	excess := func(delta float64) float64 {
		return 1 - distuv.NoncentralT{Nu: df, Mu: delta}.CDF(critical) - power
	}
	low, high := 0.0, critical+2
	for excess(high) < 0 {
		low, high = high, 2*high
	}
	return increasingRoot(excess, low, high, 1e-12)
}

// welchError returns the standard error of a difference of means and its
// Welch-Satterthwaite degrees of freedom.
func welchError(sdA, nA, sdB, nB float64) (se, df float64) {
	// Scaled by the larger SD, so that no square over- or underflows.
	scale := math.Max(sdA, sdB)
	if scale == 0 {
		return 0, nA + nB - 2
	}
	va, vb := (sdA/scale)*(sdA/scale)/nA, (sdB/scale)*(sdB/scale)/nB
	df = (va + vb) * (va + vb) / (va*va/(nA-1) + vb*vb/(nB-1))
	return scale * math.Sqrt(va+vb), df
}

func (t Target) check(caller string) {
	switch {
	case !(t.Margin >= 0) || math.IsInf(t.Margin, 1):
		panic("stats: " + caller + ": Target.Margin must be finite and not negative")
	case !(t.Alpha > 0 && t.Alpha < 0.5):
		panic("stats: " + caller + ": Target.Alpha must lie between 0 and 0.5")
	case !(t.Power > t.Alpha && t.Power < 1):
		panic("stats: " + caller + ": Target.Power must lie between Alpha and 1")
	}
}

func checkSD(caller string, sd float64) {
	if !(sd >= 0) {
		panic("stats: " + caller + ": standard deviation must not be negative or NaN")
	}
}

func checkLoss(caller string, loss float64) {
	if math.IsNaN(loss) {
		panic("stats: " + caller + ": effect must not be NaN")
	}
}
