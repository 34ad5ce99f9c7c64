package stats

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// equivalencePower returns the chance that two one-sided t tests at level
// Alpha both show a true effect to lie within ±Margin, when the estimate has
// standard error se with df degrees of freedom.
//
// With s² the estimated over the true variance of the estimate, both reject if
// the standardised estimate falls between t·s - (Margin+effect)/se and
// (Margin-effect)/se - t·s; the probability of that is averaged over
// s ~ √(χ²(df)/df) (Owen 1965; Phillips 1990).
func equivalencePower(t Target, effect, se, df float64) float64 {
	critical := studentT(df).Quantile(1 - t.Alpha)
	low, high := (t.Margin+effect)/se, (t.Margin-effect)/se
	between := func(s float64) float64 {
		return max(0, distuv.UnitNormal.CDF(high-critical*s)-distuv.UnitNormal.CDF(critical*s-low))
	}

	// Where both bounds are more than 8 sd away the inner probability is 1 and
	// the average is the cdf of s; beyond the other end it is 0. The root of a
	// χ² strays by more than 8 from its mean with a chance below 1e-13.
	const far = 8
	near := min(low, high)
	sure := max(0, (near-far)/critical)
	none := min((low+high)/2, near+far) / critical
	if none <= 0 {
		return 0
	}
	power := mathext.GammaIncReg(df/2, df/2*sure*sure)
	from, to := max(sure, 1-far/math.Sqrt(df)), min(none, 1+far/math.Sqrt(df))
	if from < to {
		density := chiDensity(df)
		power += quad.Fixed(func(s float64) float64 { return between(s) * density(s) }, from, to, 96, quad.Legendre{}, 0)
	}
	return min(1, power)
}

// chiDensity returns the density of √(χ²(df)/df).
func chiDensity(df float64) func(s float64) float64 {
	logGamma, _ := math.Lgamma(df / 2)
	constant := math.Ln2 + df/2*math.Log(df/2) - logGamma
	return func(s float64) float64 {
		return math.Exp(constant + (df-1)*math.Log(s) - df/2*s*s)
	}
}

// SmallestMargin returns the smallest margin, in the unit of sd, within which an
// effect of 0 is shown to lie with chance power, by two one-sided paired t tests
// at level alpha over the given blocks; sd is the standard deviation of one
// block's difference. It is the margin at which BlocksForEquivalence needs that
// many blocks.
//
// It is +Inf below 2 blocks or when sd is +Inf, and 0 when sd is 0. It panics
// unless alpha and power make a valid Target, and if sd is negative or NaN.
func SmallestMargin(alpha, power, sd float64, blocks int) float64 {
	t := Target{Alpha: alpha, Power: power}
	t.check("SmallestMargin")
	checkSD("SmallestMargin", sd)
	switch {
	case blocks < 2 || math.IsInf(sd, 1):
		return math.Inf(1)
	case sd == 0:
		return 0
	}
	// In units of the standard error. Power grows with the margin.
	low, high := 0.0, 1.0
	reached := func(margin float64) bool {
		t.Margin = margin
		return equivalencePower(t, 0, 1, float64(blocks-1)) >= power
	}
	for !reached(high) {
		low, high = high, 2*high
	}
	for high-low > 1e-9*high {
		if middle := (low + high) / 2; reached(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high * sd / math.Sqrt(float64(blocks))
}
