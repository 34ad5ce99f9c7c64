package stats

import (
	"slices"
)

// leastICC is the floor under the correlation within trials: a handful of
// trials cannot show that there is none.
const leastICC = 0.01

// What DeflatedNewcombe supposes of the correlation before it sees a failure: the
// middle of the correlations from 0 to 0.2, with the weight of one trial that contains
// a failure (prior weight 1). Few trials with failures estimate the correlation so badly
// that intervals at rates near 1 would miss the truth too often.
//
// Of the weights 1 to 3 and correlations 0.05 to 0.2 these were chosen on other
// seeds than those of gates C4 and C7, over 2 500 combinations of 4 to 15 trials of 10
// to 100 requests, rates up to 0.99, losses up to 10 points and correlations up to
// 0.2: 99 in 100 of them keep 0.94, and more caution costs power.
const (
	rareTrials = 1
	rareICC    = 0.1
)

// ICC estimates the intraclass correlation of successes within trials by the
// one-way analysis of variance: (MSB-MSW)/(MSB+(nA-1)·MSW), with
// MSB = Σnᵢ(pᵢ-p)²/(R-1), MSW = Σnᵢpᵢ(1-pᵢ)/(N-R) and the average size
// nA = (N-Σnᵢ²/N)/(R-1) (Ridout, Demétrio and Firth 1999). Trials of equal sizes
// have nA of that size.
//
// rho is not below 0, and 0 where there is nothing to see: fewer than two
// trials, sizes of one, all successes or none. With one trial, size is its N.
// ICC panics if trials is empty or a count is not 0 <= K <= N, N > 0.
func ICC(trials []Count) (rho, size float64) {
	a := anovaOf(trials, pooledCount("ICC", trials))
	return a.icc(), a.size
}

// anova is a one-way analysis of variance of trials.
type anova struct {
	msb, msw float64 // mean squares between trials and within
	size     float64 // nA
	df       float64 // trials - 1; 0 where trials cannot be told from their requests
}

func anovaOf(trials []Count, total Count) anova {
	r := float64(len(trials))
	if r < 2 {
		return anova{size: total.N}
	}
	p, between, within, squares := total.Rate(), 0.0, 0.0, 0.0
	for _, c := range trials {
		d := c.Rate() - p
		between += c.N * d * d
		within += c.N * c.Rate() * (1 - c.Rate())
		squares += c.N * c.N
	}
	a := anova{size: (total.N - squares/total.N) / (r - 1)}
	if total.N > r {
		a.msb, a.msw, a.df = between/(r-1), within/(total.N-r), r-1
	}
	return a
}

// and takes two arms together, weighted by their degrees of freedom: an arm of
// one trial leaves it all to the other.
func (a anova) and(b anova) anova {
	df := a.df + b.df
	if df == 0 {
		return anova{}
	}
	mean := func(x, y float64) float64 { return (a.df*x + b.df*y) / df }
	return anova{msb: mean(a.msb, b.msb), msw: mean(a.msw, b.msw), size: mean(a.size, b.size), df: df}
}

func (a anova) icc() float64 {
	if a.msb+a.msw == 0 {
		return 0
	}
	return min(max((a.msb-a.msw)/(a.msb+(a.size-1)*a.msw), 0), 1)
}

// A RateDifference is the difference of two overdispersed rates, head - base,
// with what its error rests on. Its methods are those of an Estimate.
type RateDifference struct {
	Difference float64 // rate of head - rate of base, in [-1, 1]
	ICC        float64 // correlation within trials used, in [0.01, 1]
	BaseDeff   float64 // design effect of base, >= 1: so many requests are worth one independent one
	HeadDeff   float64 // design effect of head
	DF         float64 // degrees of freedom of the t quantile: trials - 2

	base, head Count // effective counts
}

// DeflatedNewcombe compares two rates whose successes hang together within
// trials, as when one crash fails many requests. Both arms' counts are divided
// by their design effect 1+(nA-1)·rho (Rao and Scott 1992); Newcombe's interval
// of those effective counts then takes quantiles of t with trials - 2 degrees of
// freedom in place of z, because rho too is estimated.
//
// rho is the ICC of both arms' trials together, each arm around its own rate: an
// arm in which nothing failed shows no correlation and would halve a mean of two.
// With m trials, of both arms, in which something failed (or succeeded, if that
// is rarer), it is drawn towards 0.1 with the weight of one such trial,
// (m·rho+0.1)/(m+1), and at least 0.01; if nothing failed, it is 0.01.
//
// A nominal 95 % interval so formed held the true difference in at least 94 % of
// simulated comparisons at rates up to 0.99 and correlations up to 0.2, of 4 to 10
// trials of 20 or 50 requests; gate C4 holds that. Where most comparisons see no
// failure at all, nothing tells how failures would hang together, and it falls
// below: to 83 % of 4 trials of 100 requests at a rate of 0.999, a correlation of
// 0.2 and a loss of 3 points.
//
// One trial in each arm gives DF 0, for which nothing is known but that the
// difference lies in [-1, 1]. DeflatedNewcombe panics if a side is empty or a
// count is not 0 <= K <= N, N > 0.
func DeflatedNewcombe(base, head []Count) RateDifference {
	total1, total2 := pooledCount("DeflatedNewcombe", base), pooledCount("DeflatedNewcombe", head)
	arm1, arm2 := anovaOf(base, total1), anovaOf(head, total2)
	d := RateDifference{
		Difference: total2.Rate() - total1.Rate(),
		ICC:        leastICC,
		DF:         float64(len(base) + len(head) - 2),
	}
	if m := telling(base, head); m > 0 {
		d.ICC = max(leastICC, (m*arm1.and(arm2).icc()+rareTrials*rareICC)/(m+rareTrials))
	}
	d.BaseDeff = designEffect(arm1.size, d.ICC)
	d.HeadDeff = designEffect(arm2.size, d.ICC)
	d.base = Count{total1.K / d.BaseDeff, total1.N / d.BaseDeff}
	d.head = Count{total2.K / d.HeadDeff, total2.N / d.HeadDeff}
	return d
}

