package stats

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
)

// A stoppedT follows the t statistics of one growing normal sample whose mean
// is that of the null hypothesis, and which is stopped at the first statistic
// beyond its bound.
//
// The statistic after n values is t = √(n-1)·tan ψ, where ψ is the latitude of
// the sample as a direction in n dimensions, its pole being the direction of
// equal values. The sum of squares is independent of all latitudes so far
// (Basu), so the latitudes form a Markov chain, and the joint law of the
// statistics needs integrals of one latitude alone. Jennison and Turnbull (1991)
// give it as a recursion in sum and sum of squares.
type stoppedT struct {
	n     int     // values at the latest analysis; 0 before the first
	bound float64 // of tan ψ there; +Inf where nothing could be rejected

	// going holds the chance that a sample of a latitude had not been stopped before
	// the latest analysis: at points equally spaced over [-reach, reach]. Nil is 1
	// everywhere.
	going []float64
	reach float64
}

const farOut = 9 // standard deviations beyond which no sample lies

// reachOf returns the latitude that holds every sample of n values.
func reachOf(n int) float64 { return min(math.Pi/2, farOut/math.Sqrt(float64(n))) }

// alive returns going at a latitude, by cubic interpolation.
func (s *stoppedT) alive(latitude float64) float64 {
	if s.going == nil {
		return 1
	}
	last := len(s.going) - 1
	x := (latitude + s.reach) / (2 * s.reach) * float64(last)
	i := min(max(int(x), 1), last-2)
	x = min(max(x, 0), float64(last)) - float64(i)
	g := s.going[i-1 : i+3]
	return -x*(x-1)*(x-2)/6*g[0] + (x+1)*(x-1)*(x-2)/2*g[1] - (x+1)*x*(x-2)/2*g[2] + (x+1)*x*(x-1)/6*g[3]
}

// reject sets the bound of the latest analysis such that a sample is stopped
// there with the given chance, and returns the one-sided p-value at the bound. It
// returns 0 and stops nothing where that chance is too small to be told from 0.
func (s *stoppedT) reject(chance float64) float64 {
	s.bound = math.Inf(1)
	if s.n < 2 || !(chance > 1e-300) {
		return 0
	}
	t := studentT(s.n - 1)
	scale := math.Sqrt(float64(s.n - 1))
	at := func(p float64) float64 { return s.alive(math.Atan(-t.Quantile(p) / scale)) }
	stopped := func(p float64) float64 { // the chance to be stopped by the p-value
		sum := 0.0
		for i, x := range rule16.nodes {
			u := (x + 1) / 2
			sum += rule16.weights[i] / 2 * 3 * u * u * at(p*u*u*u) // closer nodes where going varies faster
		}
		return p * sum
	}
	// That chance is convex in p and at most p: Newton's method cannot miss.
	p := chance
	for range 60 {
		next := min(max(p+(chance-stopped(p))/max(at(p), 1e-6), p/10), 0.999)
		done := math.Abs(next-p) <= 1e-10*p
		if p = next; done {
			break
		}
	}
	s.bound = -t.Quantile(p) / scale
	return p
}

// advance goes on to the analysis after n values, n > s.n.
func (s *stoppedT) advance(n int) {
	if s.n < 2 || s.going == nil && math.IsInf(s.bound, 1) {
		*s = stoppedT{n: n, bound: math.Inf(1)}
		return
	}
	step := s.stepTo(n)
	points := max(64, int(8*farOut/step.across)) // several where going falls from 1 to 0
	next := stoppedT{n: n, bound: math.Inf(1), going: make([]float64, points), reach: reachOf(n)}
	for i := range next.going {
		latitude := next.reach * (2*float64(i)/float64(points-1) - 1)
		next.going[i] = min(max(step.from(latitude), 0), 1)
	}
	*s = next
}

