package history

import (
	"math"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/llama-regress/llama-regress/stats"
)

// A Blind says which loss a trend cannot show yet. It is of the stretch that the
// last night belongs to.
type Blind struct {
	Loss   float64   // the loss in question: two margins, as a share or in points
	Nights int       // it has to last so many nights to be found; 0 where no split of so few nights would do
	Points bool      // Loss is in points
	Since  time.Time // the first night from which on it would not be found; that of the whole stretch where Nights is 0
}

// blindness finds how long a loss of two margins has to last before a search by a
// rule finds it. It goes by the t of the split, reduced for nights that resemble
// each other and held against all places that were tried, and by how many orders
// of the nights look as split as the true one: with too few of them no p is small.
func (t *Trend) blindness(sc scale, rule stats.ChangeRule, nights []Night) Blind {
	last := len(t.Points) - 1
	points := t.stretches[t.Points[last].stretch].points
	n, step := len(points), 2*sc.lambda
	b := Blind{Loss: math.Abs(sc.change(-step)), Points: t.Metric.InPoints(), Since: nights[t.Points[points[0]].Night].Started}
	sd := t.noise(sc, points)
	r := rule.Allowance(n)
	for k := 3; k <= n-3; k++ {
		if found(n, k, step, sd, r, rule.Alpha) {
			b.Nights, b.Since = k, nights[t.Points[points[n-k+1]].Night].Started
			break
		}
	}
	return b
}

// found says whether a step, k of n nights old, would be, where an autocorrelation r
// is allowed for.
func found(n, k int, step, sd, r, level float64) bool {
	orders := math.Exp(lchoose(n, k))
	if 2/orders > level/2 {
		return false
	}
	if sd == 0 {
		return true
	}
	reduced := math.Sqrt((1 - r) / (1 + r))
	tt := reduced * step / (sd * math.Sqrt(1/float64(k)+1/float64(n-k)))
	p := 2 * float64(n-5) * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 2)}.Survival(tt)
	return p <= level/2
}

func lchoose(n, k int) float64 {
	lg := func(x int) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	return lg(n) - lg(k) - lg(n-k)
}

// noise is how much nights differ around their levels, from the median difference
// of neighbours: steps between a few of them do not count.
func (t *Trend) noise(sc scale, points []int) float64 {
	xs := t.on(sc, points)
	if len(xs) < 3 {
		return 0
	}
	var apart []float64
	for i := 1; i < len(xs); i++ {
		apart = append(apart, math.Abs(xs[i]-xs[i-1]))
	}
	// Of normal values the median difference is 0.6745 times its standard deviation.
	return stats.Median(apart) / (0.6745 * math.Sqrt2)
}