// telling counts the trials that hold a failure, or those that hold a success
// if they are fewer.
func telling(base, head []Count) float64 {
	failed, succeeded := 0.0, 0.0
	for _, c := range slices.Concat(base, head) {
		if c.K < c.N {
			failed++
		}
		if c.K > 0 {
			succeeded++
		}
	}
	return min(failed, succeeded)
}

// Interval returns the difference with its two-sided interval, within [-1, 1].
// It panics unless 0 < confidence < 1.
func (d RateDifference) Interval(confidence float64) Interval {
	checkConfidence("RateDifference.Interval", confidence)
	iv := Interval{Estimate: d.Difference, Low: -1, High: 1, Confidence: confidence}
	if d.DF > 0 {
		at := newcombeAt(d.base, d.head, -d.t().Quantile((1-confidence)/2))
		iv.Low, iv.High = min(at.Low, d.Difference), max(at.High, d.Difference)
	}
	return iv
}

// PBelow returns the one-sided p-value of the null "the true difference is
// bound or more" against "it is less": the level at which the interval's limit
// touches bound. It is 1 when the data cannot tell (DF 0).
func (d RateDifference) PBelow(bound float64) float64 {
	if d.DF == 0 {
		return 1
	}
	const farthest = 1e6 // standard errors; the limits no longer move
	gap := bound - d.Difference
	if gap < 0 { // on the other side of the null: p is above one half
		c := increasingRoot(func(c float64) float64 { return d.Difference - newcombeAt(d.base, d.head, c).Low + gap }, 0, farthest, 1e-12)
		return d.t().CDF(c)
	}
	c := increasingRoot(func(c float64) float64 { return newcombeAt(d.base, d.head, c).High - d.Difference - gap }, 0, farthest, 1e-12)
	return d.t().CDF(-c)
}

// PAbove is PBelow for the other side: small when the difference lies well
// above bound.
func (d RateDifference) PAbove(bound float64) float64 {
	mirrored := d
	mirrored.Difference, mirrored.base, mirrored.head = -d.Difference, d.head, d.base
	return mirrored.PBelow(-bound)
}

func (d RateDifference) t() location {
	return Estimate{DF: d.DF}.t()
}

// TrialsForRate returns how many trials of perTrial requests each arm needs so
// that the interval of DeflatedNewcombe at that confidence, if both arms come
// out at rate with correlation icc within trials, excludes a loss of margin;
// rate, icc and margin as fractions, 0.02 for 2 points. An icc below 0.01 counts
// as 0.01. At least 2, at most 2³⁰, which stands for never.
//
// It panics unless rate and icc lie in [0, 1], perTrial >= 1, and margin and
// confidence lie between 0 and 1.
func TrialsForRate(rate, perTrial, icc, margin, confidence float64) int {
	const fn = "TrialsForRate"
	checkConfidence(fn, confidence)
	if !(rate >= 0 && rate <= 1 && icc >= 0 && icc <= 1 && perTrial >= 1 && margin > 0 && margin < 1) {
		panic("stats: " + fn + ": want rate and icc in [0, 1], perTrial >= 1, margin between 0 and 1")
	}
	deff := designEffect(perTrial, max(icc, leastICC))
	excludes := func(trials int) bool {
		n := float64(trials) * perTrial / deff
		arm := Count{rate * n, n}
		d := RateDifference{DF: float64(2*trials - 2), base: arm, head: arm}
		return d.Interval(confidence).Low > -margin
	}
	const never = 1 << 30
	enough := 2
	for !excludes(enough) {
		if enough *= 2; enough >= never {
			return never
		}
	}
	tooFew := enough / 2
	for enough-tooFew > 1 {
		if middle := (enough + tooFew) / 2; excludes(middle) {
			enough = middle
		} else {
			tooFew = middle
		}
	}
	return enough
}

// designEffect is the variance of a rate over trials of that average size,
// relative to independent requests (Kish 1965).
func designEffect(size, rho float64) float64 {
	return max(1, 1+(size-1)*rho)
}

func pooledCount(fn string, trials []Count) Count {
	if len(trials) == 0 {
		panic("stats: " + fn + ": no trials")
	}
	var total Count
	for _, c := range trials {
		checkCount(fn, c)
		total.K += c.K
		total.N += c.N
	}
	return total
}