// A step looks back from a latitude after more values to those that it may have
// come from. In n dimensions, of which the first s.n are the earlier sample,
// the sample's part along the earlier pole has the sine of an angle around; what
// is left falls to the earlier and the later values by the angle split.
type step struct {
	before *stoppedT
	along  float64 // of the later pole, the share along the earlier one
	across float64
	limit  float64 // of the angle around, beyond which there is no weight
	power  int     // of the cosine, in the density of the angle around
	norm   float64 // of this density
	cosine []float64
	weight []float64 // of each split of that cosine; they add up to 1
}

func (s *stoppedT) stepTo(n int) *step {
	m, total := float64(n-s.n), float64(n)
	st := &step{
		before: s, along: math.Sqrt(float64(s.n) / total), across: math.Sqrt(m / total),
		limit: min(math.Pi/2, farOut/math.Sqrt(max(total-3, 1))), power: n - 3,
	}
	a, _ := math.Lgamma((total - 1) / 2)
	b, _ := math.Lgamma((total - 2) / 2)
	st.norm = math.Exp(a-b) / math.Sqrt(math.Pi)
	if n-s.n == 1 {
		st.cosine, st.weight = []float64{1}, []float64{1}
		return st
	}
	mode := math.Atan(math.Sqrt((m - 1) / float64(s.n-1)))
	width := farOut / 2 / math.Sqrt(total)
	low, high := max(0, mode-width), min(math.Pi/2, mode+width)
	sum := 0.0
	for i, x := range rule8.nodes {
		split := low + (high-low)*(x+1)/2
		w := rule8.weights[i] * power(math.Cos(split), s.n-2) * power(math.Sin(split), n-s.n-2)
		st.cosine, st.weight = append(st.cosine, math.Cos(split)), append(st.weight, w)
		sum += w
	}
	for i := range st.weight {
		st.weight[i] /= sum
	}
	return st
}

// from returns the chance that a sample that is at a latitude now had not been
// stopped by the earlier analysis.
func (st *step) from(latitude float64) float64 {
	sin, cos := math.Sincos(latitude)
	pole := st.along * sin / cos
	sum := 0.0
	for i, c := range st.cosine {
		// Not stopped: across·sin(around) - bound·c·cos(around) < -pole, which
		// is sin(around - shift) < edge.
		low, high := -st.limit, st.limit
		part := 0.0
		switch bound := st.before.bound * c; {
		case math.IsInf(bound, 1):
			part = st.between(low, high, pole, c)
		default:
			shift, edge := math.Atan2(bound, st.across), -pole/math.Hypot(bound, st.across)
			if edge <= -1 {
				break
			}
			root := math.Asin(min(edge, 1))
			part = st.between(max(low, shift-math.Pi-root), min(high, shift+root), pole, c) +
				st.between(max(low, shift+math.Pi-root), high, pole, c)
		}
		sum += st.weight[i] * part
	}
	return sum
}

// between integrates over angles around the earlier pole.
func (st *step) between(low, high, pole, c float64) float64 {
	if low >= high {
		return 0
	}
	sum := 0.0
	for i, x := range rule16.nodes {
		sin, cos := math.Sincos(low + (high-low)*(x+1)/2)
		sum += rule16.weights[i] * power(cos, st.power) * st.before.alive(math.Atan2(pole+st.across*sin, cos*c))
	}
	return sum * st.norm * (high - low) / 2
}

// power returns x to the power of n, n >= 0.
func power(x float64, n int) float64 {
	y := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			y *= x
		}
		x *= x
	}
	return y
}

// A rule has the nodes and weights of a Gauss-Legendre quadrature over [-1, 1].
type rule struct{ nodes, weights []float64 }

func legendre(n int) rule {
	r := rule{make([]float64, n), make([]float64, n)}
	quad.Legendre{}.FixedLocations(r.nodes, r.weights, -1, 1)
	return r
}

var rule8, rule16 = legendre(8), legendre(16)
