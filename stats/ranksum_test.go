package stats

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"testing"
)

// Hollander and Wolfe (1973), page 69: permeability of the chorioamnion.
var (
	atTerm = []float64{.80, .83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, .73, 1.46}
	early  = []float64{1.15, .88, .90, .74, 1.21}
)

// The x and y with ties of the calls quoted below.
var (
	tiedX = []float64{5, 7, 7, 9, 12, 12, 12, 15}
	tiedY = []float64{6, 7, 8, 12, 13, 16, 16, 20, 21}
)

func TestMannWhitneyOracles(t *testing.T) {
	seventy1, seventy2 := make([]float64, 70), make([]float64, 70)
	for i := range 70 {
		seventy1[i] = float64(i*37%101) / 10
		seventy2[i] = float64(i*53%97)/10 + 0.7
	}
	for _, tt := range []struct {
		name                  string
		base, head            []float64
		u, less, greater, two float64
		tol                   float64
		exact                 bool
	}{
		// R 4.2.2: wilcox.test(x, y), alternative = "greater" and two-sided.
		{"Hollander-Wolfe", early, atTerm, 35, math.NaN(), 0.127206127206, 0.254412254412, 1e-12, true},
		{"U 17", []float64{20, 11, 17, 12}, []float64{19, 22, 16, 29, 24}, 17, math.NaN(), 1. / 18, 1. / 9, 1e-15, true},
		// exactRankTests 0.8-35: wilcox.exact(y, x) and its alternatives.
		{"ties", tiedX, tiedY, 50.5, 0.921349238996298, 0.0853969559851913, 0.171410941999177, 1e-14, true},
		// All 15 divisions by hand; wilcox.exact(c(1, 1), c(1, 1, 2, 3)) gives 7/15 too.
		{"lopsided ties", []float64{1, 1, 2, 3}, []float64{1, 1}, 2, 6. / 15, 1, 7. / 15, 1e-15, true},
		{"all tied", []float64{4, 4, 4}, []float64{4, 4}, 3, 1, 1, 1, 0, true},
		{"one each", []float64{1}, []float64{2}, 1, 1, .5, 1, 1e-15, true},
		{"infinities are ranks", []float64{math.Inf(-1), 1}, []float64{inf, inf}, 4, 1, 1. / 6, 1. / 3, 1e-15, true},
		// R: wilcox.test(big2, big1, exact = FALSE), big1 = (i*37)%%101/10 and
		// big2 = (i*53)%%97/10+0.7 for i in 0:69.
		{"normal approximation", seventy1, seventy2, 2611.5, math.NaN(), math.NaN(), 0.502216639538479, 1e-12, false},
		{"all tied, many", make([]float64, 70), make([]float64, 70), 2450, 1, 1, 1, 0, false},
	} {
		got := MannWhitney(tt.base, tt.head)
		for _, row := range []struct {
			what      string
			got, want float64
		}{{"U", got.Statistic, tt.u}, {"less", got.Less, tt.less}, {"greater", got.Greater, tt.greater}, {"two-sided", got.TwoSided, tt.two}} {
			if !math.IsNaN(row.want) { // NaN: the source gives none
				near(t, tt.name+": "+row.what, row.got, row.want, tt.tol)
			}
		}
		if got.Exact != tt.exact {
			t.Errorf("%s: exact %v", tt.name, got.Exact)
		}
		swapped := MannWhitney(tt.head, tt.base)
		near(t, tt.name+": swapped two-sided", swapped.TwoSided, got.TwoSided, 1e-14)
		near(t, tt.name+": swapped less", swapped.Less, got.Greater, 1e-14)
	}
}

// R 4.2.2: wilcox.test(y, x, exact = FALSE), the approximation with ties; and
// scipy.stats.mannwhitneyu(y, x, method="asymptotic") gives the same.
func TestRankSumTieCorrection(t *testing.T) {
	ties := 0.0
	for _, g := range rankGroups(tiedX, tiedY) {
		n := float64(g.base + g.head)
		ties += n*n*n - n
	}
	variance := 72. / 12 * (18 - ties/(17*16))
	got := normalRankTest(50.5, 36, math.Sqrt(variance))
	near(t, "two-sided", got.TwoSided, 0.173923013067779, 1e-14)
	near(t, "greater", got.Greater, 0.0869615065338895, 1e-14)
}

// The normal approximation of a large tied sample against the exact p.
func TestMannWhitneyApproximationIsNear(t *testing.T) {
	base, head := make([]float64, 60), make([]float64, 60)
	for i := range base {
		base[i] = float64(i * 17 % 23)
		head[i] = float64(i*17%23 + i%4)
	}
	exact := MannWhitney(base, head)
	approximate := MannWhitney(slices.Concat(base, base), slices.Concat(head, head))
	if !exact.Exact || approximate.Exact {
		t.Fatal("the bound between exact and approximate has moved")
	}
	variance := 300.0 * (121 - 120.0*120*120/(23*23)/119/120) // of even ties, about
	normal := normalRankTest(exact.Statistic, 1800, math.Sqrt(variance))
	near(t, "normal against exact", normal.Greater, exact.Greater, 0.002)
}

