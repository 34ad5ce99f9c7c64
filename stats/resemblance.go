package stats

import "math"

// Resemblances returns what the other series of one machine say of how much the
// nights of each resemble each other, for ChangeRule. series[i][night] is what series
// i measured, NaN where it measured nothing; all have the same nights. A series that
// no other of at least 15 values stands beside gets the zero value.
//
// The autocorrelation is the mean of those of the others, weighted by their nights.
// They count as fewer nights the more the series resemble one another on the same
// night: series with a common correlation c say as much as 1/(1+(m-1)c²) of m
// independent ones. And they count as fewer where their autocorrelations differ by
// more than their errors: what one series is like says less of another then.
//
// It panics if two series differ in length, or a value is infinite or beyond ±1e150.
func Resemblances(series [][]float64) []Resemblance {
	lenders := make([]lender, 0, len(series))
	for i, xs := range series {
		if len(xs) != len(series[0]) {
			panic("stats: Resemblances: series of different lengths")
		}
		if l, ok := newLender(i, xs); ok {
			lenders = append(lenders, l)
		}
	}
	common := commonCorrelation(lenders, series)
	known := make([]Resemblance, len(series))
	for i := range known {
		known[i] = lend(lenders, i, common)
	}
	return known
}

// A lender is a series as far as it can say something of others.
type lender struct {
	series    int
	r, nights float64
	residuals []float64 // divided by their standard deviation; NaN where it measured nothing
}

func newLender(series int, xs []float64) (lender, bool) {
	measured := make([]float64, 0, len(xs))
	for _, x := range xs {
		if !math.IsNaN(x) {
			measured = append(measured, x)
		}
	}
	if len(measured) < leastForAutoregression {
		return lender{}, false
	}
	checkFinite("Resemblances", measured)
	if isConstant(measured) {
		return lender{}, false
	}
	at, _ := newSplitSearch(measured).best()
	residuals, further := clearResiduals(measured[:at], nil, 0)
	residuals, further = clearResiduals(measured[at:], residuals, further)
	if isConstant(residuals) {
		return lender{}, false
	}
	l := lender{series: series, r: min(ownAutocorrelation(residuals, further), mostAutocorrelation), nights: float64(len(measured)), residuals: make([]float64, len(xs))}
	_, variance := meanVariance(residuals)
	sd := math.Sqrt(variance)
	for night, x := range xs {
		l.residuals[night] = math.NaN()
		if !math.IsNaN(x) {
			l.residuals[night] = residuals[0] / sd
			residuals = residuals[1:]
		}
	}
	return l, true
}

// commonCorrelation is the mean correlation of two lenders on the same night, in
// [0, 1].
func commonCorrelation(lenders []lender, series [][]float64) float64 {
	if len(lenders) == 0 {
		return 0
	}
	products, pairs := 0.0, 0.0
	for night := range series[0] {
		sum, squares, m := 0.0, 0.0, 0.0
		for _, l := range lenders {
			if z := l.residuals[night]; !math.IsNaN(z) {
				sum, squares, m = sum+z, squares+z*z, m+1
			}
		}
		products, pairs = products+sum*sum-squares, pairs+m*(m-1)
	}
	if pairs == 0 {
		return 0
	}
	return min(max(products/pairs, 0), 1)
}

// lend is what the lenders other than series i know.
func lend(lenders []lender, i int, common float64) Resemblance {
	var nights, sum, others float64
	for _, l := range lenders {
		if l.series != i {
			nights, sum, others = nights+l.nights, sum+l.nights*l.r, others+1
		}
	}
	if others == 0 {
		return Resemblance{}
	}
	mean := sum / nights
	spread := 0.0
	for _, l := range lenders {
		if l.series != i {
			spread += (l.r - mean) * (l.r - mean)
		}
	}
	mean = min(max(mean, 0), mostAutocorrelation)
	share := common * common // of the error of r, as far as it is the same for all
	each := nights / others
	corrected := each / (each - min(7.5, each/2))
	own := ((1-mean*mean)/each + 36*mean*mean/(each*each)) * corrected * corrected * (1 - share)
	between := 0.0
	if others > 1 { // what exceeds the errors by more than a standard error of such a sum
		between = max(0, spread/(others-1)-own*(1+math.Sqrt(2/(others-1))))
	}
	worth := nights / (1 + (others-1)*share)
	return Resemblance{R: mean, Nights: 1 / (1/worth + between/(1-mean*mean))}
}
