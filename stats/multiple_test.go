package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Adjusted p-values from R 4.2.2: p.adjust(p, "holm"). The second set is the one
// of Benjamini and Hochberg 1995.
func TestAdjustedP(t *testing.T) {
	for _, c := range []struct {
		name    string
		p, holm []float64
	}{
		{
			name: "five equal steps",
			p:    []float64{.01, .02, .03, .04, .05},
			holm: []float64{.05, .08, .09, .09, .09},
		},
		{
			name: "Benjamini and Hochberg 1995",
			p:    []float64{.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590, 1},
			holm: []float64{.0015, .0056, .0247, .1140, .2211, .2780, .2780, .2780, .3213, 1, 1, 1, 1, 1, 1},
		},
		{
			name: "unordered, with ties and a zero",
			p:    []float64{.04, .001, .9, .04, 0, .2, .001},
			holm: []float64{.16, .006, .9, .16, 0, .4, .006},
		},
		{name: "one", p: []float64{.3}, holm: []float64{.3}},
		{name: "none", p: []float64{}, holm: []float64{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := slices.Clone(c.p)
			expectClose(t, "Holm", Holm(c.p), c.holm, 1e-12)
			if !slices.Equal(before, c.p) {
				t.Errorf("input changed to %v", c.p)
			}
		})
	}
}

func TestAdjustedPProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		p := make([]float64, 1+rng.IntN(30))
		for i := range p {
			p[i] = math.Round(rng.Float64()*50) / 50 // ties on purpose
		}
		order := rng.Perm(len(p))
		shuffled := make([]float64, len(p))
		for i, j := range order {
			shuffled[i] = p[j]
		}
		holm := Holm(p)
		for i, q := range Holm(shuffled) {
			if q != holm[order[i]] {
				t.Fatalf("Holm depends on the order of %v", p)
			}
		}
		for i := range p {
			if !(p[i] <= holm[i] && holm[i] <= 1) {
				t.Fatalf("p %v: want p <= Holm <= 1, have %v", p[i], holm[i])
			}
			for j := range p {
				if p[i] <= p[j] && holm[i] > holm[j] {
					t.Fatalf("adjusting %v turned the order of %v and %v around", p, p[i], p[j])
				}
			}
		}
	}
}

func TestAdjustedPMisuse(t *testing.T) {
	for _, bad := range [][]float64{{math.NaN()}, {.5, -.1}, {1.1}, {math.Inf(1)}} {
		expectPanic(t, "stats: Holm: ", func() { Holm(bad) })
	}
}
