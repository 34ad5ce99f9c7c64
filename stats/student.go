package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// studentT is Student's t with the given degrees of freedom: gonum's but for the
// quantile, which every interval, boundary and sample size is made of. gonum
// v0.17 bisects the incomplete beta for it, which takes ten times as long and,
// far out with many degrees of freedom, ends elsewhere: 1e-9 with a million at
// -258 instead of -6.0.
type studentT float64

func (df studentT) gonum() distuv.StudentsT {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(df)}
}

// CDF returns the probability of a value up to x.
func (df studentT) CDF(x float64) float64 { return df.gonum().CDF(x) }

// Quantile returns x with CDF(x) = p, for p in (0, 1): Hill's (1970) expansion,
// refined by Newton's method on the tail. Near the middle and with a df below 3,
// where the expansion is poor, gonum bisects after all.
func (df studentT) Quantile(p float64) float64 {
	tail := min(p, 1-p)
	if df < 3 || tail > 0.4 || tail == 0 {
		return df.gonum().Quantile(p)
	}
	x, t := hill(float64(df), tail), df.gonum()
	for range 6 {
		step := (t.CDF(x) - tail) / t.Prob(x)
		x -= step
		if math.Abs(step) <= 1e-8*math.Abs(x) { // squared by the step just made
			return math.Copysign(x, p-0.5)
		}
	}
	return t.Quantile(p)
}

// hill is the lower quantile of a small tail to about 6 digits, negative
// (algorithm 396, Communications of the ACM 13, 619).
func hill(n, tail float64) float64 {
	a := 1 / (n - 0.5)
	b := 48 / (a * a)
	c := ((20700*a/b-98)*a-16)*a + 96.36
	d := ((94.5/(b+c)-3)/b + 1) * math.Sqrt(a*math.Pi/2) * n
	y := math.Pow(2*tail*d, 2/n)
	if y > 0.05+a {
		x := distuv.UnitNormal.Quantile(tail)
		y = x * x
		if n < 5 {
			c += 0.3 * (n - 4.5) * (x + 0.6)
		}
		c = (((0.05*d*x-5)*x-7)*x-2)*x + b + c
		y = (((((0.4*y+6.3)*y+36)*y+94.5)/c-y-3)/b + 1) * x
		y = a * y * y
		if y > 0.002 {
			y = math.Expm1(y)
		} else {
			y = 0.5*y*y + y
		}
	} else {
		y = ((1/(((n+6)/(n*y)-0.089*d-0.822)*(n+2)*3)+0.5/(n+4))*y-1)*(n+1)/(n+2) + 1/y
	}
	return -math.Sqrt(n * y)
}
