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
	tested := func(t Test) []float64 { return []float64{t.Statistic} }
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
		{"HodgesLehmann", func(b, h []float64) []float64 { return limits(HodgesLehmann(b, h, .9)) }, true, 1e-9},
		{"SignedRank", func(b, h []float64) []float64 { iv, _ := SignedRank(difference(b, h), .9); return limits(iv) }, true, 1e-9},
		{"Permutation", func(b, h []float64) []float64 { return tested(Permutation(b, h)) }, true, 1e-9},
		{"SignFlip", func(b, h []float64) []float64 { return tested(SignFlip(difference(b, h))) }, true, 1e-9},
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

// P-values do not care for unit or, between two samples, for origin; ranks not
// even for the scale's shape.
func TestTestLaws(t *testing.T) {
	base, head := lawSamples()
	logs := func(xs []float64) []float64 {
		ys := slices.Clone(xs)
		for i := range ys {
			ys[i] = math.Log(ys[i])
		}
		return ys
	}
	ks := func(b, h []float64) Test {
		_, p := KolmogorovSmirnov(b, h)
		return Test{TwoSided: p}
	}
	flip := func(b, h []float64) Test { return SignFlip(append(moved(b, -1, 10), moved(h, 1, -10)...)) }
	for name, f := range map[string]func(b, h []float64) Test{
		"MannWhitney": MannWhitney, "Permutation": Permutation, "KolmogorovSmirnov": ks, "SignFlip": flip,
	} {
		want := f(base, head)
		same := func(what string, got Test) {
			t.Helper()
			near(t, name+" less "+what, got.Less, want.Less, 1e-12)
			near(t, name+" greater "+what, got.Greater, want.Greater, 1e-12)
			near(t, name+" two-sided "+what, got.TwoSided, want.TwoSided, 1e-12)
		}
		if name != "SignFlip" {
			same("scaled", f(moved(base, 7, 0), moved(head, 7, 0)))
			same("shifted", f(moved(base, 1, 3), moved(head, 1, 3)))
			same("mirrored and swapped", f(moved(head, -1, 0), moved(base, -1, 0)))
		}
		b, h := slices.Clone(base), slices.Clone(head)
		slices.Reverse(b)
		slices.Sort(h)
		same("reordered", f(b, h))
		if name == "MannWhitney" || name == "KolmogorovSmirnov" {
			same("of logs", f(logs(base), logs(head)))
		}
	}
}

// The bootstrap does not see the order, and moves with the data but for the
// draws, which the data seed.
func TestBootstrapLaws(t *testing.T) {
	_, xs := lawSamples()
	reversed := slices.Clone(xs)
	slices.Reverse(reversed)
	for name, f := range map[string]func([]float64, func([]float64) float64, int, float64) Interval{
		"percentile": BootstrapPercentile, "BCa": BootstrapBCa,
	} {
		iv := f(xs, plainMean, 4000, .9)
		if again := f(reversed, plainMean, 4000, .9); again != iv {
			t.Errorf("%s: order changed %+v to %+v", name, iv, again)
		}
		width := iv.High - iv.Low
		scaled := f(moved(xs, 2, 7), plainMean, 4000, .9)
		nearInterval(t, name+" scaled", scaled, 2*iv.Low+7, 2*iv.High+7, .1*width)
	}
}
