package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/fixtures/effort"
	"gonum.org/v1/gonum/stat/distuv"
)

// coverageRates are the true rates enumerated; those near 0 follow by symmetry.
var coverageRates = []float64{.5, .55, .6, .65, .7, .75, .8, .85, .9, .925, .95, .96, .97, .98, .99, .995}

// leastDifferenceCoverage enumerates every table of n1 and n2 and returns the
// least probability, over pairs of true rates, that the 95 % interval holds the
// true difference.
func leastDifferenceCoverage(n1, n2 int, interval func(base, head Count, confidence float64) Interval) (least, at1, at2 float64) {
	tables := make([][]Interval, n1+1)
	for k1 := range tables {
		tables[k1] = make([]Interval, n2+1)
		for k2 := range tables[k1] {
			tables[k1][k2] = interval(Count{float64(k1), float64(n1)}, Count{float64(k2), float64(n2)}, .95)
		}
	}
	least = 1
	first, second := make([]float64, n1+1), make([]float64, n2+1)
	for _, p1 := range coverageRates {
		binomialPMF(first, float64(n1), p1)
		for _, p2 := range coverageRates {
			binomialPMF(second, float64(n2), p2)
			covered := 0.0
			for k1, f := range first {
				for k2, iv := range tables[k1] {
					if iv.Low-1e-12 <= p2-p1 && p2-p1 <= iv.High+1e-12 {
						covered += f * second[k2]
					}
				}
			}
			if covered < least {
				least, at1, at2 = covered, p1, p2
			}
		}
	}
	return least, at1, at2
}

// newcombe is what DeflatedNewcombe makes of independent requests.
func newcombe(base, head Count, confidence float64) Interval {
	iv := newcombeAt(base, head, twoSidedZ(confidence))
	iv.Confidence = confidence
	return iv
}

// twoSidedZ is the normal quantile of (1+confidence)/2.
func twoSidedZ(confidence float64) float64 {
	return -distuv.UnitNormal.Quantile((1 - confidence) / 2)
}

// wald is what the gate exists for: the interval of most textbooks.
func wald(base, head Count, confidence float64) Interval {
	p1, p2 := base.Rate(), head.Rate()
	half := twoSidedZ(confidence) * math.Sqrt(p1*(1-p1)/base.N+p2*(1-p2)/head.N)
	return Interval{Estimate: p2 - p1, Low: p2 - p1 - half, High: p2 - p1 + half}
}

// Differences of rates, by exact enumeration: never below 0.93 at
// nominal 0.95. Newcombe, which decides, meets it at every size; the last column
// pins by how much. Wald's must fail, or the gate could not.
func TestDifferenceCoverage(t *testing.T) {
	const gate = .93
	for _, tt := range []struct {
		name     string
		interval func(base, head Count, confidence float64) Interval
		n1, n2   int
		least    float64 // to four digits
	}{
		{"Newcombe", newcombe, 20, 20, .9398},
		{"Newcombe", newcombe, 20, 200, .9369},
		{"Newcombe", newcombe, 100, 100, .9440},
		{"Wald", wald, 20, 20, .2601},
	} {
		least, p1, p2 := leastDifferenceCoverage(tt.n1, tt.n2, tt.interval)
		if math.Abs(least-tt.least) > 6e-5 {
			t.Errorf("%s, %d and %d: least coverage %.4f at rates %g and %g, want %.4f", tt.name, tt.n1, tt.n2, least, p1, p2, tt.least)
		}
		if tt.name == "Newcombe" && least < gate {
			t.Errorf("%s, %d and %d: least coverage %.4f is below the gate", tt.name, tt.n1, tt.n2, least)
		}
	}
}

// Intervals of a location, simulated from a fixed seed: at least the
// nominal 95 % less 1 % and the error of the simulation. The t interval is asked
// under normal and skewed noise, the rank interval under heavy tails too.
func TestLocationCoverage(t *testing.T) {
	draws := effort.Draws(4000, 1000)
	noises := map[string]func(r *rand.Rand) float64{
		"normal": func(r *rand.Rand) float64 { return r.NormFloat64() },
		"heavy": func(r *rand.Rand) float64 { // t with 4 degrees of freedom
			z := 0.0
			for range 4 {
				x := r.NormFloat64()
				z += x * x
			}
			return r.NormFloat64() / math.Sqrt(z/4)
		},
		"spikes": func(r *rand.Rand) float64 { // symmetric, one in ten five times as wide
			x := r.NormFloat64()
			if r.Float64() < .1 {
				x *= 5
			}
			return x
		},
	}
	intervals := map[string]func(base, head, d []float64) Interval{
		"Welch":      func(base, head, _ []float64) Interval { return Welch(base, head).Interval(.95) },
		"PairedT":    func(_, _, d []float64) Interval { return PairedT(d).Interval(.95) },
		"SignedRank": func(_, _, d []float64) Interval { return SignedRank(d, .95) },
	}
	for noise, draw := range noises {
		r := rand.New(rand.NewPCG(11, uint64(len(noise))))
		covered := map[string]int{}
		for range draws {
			base, head, d := make([]float64, 12), make([]float64, 8), make([]float64, 10)
			for _, xs := range [][]float64{base, head, d} {
				for i := range xs {
					xs[i] = draw(r)
				}
			}
			for name, f := range intervals {
				if iv := f(base, head, d); iv.Low <= 0 && 0 <= iv.High {
					covered[name]++
				}
			}
		}
		slack := 3 * math.Sqrt(.94*.06/float64(draws))
		for name := range intervals {
			if c := float64(covered[name]) / float64(draws); c < .94-slack {
				t.Errorf("%s under %s noise: coverage %.4f", name, noise, c)
			}
		}
	}
}
