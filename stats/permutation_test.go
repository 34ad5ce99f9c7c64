package stats

import (
	"math"
	"testing"
)

func TestPermutationOracles(t *testing.T) {
	for _, tt := range []struct {
		name                    string
		base, head              []float64
		statistic, greater, two tol
	}{
		// exactRankTests 0.8-35: perm.test of the tenfold values; 4 of 70.
		{"4 of 70", []float64{10.9, 11.2, 11.7, 10.5}, []float64{12, 11.5, 13.1, 12.4}, tol{1.175, 1e-12}, tol{2. / 70, 1e-15}, tol{4. / 70, 1e-15}},
		// scipy.stats.permutation_test((y, x), mean difference, n_resamples=inf, alternative="greater").
		{"ties", tiedX, tiedY, tol{119./9 - 79./8, 1e-12}, tol{0.08564376799670917, 1e-14}, tol{math.NaN(), 0}},
		{"all equal", []float64{2, 2, 2}, []float64{2, 2}, tol{0, 0}, tol{1, 0}, tol{1, 0}},
		{"one each", []float64{1}, []float64{3}, tol{2, 0}, tol{.5, 0}, tol{1, 0}},
		// 0.1+0.2 and 0.3 differ in the last bit, not as sums of a relabelling.
		{"rounding", []float64{.1, .2}, []float64{.3, 0}, tol{0, 1e-15}, tol{4. / 6, 1e-15}, tol{1, 0}},
	} {
		got := Permutation(tt.base, tt.head)
		near(t, tt.name+": statistic", got.Statistic, tt.statistic.value, tt.statistic.by)
		near(t, tt.name+": greater", got.Greater, tt.greater.value, tt.greater.by)
		if !math.IsNaN(tt.two.value) {
			near(t, tt.name+": two-sided", got.TwoSided, tt.two.value, tt.two.by)
		}
		if !got.Exact {
			t.Errorf("%s: not exact", tt.name)
		}
	}
}

// A tol is a wanted value and how near is near enough.
type tol struct{ value, by float64 }

func TestSignFlipOracles(t *testing.T) {
	// scipy.stats.permutation_test((d,), np.mean, permutation_type="samples",
	// n_resamples=inf), two-sided and alternative="greater".
	got := SignFlip([]float64{1.2, -.3, .8, 2.2, -.9, 1.7, .4})
	near(t, "mean", got.Statistic, 0.7285714285714286, 1e-15)
	near(t, "two-sided", got.TwoSided, 0.15625, 1e-15)
	near(t, "greater", got.Greater, 0.078125, 1e-15)

	zero := SignFlip([]float64{0, 0, 0})
	if zero != (Test{0, 1, 1, 1, true}) {
		t.Errorf("all zero: %+v", zero)
	}
	near(t, "least p of 5", SignFlip([]float64{1, 2, 3, 4, 5}).TwoSided, 2./32, 1e-15)
}

// Beyond the bound the draw must agree with the normal approximation of the
// same permutation distribution, and be the same every time.
func TestPermutationDraws(t *testing.T) {
	base, head := make([]float64, 22), make([]float64, 22)
	d := make([]float64, 22)
	for i := range base {
		base[i] = float64(i*29%41) / 4
		head[i] = float64(i*31%43)/4 + 1
		d[i] = head[i] - base[i]
	}
	mean := Welch(base, head)
	got := Permutation(base, head)
	if got.Exact || got != Permutation(base, head) {
		t.Errorf("exact or not repeatable: %+v", got)
	}
	near(t, "Permutation against t", got.Greater, mean.PAbove(0), 0.003)
	near(t, "two-sided", got.TwoSided, 2*got.Greater, 0.003)
	if swapped := Permutation(head, base); swapped != got.mirrored() {
		t.Errorf("swapped: %+v, want %+v", swapped, got.mirrored())
	}

	flip := SignFlip(d)
	if flip.Exact || flip != SignFlip(d) {
		t.Errorf("exact or not repeatable: %+v", flip)
	}
	near(t, "SignFlip against t", flip.Greater, PairedT(d).PAbove(0), 0.005)

	for i := range head {
		head[i] += 1000
	}
	near(t, "least p of a draw", Permutation(base, head).TwoSided, 1e-5, 1e-15)
}

// Both methods on the same data: the draw estimates the exact p.
func TestSignFlipDrawIsNearExact(t *testing.T) {
	d := make([]float64, 20)
	for i := range d {
		d[i] = float64(i*7%20) - 7
	}
	exact := SignFlip(d)
	drawn := SignFlip(append(d, 0)) // a zero changes nothing but the count
	if !exact.Exact || drawn.Exact {
		t.Fatal("the bound between exact and drawn has moved")
	}
	near(t, "greater", drawn.Greater, exact.Greater, 4*math.Sqrt(exact.Greater/permutationDraws))
	near(t, "two-sided", drawn.TwoSided, exact.TwoSided, 4*math.Sqrt(exact.TwoSided/permutationDraws))
}
