package stats_test

import (
	"math"
	"testing"

	"github.com/llama-regress/llama-regress/stats"
)

// R's t.test(extra ~ group, data = sleep, var.equal = TRUE): t = -1.8608, df = 18,
// p-value = 0.07919, 95 percent confidence interval -3.363874 to 0.203874, of group 1
// minus group 2. The data are those of Student (1908).
func TestPooledT(t *testing.T) {
	one := []float64{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0}
	two := []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4}
	e := stats.PooledT(two, one, 0)
	iv := e.Interval(0.95)
	for _, c := range []struct {
		what       string
		have, want float64
	}{{"t", e.Theta / e.SE, -1.8608}, {"df", e.DF, 18}, {"p", 2 * e.PBelow(0), 0.07919}, {"low", iv.Low, -3.363874}, {"high", iv.High, 0.203874}} {
		if math.Abs(c.have-c.want) > 6e-5 {
			t.Errorf("%s: %v, want %v", c.what, c.have, c.want)
		}
	}
	if m := stats.PooledT(one, two, 0); m.Theta != -e.Theta || m.SE != e.SE {
		t.Errorf("mirrored: %+v, %+v", m, e)
	}
}

// Values that do not vary are no proof of anything: the floor stays.
func TestPooledTFloor(t *testing.T) {
	if e := stats.PooledT([]float64{1, 1}, []float64{2}, 0.5); e.Theta != 1 || e.SE != math.Sqrt2/2 || e.DF != 1 {
		t.Errorf("a floor of 0.5 on each side: %+v", e)
	}
	if e := stats.PooledT([]float64{1}, []float64{2}, 0.5); !math.IsInf(e.SE, 1) {
		t.Errorf("two values: %+v", e)
	}
	for _, floor := range []float64{-1, math.NaN(), math.Inf(1)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("floor %v was taken", floor)
				}
			}()
			stats.PooledT([]float64{1, 1}, []float64{1, 1}, floor)
		}()
	}
}
