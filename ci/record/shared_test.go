package record

import (
	"testing"
	"time"
)

// A trial is the same where start, echo and values are, and no other way.
func TestShared(t *testing.T) {
	run := func(change func(*Trial)) *Run {
		one := Trial{ID: "a", Arm: "x", Start: time.Unix(1_000, 0), Echo: map[string]string{"threads": "2"}, Measurements: []Measurement{{Metric: "tg8", Values: []float64{1, 2}}}}
		failed := Trial{ID: "b", Arm: "x", Start: time.Unix(1_000, 0)}
		change(&one)
		return &Run{Trials: []Trial{one, failed}}
	}
	for name, c := range map[string]struct {
		change func(*Trial)
		shared int
	}{
		"the same": {func(t *Trial) { t.ID = "c" }, 1},
		"start":    {func(t *Trial) { t.Start = t.Start.Add(time.Second) }, 0},
		"length":   {func(t *Trial) { t.Seconds = 1 }, 0},
		"echo":     {func(t *Trial) { t.Echo = map[string]string{"threads": "4"} }, 0},
		"metric":   {func(t *Trial) { t.Measurements = []Measurement{{Metric: "pp8", Values: []float64{1, 2}}} }, 0},
		"values":   {func(t *Trial) { t.Measurements = []Measurement{{Metric: "tg8", Values: []float64{1, 3}}} }, 0},
	} {
		if shared, of := run(func(*Trial) {}).Shared("x", run(c.change), "x"); shared != c.shared || of != 1 {
			t.Errorf("%s: %d of %d, want %d of 1", name, shared, of, c.shared)
		}
	}
	if shared, of := run(func(*Trial) {}).Shared("y", run(func(*Trial) {}), "x"); shared != 0 || of != 1 {
		t.Errorf("of another arm: %d of %d", shared, of)
	}
}

// MayNotExist knows metrics by their names alone.
func TestMayNotExist(t *testing.T) {
	for _, d := range serve.Metrics {
		needs := d.Needs == NeedsTokens || d.Needs == NeedsHead || d.Needs == NeedsTurns || d.Needs == NeedsDraft || d.Needs == NeedsProcess || d.Needs == NeedsDevice
		if d.Pattern != "" || MayNotExist(d.Name) != needs {
			t.Errorf("%s: pattern %q, may not exist: %v, want %v", d.Name, d.Pattern, MayNotExist(d.Name), needs)
		}
	}
}
