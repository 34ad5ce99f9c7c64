package stats

import (
	"math"
	"testing"
)

// near fails unless got lies within tol of want, or both are the same infinity.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if got == want {
		return
	}
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.12g, want %.12g ± %g", what, got, want, tol)
	}
}

// nearInterval compares the limits of an interval, and that it is in order.
func nearInterval(t *testing.T, what string, got Interval, low, high, tol float64) {
	t.Helper()
	near(t, what+": low", got.Low, low, tol)
	near(t, what+": high", got.High, high, tol)
	sound(t, what, got)
}

// sound fails unless an interval keeps the promises of its type.
func sound(t *testing.T, what string, iv Interval) {
	t.Helper()
	if !(iv.Low <= iv.Estimate && iv.Estimate <= iv.High && iv.Confidence > 0 && iv.Confidence < 1) {
		t.Errorf("%s: unsound interval %+v", what, iv)
	}
}

// Student's sleep data (Biometrika 1908), as in R's datasets::sleep.
var (
	sleep1 = []float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2}
	sleep2 = []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4}
)

// R 4.2.2: t.test(extra ~ group, data = sleep) and its conf.level = 0.90; the
// difference there is group 1 - group 2.
func TestWelchSleep(t *testing.T) {
	e := Welch(sleep2, sleep1)
	near(t, "t", e.Theta/e.SE, -1.86081346749, 1e-10)
	near(t, "df", e.DF, 17.7764735162, 1e-9)
	near(t, "p", 2*e.PBelow(0), 0.0793941401874, 1e-12)
	nearInterval(t, "95 %", e.Interval(0.95), -3.36548323071, 0.20548323071, 1e-10)
	nearInterval(t, "90 %", e.Interval(0.90), -3.05338149733, -0.10661850267, 1e-10)
	// R: t.test(..., mu = -4, alternative = "greater"), mu = 4 "less".
	near(t, "TOST low", e.PAbove(-4), 0.00536162410, 1e-11)
	near(t, "TOST high", e.PBelow(4), 1.90040568e-06, 1e-14)
}

func TestTUnequalSizes(t *testing.T) {
	// R 4.2.2: t.test(b, a).
	e := Welch(sevenValues, sixValues)
	near(t, "Welch", e.Theta, 2.52619047619048, 1e-13)
	near(t, "Welch SE", e.SE, 1.15157045484489, 1e-13)
	near(t, "Welch DF", e.DF, 9.27431738436683, 1e-12)
	near(t, "Welch p", 2*e.PAbove(0), 0.055050126787392, 1e-13)
	nearInterval(t, "Welch", e.Interval(0.95), -0.067144567728191, 5.11952552010914, 1e-12)
	// R: t.test(a, mu = 0).
	e = PairedT(sevenValues)
	near(t, "mean", e.Theta, 4.05714285714286, 1e-13)
	near(t, "SE", e.SE, 0.662195893494172, 1e-14)
	near(t, "DF", e.DF, 6, 0)
}

// a and b of the calls of R quoted in several tests.
var (
	sevenValues = []float64{3.1, 4.7, 2.2, 5.9, 6.3, 1.8, 4.4}
	sixValues   = []float64{2.9, 7.1, 8.3, 6.6, 9.4, 5.2}
)

func TestTQuantiles(t *testing.T) {
	// R 4.2.2: qt(.975, c(4, 2.3, 1.5, 5.7)), qt(.995, 9), qnorm(.975).
	for _, tt := range []struct{ df, confidence, want float64 }{
		{4, .95, 2.776445105}, {2.3, .95, 3.807163208}, {1.5, .95, 6.016663104}, {5.7, .95, 2.478471309},
		{9, .99, 3.249835542}, {math.Inf(1), .95, 1.959963984540},
	} {
		near(t, "t", Estimate{SE: 1, DF: tt.df}.Interval(tt.confidence).High, tt.want, 6e-10)
	}
}

func TestTLittleData(t *testing.T) {
	none, whole := math.Inf(1), math.Inf(-1)
	for _, tt := range []struct {
		name string
		got  Estimate
		want Estimate
	}{
		{"one difference", PairedT([]float64{3}), Estimate{3, none, 1}},
		{"equal differences", PairedT([]float64{0.1, 0.1, 0.1}), Estimate{0.1, 0, 2}},
		{"one value of base", Welch([]float64{1}, []float64{2, 3}), Estimate{1.5, none, 1}},
		{"one value of head", Welch([]float64{2, 3}, []float64{1}), Estimate{-1.5, none, 1}},
		{"no spread", Welch([]float64{0.1, 0.1, 0.1}, []float64{0.1, 0.1}), Estimate{0, 0, 3}},
		{"spread on one side", Welch([]float64{1, 1, 1}, []float64{2, 4}), Estimate{2, 1, 1}},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: have %+v, want %+v", tt.name, tt.got, tt.want)
		}
		sound(t, tt.name, tt.got.Interval(0.9))
	}
	unknown := Estimate{Theta: 3, SE: none, DF: 1}
	nearInterval(t, "unknown", unknown.Interval(0.9), whole, none, 0)
	near(t, "equivalence of the unknown", max(unknown.PAbove(0), unknown.PBelow(9)), 1, 0)
}
