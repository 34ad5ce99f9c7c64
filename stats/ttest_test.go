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

// mustPanic fails unless f panics with a message that starts "stats: ".
func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		message, ok := recover().(string)
		if !ok || len(message) < 7 || message[:7] != "stats: " {
			t.Errorf("%s: panic %q, want one that starts %q", what, message, "stats: ")
		}
	}()
	f()
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
	for confidence, want := range map[float64][2]float64{
		0.95: {-3.36548323071, 0.20548323071},
		0.90: {-3.05338149733, -0.10661850267},
	} {
		iv := e.Interval(confidence)
		near(t, "low", iv.Low, want[0], 1e-10)
		near(t, "high", iv.High, want[1], 1e-10)
	}
	// R: t.test(..., mu = -4, alternative = "greater"), mu = 4 "less".
	near(t, "TOST low", e.PAbove(-4), 0.00536162410, 1e-11)
	near(t, "TOST high", e.PBelow(4), 1.90040568e-06, 1e-14)
	near(t, "TOST", TOST(e, -4, 4), 0.00536162410, 1e-11)
}
