package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// An Interval is a point estimate with its two-sided confidence interval, all
// in the same unit. Low and High may be infinite where the data cannot bound
// that side; no field is ever NaN.
type Interval struct {
	Estimate   float64
	Low, High  float64 // Low <= Estimate <= High
	Confidence float64 // coverage aimed at, in (0, 1): 0.90 for a 90 % interval
}

// An Estimate is a location with the error of its estimation, following
// Student's t with DF degrees of freedom around the true value.
type Estimate struct {
	Theta float64 // the estimate; for log data a difference of logs
	SE    float64 // its standard error, >= 0; +Inf when the data cannot tell
	DF    float64 // degrees of freedom, > 0 and not necessarily whole; +Inf for the normal
}

// Interval returns the two-sided t interval Theta ± t(DF, (1+confidence)/2)·SE.
// With SE 0 it has no width; with SE +Inf it is the whole line.
// It panics unless 0 < confidence < 1.
func (e Estimate) Interval(confidence float64) Interval {
	if !(confidence > 0 && confidence < 1) {
		panic("stats: Estimate.Interval: confidence must lie between 0 and 1")
	}
	iv := Interval{Estimate: e.Theta, Confidence: confidence}
	switch {
	case e.SE == 0:
		iv.Low, iv.High = e.Theta, e.Theta
	case math.IsInf(e.SE, 1):
		iv.Low, iv.High = math.Inf(-1), math.Inf(1)
	default:
		half := e.t().Quantile((1+confidence)/2) * e.SE
		iv.Low, iv.High = e.Theta-half, e.Theta+half
	}
	return iv
}

// PBelow returns the one-sided p-value of the null "the true value is bound or
// more" against "it is less": small when Theta lies well below bound. It is
// 1 when the data cannot tell (SE +Inf), and 0 or 1 when SE is 0.
func (e Estimate) PBelow(bound float64) float64 {
	switch {
	case math.IsInf(e.SE, 1):
		return 1
	case e.SE == 0 && e.Theta < bound:
		return 0
	case e.SE == 0:
		return 1
	}
	return e.t().CDF((e.Theta - bound) / e.SE)
}

// PAbove is PBelow for the other side: small when Theta lies well above bound.
func (e Estimate) PAbove(bound float64) float64 {
	return Estimate{Theta: -e.Theta, SE: e.SE, DF: e.DF}.PBelow(-bound)
}

// location is what both the t and the normal distribution offer.
type location interface {
	CDF(float64) float64
	Quantile(float64) float64
}

func (e Estimate) t() location {
	if math.IsInf(e.DF, 1) {
		return distuv.UnitNormal
	}
	return studentT(e.DF)
}