func TestRankSumDistribution(t *testing.T) {
	untied := func(n int) []rankGroup {
		groups := make([]rankGroup, n)
		for i := range groups {
			groups[i].head = 1
		}
		return groups
	}
	// R 4.2.2: pwilcox(0:3, 5, 5).
	p, _ := rankSumDistribution(5, 5, untied(10))
	cumulative := 0.0
	for s, want := range []float64{.00396825397, .00793650794, .0158730159, .0277777778} {
		cumulative += p[s]
		near(t, "pwilcox", cumulative, want, 5e-11)
	}
	// Least two-sided p, and the largest U that rejects at 5 % two-sided: the
	// tables of any textbook (Siegel 1956).
	for n, want := range map[int]float64{3: .1, 4: .0285714, 5: .00793651, 6: .0021645} {
		xs := make([]float64, n)
		ys := make([]float64, n)
		for i := range xs {
			xs[i], ys[i] = float64(i), float64(100+i)
		}
		near(t, "least p", MannWhitney(xs, ys).TwoSided, want, 5e-8)
	}
	for n, want := range map[int]int{5: 2, 6: 5, 8: 13, 10: 23, 20: 127} {
		if got := rankSumCut(n, n, .025) - 1; got != want {
			t.Errorf("critical U of %d = %d, want %d", n, got, want)
		}
	}
}

// Every division of small tied samples, counted one by one.
func TestMannWhitneyEnumerated(t *testing.T) {
	for _, tt := range [][2][]float64{
		{{1, 2, 2, 3}, {2, 3, 3, 4, 4}}, {{5}, {1, 5, 5, 7}}, {{1, 1, 1, 9}, {1, 9, 9}}, {{3, 1}, {2, 4, 6}},
	} {
		base, head := tt[0], tt[1]
		pooled := slices.Concat(base, head)
		u := func(inHead int) (u2 int) {
			for i, y := range pooled {
				for j, x := range pooled {
					if inHead>>i&1 == 1 && inHead>>j&1 == 0 {
						switch {
						case y > x:
							u2 += 2
						case y == x:
							u2++
						}
					}
				}
			}
			return u2
		}
		mean := len(base) * len(head)
		observed := u((1<<len(head) - 1) << len(base))
		var less, greater, far, all float64
		for s := range 1 << len(pooled) {
			if bits.OnesCount(uint(s)) != len(head) {
				continue
			}
			all++
			v := u(s)
			if v <= observed {
				less++
			}
			if v >= observed {
				greater++
			}
			if max(v-mean, mean-v) >= max(observed-mean, mean-observed) {
				far++
			}
		}
		got := MannWhitney(base, head)
		name := fmt.Sprint(tt)
		near(t, name+" U", got.Statistic, float64(observed)/2, 0)
		near(t, name+" less", got.Less, less/all, 1e-14)
		near(t, name+" greater", got.Greater, greater/all, 1e-14)
		near(t, name+" two-sided", got.TwoSided, far/all, 1e-14)
	}
}

func TestHodgesLehmannOracles(t *testing.T) {
	for _, tt := range []struct {
		name                string
		base, head          []float64
		confidence          float64
		estimate, low, high float64
	}{
		// R 4.2.2: wilcox.test(x, y, conf.int = TRUE).
		{"Hollander-Wolfe", early, atTerm, .95, .305, -.15, .76},
		// R: wilcox.test(b, a, conf.int = TRUE) and conf.level = .9.
		{"7 against 6", sevenValues, sixValues, .95, 2.55, -.2, 5.2},
		{"7 against 6", sevenValues, sixValues, .90, 2.55, .5, 4.9},
		{"too few", []float64{1, 2, 3}, []float64{4, 5, 6}, .95, 3, math.Inf(-1), inf},
		{"just enough", []float64{1, 2, 3}, []float64{4, 5, 6}, .90, 3, 1, 5},
		{"ties everywhere", []float64{2, 2, 2, 2}, []float64{2, 2, 2, 2}, .95, 0, 0, 0},
	} {
		iv := HodgesLehmann(tt.base, tt.head, tt.confidence)
		near(t, tt.name, iv.Estimate, tt.estimate, 1e-12)
		nearInterval(t, tt.name, iv, tt.low, tt.high, 1e-12)
	}
	// Beyond the exact bound the normal cut takes over without a jump.
	for _, tail := range []float64{.05, .025, .005} {
		exact, normal := rankSumCut(64, 64, tail), rankSumCut(64, 65, tail)
		if gap := normal - exact; gap < 15 || gap > 35 {
			t.Errorf("tail %g: cut %d at 64, 64 and %d at 64, 65", tail, exact, normal)
		}
	}
}
