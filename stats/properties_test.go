package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A law relates what an estimator says of a sample to what it says of the
// sample shifted, scaled, reordered or with the sides exchanged.
type law struct {
	name string
	// read returns location-like values, which move and scale with head - base.
	read func(base, head []float64) []float64
	// shifts tells whether values move when head alone is moved.
	shifts bool
	tol    float64
}

func laws() []law {
	limits := func(iv Interval) []float64 { return []float64{iv.Low, iv.Estimate, iv.High} }
	difference := func(base, head []float64) []float64 {
		d := make([]float64, len(base))
		for i := range d {
			d[i] = head[i] - base[i]
		}
		return d
	}
	return []law{
		{"Welch", func(b, h []float64) []float64 { return limits(Welch(b, h).Interval(.9)) }, true, 1e-9},
		{"PairedT", func(b, h []float64) []float64 { return limits(PairedT(difference(b, h)).Interval(.9)) }, true, 1e-9},
		{"SignedRank", func(b, h []float64) []float64 { return limits(SignedRank(difference(b, h), .9)) }, true, 1e-9},
		{"Slope", func(b, h []float64) []float64 { return limits(Slope(difference(b, h)).Interval(.9)) }, false, 1e-9},
		{"Median", func(b, h []float64) []float64 { return []float64{Median(h) - Median(b)} }, true, 1e-9},
		{"MAD", func(b, h []float64) []float64 { return []float64{MAD(h) - MAD(b)} }, false, 1e-9},
		{"HarrellDavis", func(b, h []float64) []float64 { return []float64{HarrellDavis(h, .5) - HarrellDavis(b, .5)} }, true, 1e-9},
	}
}

func lawSamples() (base, head []float64) {
	for i := range 9 {
		base = append(base, 10+math.Sin(float64(3*i)))
		head = append(head, 10.4+1.3*math.Cos(float64(5*i*i)))
	}
	return base, head
}

func moved(xs []float64, scale, shift float64) []float64 {
	ys := slices.Clone(xs)
	for i := range ys {
		ys[i] = scale*ys[i] + shift
	}
	return ys
}

func TestLaws(t *testing.T) {
	base, head := lawSamples()
	for _, l := range laws() {
		want := l.read(base, head)
		is := func(what string, got []float64, of func(x float64) float64, reversed bool) {
			t.Helper()
			if reversed {
				got = slices.Clone(got)
				slices.Reverse(got)
			}
			for i := range want {
				near(t, l.name+" "+what, got[i], of(want[i]), l.tol)
			}
		}
		same := func(x float64) float64 { return x }
		is("both shifted", l.read(moved(base, 1, 5), moved(head, 1, 5)), same, false)
		is("scaled", l.read(moved(base, 3, 0), moved(head, 3, 0)), func(x float64) float64 { return 3 * x }, false)
		is("swapped", l.read(head, base), func(x float64) float64 { return -x }, true)
		if l.name != "MAD" { // a spread has no sign to turn
			is("mirrored", l.read(moved(base, -1, 0), moved(head, -1, 0)), func(x float64) float64 { return -x }, true)
		}
		shift := 0.0
		if l.shifts {
			shift = 2.5
		}
		is("head shifted", l.read(base, moved(head, 1, 2.5)), func(x float64) float64 { return x + shift }, false)
		if l.name == "Slope" {
			continue // which lives by the order
		}
		// One order for both sides, so that pairs stay pairs.
		order := rand.New(rand.NewPCG(1, 2)).Perm(len(base))
		b, h := make([]float64, len(base)), make([]float64, len(head))
		for i, j := range order {
			b[i], h[i] = base[j], head[j]
		}
		is("reordered", l.read(b, h), same, false)
	}
}

func TestQuantilesMirror(t *testing.T) {
	_, xs := lawSamples()
	for _, q := range []float64{0, .05, .3, .8, 1} {
		near(t, "type 7", Quantile(moved(xs, -1, 0), 1-q), -Quantile(xs, q), 1e-12)
		near(t, "Harrell-Davis", HarrellDavis(moved(xs, -1, 0), 1-q), -HarrellDavis(xs, q), 1e-12)
		if q > 0 && q < 1 {
			iv, mirrored := QuantileInterval(xs, q, .6), QuantileInterval(moved(xs, -1, 0), 1-q, .6)
			nearInterval(t, "order statistics", mirrored, -iv.High, -iv.Low, 1e-12)
		}
	}
}
