package stats

import "math"

// Newcombe returns the difference of two rates, head - base, with the hybrid
// score interval, method 10 of Newcombe (1998): each limit takes the distances
// of the rates from their Wilson limits, d - √((p₁-l₁)²+(u₂-p₂)²) and
// d + √((u₁-p₁)²+(p₂-l₂)²). All in [-1, 1]; never empty, even when nothing or
// everything succeeded. It panics as Wilson does.
func Newcombe(base, head Count, confidence float64) Interval {
	checkCount("Newcombe", base)
	checkCount("Newcombe", head)
	checkConfidence("Newcombe", confidence)
	iv := newcombeAt(base, head, twoSidedZ(confidence))
	iv.Confidence = confidence
	return iv
}

// newcombeAt is Newcombe with critical value z, which may be a t.
func newcombeAt(base, head Count, z float64) Interval {
	p1, p2 := head.Rate(), base.Rate()
	l1, u1 := wilsonLimits(head, z)
	l2, u2 := wilsonLimits(base, z)
	d := p1 - p2
	return Interval{
		Estimate: d,
		Low:      max(-1, d-math.Hypot(p1-l1, u2-p2)),
		High:     min(1, d+math.Hypot(u1-p1, p2-l2)),
	}
}

// MiettinenNurminen returns the difference of two rates, head - base, with the
// interval that inverts the score test of Miettinen and Nurminen (1985): all
// differences delta for which |ScoreZ(base, head, delta)| is at most the normal
// quantile. Where Newcombe keeps 93.7 % of a nominal 95 % at worst, this falls
// to 91.7 % for 20 against 200 at rates of 0.99. It panics as Wilson does.
func MiettinenNurminen(base, head Count, confidence float64) Interval {
	checkCount("MiettinenNurminen", base)
	checkCount("MiettinenNurminen", head)
	checkConfidence("MiettinenNurminen", confidence)
	return scoreInterval(base, head, confidence, unbiasedScale(base, head))
}

// Mee returns the difference of two rates, head - base, with the score interval
// of Mee (1984): MiettinenNurminen without its factor N/(N-1) on the variance,
// hence a little shorter. It panics as Wilson does.
func Mee(base, head Count, confidence float64) Interval {
	checkCount("Mee", base)
	checkCount("Mee", head)
	checkConfidence("Mee", confidence)
	return scoreInterval(base, head, confidence, 1)
}

// ScoreZ returns the score statistic of Miettinen and Nurminen (1985) for the
// null "the rates differ by delta": head - base - delta over its standard error
// with both rates fitted under the null. Under it, it is about standard normal;
// it falls as delta rises. Where the fit leaves no variance it is 0 if the
// difference is delta and infinite otherwise. It panics as Wilson does, and
// unless -1 <= delta <= 1.
func ScoreZ(base, head Count, delta float64) float64 {
	checkCount("ScoreZ", base)
	checkCount("ScoreZ", head)
	if !(delta >= -1 && delta <= 1) {
		panic("stats: ScoreZ: delta must lie in [-1, 1]")
	}
	return scoreZ(base, head, delta, unbiasedScale(base, head))
}

// unbiasedScale is Miettinen and Nurminen's factor on the variance. One
// observation has none to speak of.
func unbiasedScale(base, head Count) float64 {
	if n := base.N + head.N; n > 1 {
		return n / (n - 1)
	}
	return math.Inf(1)
}

func scoreInterval(base, head Count, confidence, scale float64) Interval {
	d, z := head.Rate()-base.Rate(), twoSidedZ(confidence)
	above := func(critical float64) func(float64) float64 {
		return func(delta float64) float64 { return critical - scoreZ(base, head, delta, scale) }
	}
	const tolerance = 1e-12
	return Interval{
		Estimate:   d,
		Low:        min(d, increasingRoot(above(z), -1, d, tolerance)),
		High:       max(d, increasingRoot(above(-z), d, 1, tolerance)),
		Confidence: confidence,
	}
}

func scoreZ(base, head Count, delta, scale float64) float64 {
	p1, p2 := restrictedRates(base, head, delta)
	excess := head.Rate() - base.Rate() - delta
	if excess == 0 {
		return 0
	}
	variance := p1*(1-p1)/head.N + p2*(1-p2)/base.N
	if math.IsInf(scale, 1) {
		return 0
	}
	return excess / math.Sqrt(variance*scale)
}

// restrictedRates returns the rates of head and base that fit best when they
// differ by delta: the root of the likelihood's cubic that lies in range, in
// the closed form of Miettinen and Nurminen's appendix.
func restrictedRates(base, head Count, delta float64) (p1, p2 float64) {
	h1, h2 := head.Rate(), base.Rate()
	theta := base.N / head.N
	a := 1 + theta
	b := -(1 + theta + h1 + theta*h2 + delta*(theta+2))
	c := delta*delta + delta*(2*h1+theta+1) + h1 + theta*h2
	e := -h1 * delta * (1 + delta)
	v := b*b*b/(27*a*a*a) - b*c/(6*a*a) + e/(2*a)
	u := math.Copysign(math.Sqrt(max(0, b*b/(9*a*a)-c/(3*a))), v)
	w := math.Pi / 3
	if u != 0 {
		w = (math.Pi + math.Acos(min(max(v/(u*u*u), -1), 1))) / 3
	}
	p1 = min(max(2*u*math.Cos(w)-b/(3*a), max(0, delta)), min(1, 1+delta))
	return p1, min(max(p1-delta, 0), 1)
}
