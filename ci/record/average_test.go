package record

import (
	"math"
	"testing"
)

func TestSummarize(t *testing.T) {
	values := []float64{2, 4, 4, 4, 5, 5, 7, 9} // mean 5, sum of squares 32
	shared := []Measurement{{Metric: "tg8", Values: values}, {Metric: "pp8", Values: []float64{3}}}
	run := &Run{Trials: []Trial{{Arm: "x", Measurements: shared}, {Arm: "y", Measurements: shared}}}
	if run.Summarized("x") {
		t.Error("repetitions count as means")
	}
	run.Summarize("x")
	got := run.Trials[0].Measurements
	if m := got[0]; len(m.Values) != 1 || m.Values[0] != 5 || math.Abs(m.Summary.Deviation-math.Sqrt(32.0/7)) > 1e-12 {
		t.Errorf("%+v %+v", m, m.Summary)
	}
	if got[1].Summary != nil || !run.Summarized("x") || run.Summarized("y") || len(shared[0].Values) != 8 {
		t.Errorf("%+v, and what was shared: %+v", got, shared)
	}
}
