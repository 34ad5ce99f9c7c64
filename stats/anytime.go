package stats

import "math"

// anytimePrecision is phi, the precision of the normal prior that the anytime-
// valid t mixes over standardised effects: sd 1/√phi = 0.5. A smaller phi bets
// on larger effects.
const anytimePrecision = 4

// EValue returns the evidence of n = DF+1 blocks against the null that the true
// value is null: with t = (Theta-null)/SE, ν = DF and r = φ/(φ+n), φ = 4,
//
//	e = √r · ((1 + r·t²/ν) / (1 + t²/ν))^(-(ν+1)/2),
//
// the Bayes factor of the t statistic with the effect over σ mixed over
// N(0, 1/φ) (form after Lindon et al., arXiv 2210.08589). Under the null the
// chance that it ever reaches 1/alpha, whenever one looks and for whatever
// reason one goes on, is at most alpha; early on it is a weak test.
//
// The estimate must be the mean of n independent differences with its ordinary
// standard error: neither moderated nor Welch's. With SE +Inf nothing is known
// and e is √r; with SE 0 it is the limit r^(-ν/2) away from the null, √r at it.
// e is positive and may overflow to +Inf. It panics unless DF is positive and
// finite, SE is not negative, and Theta and null are finite.
func EValue(e Estimate, null float64) float64 {
	return math.Exp(logEValue("EValue", e, null))
}

// AnytimePBelow returns a p-value of the null "the true value is bound or more"
// against "it is less" that stays valid however often and for whatever reason
// blocks were added: min(1, 1/EValue) if Theta lies below bound, else 1. It
// rejects at alpha exactly when AnytimeInterval(e, 1-alpha) lies below bound.
// Conditions and panics as in EValue.
func AnytimePBelow(e Estimate, bound float64) float64 {
	logE := logEValue("AnytimePBelow", e, bound)
	if e.Theta >= bound {
		return 1
	}
	return math.Min(1, math.Exp(-logE))
}

// AnytimePAbove is AnytimePBelow for the other side.
func AnytimePAbove(e Estimate, bound float64) float64 {
	logE := logEValue("AnytimePAbove", e, bound)
	if e.Theta <= bound {
		return 1
	}
	return math.Min(1, math.Exp(-logE))
}

// AnytimeInterval returns the values that EValue does not reject at
// 1-confidence: of all such intervals of one growing series, every one covers
// the true value at once with the given confidence. It is the whole line while
// the blocks are too few to exclude anything. Conditions and panics as in
// EValue; confidence must lie in (0, 1).
func AnytimeInterval(e Estimate, confidence float64) Interval {
	if !(confidence > 0 && confidence < 1) {
		panic("stats: AnytimeInterval: confidence must lie between 0 and 1")
	}
	checkAnytime("AnytimeInterval", e, 0)
	iv := Interval{Estimate: e.Theta, Low: math.Inf(-1), High: math.Inf(1), Confidence: confidence}
	// e < 1/alpha solves to x = t²/ν < (c-1)/(1-c·r), c = (1/(alpha·√r))^(2/(ν+1)),
	// and to every x when c·r >= 1.
	r := anytimeShrinkage(e)
	c := math.Pow(1/((1-confidence)*math.Sqrt(r)), 2/(e.DF+1))
	if c*r >= 1 || math.IsInf(e.SE, 1) {
		return iv
	}
	half := math.Sqrt(e.DF*(c-1)/(1-c*r)) * e.SE
	iv.Low, iv.High = e.Theta-half, e.Theta+half
	return iv
}

func logEValue(caller string, e Estimate, null float64) float64 {
	checkAnytime(caller, e, null)
	r := anytimeShrinkage(e)
	distance := math.Abs(e.Theta - null)
	switch {
	case distance == 0 || math.IsInf(e.SE, 1):
		return math.Log(r) / 2
	case e.SE == 0:
		return -e.DF / 2 * math.Log(r)
	}
	x := distance / e.SE / math.Sqrt(e.DF) // x² = t²/ν
	if x > 1e100 {
		return -e.DF / 2 * math.Log(r)
	}
	return math.Log(r)/2 - (e.DF+1)/2*(math.Log1p(r*x*x)-math.Log1p(x*x))
}

func anytimeShrinkage(e Estimate) float64 {
	return anytimePrecision / (anytimePrecision + e.DF + 1)
}

func checkAnytime(caller string, e Estimate, null float64) {
	switch {
	case !(e.DF > 0) || math.IsInf(e.DF, 1):
		panic("stats: " + caller + ": DF must be positive and finite")
	case !(e.SE >= 0):
		panic("stats: " + caller + ": SE must not be negative or NaN")
	case math.IsNaN(e.Theta-null) || math.IsInf(e.Theta, 0) || math.IsInf(null, 0):
		panic("stats: " + caller + ": Theta and the null must be finite")
	}
}
