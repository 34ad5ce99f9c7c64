package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Adjusted p-values from R 4.2.2: p.adjust(p, "holm"), p.adjust(p, "BH") and
// p.adjust(p, "BY"). The second set is the one of Benjamini and Hochberg 1995.
func TestAdjustedP(t *testing.T) {
	for _, c := range []struct {
		name         string
		p            []float64
		holm, bh, by []float64
	}{
		{
			name: "five equal steps",
			p:    []float64{.01, .02, .03, .04, .05},
			holm: []float64{.05, .08, .09, .09, .09},
			bh:   []float64{.05, .05, .05, .05, .05},
			by:   []float64{.1141666666667, .1141666666667, .1141666666667, .1141666666667, .1141666666667},
		},
		{
			name: "Benjamini and Hochberg 1995",
			p:    []float64{.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590, 1},
			holm: []float64{.0015, .0056, .0247, .1140, .2211, .2780, .2780, .2780, .3213, 1, 1, 1, 1, 1, 1},
			bh: []float64{.0015, .003, .0095, .035625, .0603, .06385714285714, .06385714285714, .0645, .0765,
				.486, .58118181818182, .714875, .75323076923077, .81321428571429, 1},
			by: []float64{.004977343489843, .009954686979687, .031523175435675, .118211907883783, .200089208291708,
				.211892622853337, .211892622853337, .214025770063270, .253844517982018, 1, 1, 1, 1, 1, 1},
		},
		{
			name: "unordered, with ties and a zero",
			p:    []float64{.04, .001, .9, .04, 0, .2, .001},
			holm: []float64{.16, .006, .9, .16, 0, .4, .006},
			bh:   []float64{.056, .002333333333333, .9, .056, 0, .233333333333333, .002333333333333},
			by:   []float64{.1452, .00605, 1, .1452, 0, .605, .00605},
		},
		{name: "one", p: []float64{.3}, holm: []float64{.3}, bh: []float64{.3}, by: []float64{.3}},
		{name: "none", p: []float64{}, holm: []float64{}, bh: []float64{}, by: []float64{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := slices.Clone(c.p)
			expectClose(t, "Holm", Holm(c.p), c.holm, 1e-12)
			expectClose(t, "BenjaminiHochberg", BenjaminiHochberg(c.p), c.bh, 1e-12)
			expectClose(t, "BenjaminiYekutieli", BenjaminiYekutieli(c.p), c.by, 1e-12)
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
		holm, bh, by := Holm(p), BenjaminiHochberg(p), BenjaminiYekutieli(p)
		for i, q := range Holm(shuffled) {
			if q != holm[order[i]] {
				t.Fatalf("Holm depends on the order of %v", p)
			}
		}
		for i := range p {
			if !(p[i] <= bh[i] && bh[i] <= by[i] && bh[i] <= holm[i] && holm[i] <= 1 && by[i] <= 1) {
				t.Fatalf("p %v: want p <= BH <= BY, Holm <= 1, have %v, %v, %v", p[i], bh[i], by[i], holm[i])
			}
			for j := range p {
				if p[i] <= p[j] && (holm[i] > holm[j] || bh[i] > bh[j] || by[i] > by[j]) {
					t.Fatalf("adjusting %v turned the order of %v and %v around", p, p[i], p[j])
				}
			}
		}
	}
}

func TestAdjustedPMisuse(t *testing.T) {
	for _, bad := range [][]float64{{math.NaN()}, {.5, -.1}, {1.1}, {math.Inf(1)}} {
		expectPanic(t, "stats: Holm: ", func() { Holm(bad) })
		expectPanic(t, "stats: BenjaminiHochberg: ", func() { BenjaminiHochberg(bad) })
		expectPanic(t, "stats: BenjaminiYekutieli: ", func() { BenjaminiYekutieli(bad) })
	}
}
