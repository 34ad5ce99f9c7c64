package stats

import (
	"fmt"
	"math"
	"testing"
)

// One-sided "head is worse". Fisher by R 4.2.2, Boschloo by
// scipy.stats.boschloo_exact(alternative="less") of SciPy 1.10.1.
func TestExact2x2Oracles(t *testing.T) {
	for _, tt := range []struct {
		head, base       Count
		fisher, boschloo float64
	}{
		{Count{12, 20}, Count{20, 20}, .001638, .000615},
		{Count{15, 20}, Count{20, 20}, .023562, .011264},
		{Count{16, 20}, Count{20, 20}, .053015, .030493},
		{Count{17, 20}, Count{20, 20}, .115385, .076931},
		{Count{195, 200}, Count{200, 200}, .030470, .025520},
		{Count{7, 15}, Count{12, 15}, .064068, .034109},
	} {
		name := fmt.Sprintf("%g/%g ", tt.head.K, tt.head.N)
		near(t, name+"Fisher", Fisher(tt.base, tt.head).Less, tt.fisher, 6e-7)
		near(t, name+"Boschloo", Boschloo(tt.base, tt.head).Less, tt.boschloo, 6e-7)
	}
	// R: fisher.test(matrix(c(3, 1, 1, 3), 2)): the lady tasting tea.
	near(t, "tea", Fisher(Count{1, 4}, Count{3, 4}).TwoSided, 0.485714286, 5e-10)
	// scipy.stats.boschloo_exact([[74, 31], [43, 32]], alternative="greater").
	b := Boschloo(Count{31, 63}, Count{74, 117})
	near(t, "Boschloo", b.Greater, 0.0355640643, 6e-9)
	near(t, "Boschloo statistic", b.Statistic, .0483122101, 6e-11)
	// scipy 1.17.1: boschloo_exact([[9, 25], [22, 15]], alternative="less", n=1024).
	near(t, "Boschloo", Boschloo(Count{25, 40}, Count{9, 31}).Less, 0.0027616345815540803, 1e-10)
	// boschloo_exact([[7, 12], [8, 3]], alternative="two-sided").
	near(t, "two-sided", Boschloo(Count{12, 15}, Count{7, 15}).TwoSided, 0.06821830932319486, 1e-10)
}

// R 4.2.2: fisher.test(matrix(c(k1, n1-k1, k2, n2-k2), 2)) with head first,
// two-sided, "less" and "greater".
func TestFisherAgainstR(t *testing.T) {
	for _, tt := range []struct {
		head, base         Count
		two, less, greater float64
	}{
		{Count{12, 20}, Count{20, 20}, 0.00327600327600327, 0.00163800163800164, 1},
		{Count{7, 15}, Count{12, 15}, 0.128135932033983, 0.0640679660169916, 0.989530234882559},
		{Count{3, 9}, Count{10, 11}, 0.016640866873065, 0.0123839009287926, 0.99953560371517},
		{Count{1000, 1200}, Count{1100, 1250}, 0.000991596669033438, 0.000587554666775188, math.NaN()},
		{Count{20, 20}, Count{20, 20}, 1, 1, 1},
	} {
		got := Fisher(tt.base, tt.head)
		near(t, "two-sided", got.TwoSided, tt.two, 1e-13)
		near(t, "less", got.Less, tt.less, 1e-13)
		if !math.IsNaN(tt.greater) {
			near(t, "greater", got.Greater, tt.greater, 1e-13)
		}
	}
	// R: phyper(1, 10, 7, 8), dhyper(3, 4, 4, 4).
	p, first := hypergeometric(7, 10, 8)
	near(t, "phyper", p[1-first], 0.000411353353, 5e-13) // 0 is impossible
	p, first = hypergeometric(4, 4, 4)
	near(t, "dhyper", p[3-first], 0.228571428571, 5e-13)
}

// The staircase regions against every table of every small size, ordered by the
// definition; and the search against a fine grid.
func TestUnconditionalEnumerated(t *testing.T) {
	for _, n := range [][2]float64{{1, 1}, {3, 5}, {5, 2}} {
		n1, n2 := n[0], n[1]
		for k1 := 0.; k1 <= n1; k1++ {
			for k2 := 0.; k2 <= n2; k2++ {
				if k1 != 1 && k2 != 2 {
					continue // the brute force is slow; a cross of the tables will do
				}
				base, head := Count{k1, n1}, Count{k2, n2}
				brute := func(extreme func(b, h Count) bool) float64 {
					best := 0.0
					x, y := make([]float64, int(n1)+1), make([]float64, int(n2)+1)
					for i := 0; i <= 500; i++ {
						binomialPMF(x, n1, float64(i)/500)
						binomialPMF(y, n2, float64(i)/500)
						sum := 0.0
						for a := range x {
							for b := range y {
								if extreme(Count{float64(a), n1}, Count{float64(b), n2}) {
									sum += x[a] * y[b]
								}
							}
						}
						best = max(best, sum)
					}
					return min(best, 1)
				}
				name := fmt.Sprintf("%g/%g %g/%g ", k1, n1, k2, n2)
				f, boschloo := Fisher(base, head), Boschloo(base, head)
				near(t, name+"Boschloo less", boschloo.Less, brute(func(b, h Count) bool { return Fisher(b, h).Less <= f.Less+1e-9 }), 3e-5)
				near(t, name+"Boschloo greater", boschloo.Greater, brute(func(b, h Count) bool { return Fisher(b, h).Greater <= f.Greater+1e-9 }), 3e-5)
			}
		}
	}
}

func TestExact2x2Properties(t *testing.T) {
	for name, f := range map[string]func(_, _ Count) Test{"Fisher": Fisher, "Boschloo": Boschloo} {
		for _, c := range [][2]Count{{{20, 20}, {12, 20}}, {{3, 9}, {10, 11}}, {{0, 5}, {0, 7}}, {{5, 5}, {7, 7}}, {{1, 1}, {0, 1}}} {
			got, swapped := f(c[0], c[1]), f(c[1], c[0])
			near(t, name+" swapped", swapped.Less, got.Greater, 1e-9)
			near(t, name+" swapped", swapped.TwoSided, got.TwoSided, 1e-9)
			for _, p := range []float64{got.Less, got.Greater, got.TwoSided} {
				if !(p > 0 && p <= 1) {
					t.Errorf("%s(%v): p %g", name, c, p)
				}
			}
			if c[0].K == 0 && c[1].K == 0 && got.TwoSided != 1 {
				t.Errorf("%s: nothing succeeded, yet p %g", name, got.TwoSided)
			}
		}
	}
	if b, f := Boschloo(Count{12, 15}, Count{7, 15}), Fisher(Count{12, 15}, Count{7, 15}); b.Less > f.Less || b.Greater > f.Greater {
		t.Errorf("Boschloo %+v above Fisher %+v", b, f)
	}
}
