package runner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// A warm machine is waited for, as long as it takes and within the limit, and
// the record says for how long.
func TestCooling(t *testing.T) {
	for name, c := range map[string]struct {
		heat    float64 // °C that a trial leaves the processor at
		falls   float64 // in each second
		below   float64
		seconds float64 // waited before the second trial
		celsius float64 // at which it begins
		gaveUp  bool
		reading time.Duration // that the sensor takes to answer
	}{
		"cool":     {60, 5, 75, 0, 60, false, 0},
		"slow":     {60, 5, 75, 0, 60, false, 200 * time.Millisecond},
		"warm":     {90, 5, 75, 3, 75, false, 0},
		"hot":      {90, 1, 75, 10, 80, true, 0},
		"never":    {90, 5, 0, 0, 90, false, 0},
		"no model": {0, 0, 75, 0, 0, false, 0},
	} {
		celsius, now := 40.0, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		opts := options(t.TempDir())
		opts.CoolBelow, opts.CoolLimit = c.below, 10*time.Second
		opts.Now = func() time.Time { return now }
		opts.Temperature = func() (float64, bool) {
			now = now.Add(c.reading)
			return celsius, c.heat > 0
		}
		opts.Sleep = func(_ context.Context, d time.Duration) bool {
			now, celsius = now.Add(d), celsius-c.falls*d.Seconds()
			return true
		}
		bench := &fakeBench{before: func(context.Context, plan.Trial) { celsius = c.heat }}
		run, err := runner.Run(context.Background(), makePlan(t, t.TempDir(), 2), bench, opts)
		if err != nil {
			t.Fatal(err)
		}
		p := run.Trials[1].Preparation
		if c.heat == 0 {
			if p != nil {
				t.Errorf("%s: without a sensor %+v", name, p)
			}
			continue
		}
		if p == nil || p.Cooled != c.seconds || p.TemperatureC == nil || *p.TemperatureC != c.celsius {
			t.Errorf("%s: %+v, want %v s and %v °C", name, p, c.seconds, c.celsius)
		}
		last := run.Trials[len(run.Trials)-1].Preparation
		if c.gaveUp != (last.Cooled == 0 && c.seconds > 0) {
			t.Errorf("%s: waited %v s before the last trial", name, last.Cooled)
		}
		if said := strings.Contains(strings.Join(run.Notes, " "), "stayed above 75 °C"); said != c.gaveUp {
			t.Errorf("%s: notes %q", name, run.Notes)
		}
	}
}

// An interrupt ends the wait.
func TestCoolingIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	opts := options(t.TempDir())
	opts.CoolBelow, opts.CoolLimit = 50, time.Hour
	opts.Temperature = func() (float64, bool) { return 90, true }
	opts.Sleep = func(ctx context.Context, _ time.Duration) bool { cancel(); return false }
	run, err := runner.Run(ctx, makePlan(t, t.TempDir(), 2), &fakeBench{}, opts)
	if err == nil || run == nil || run.Interrupted != "interrupt" || len(run.Trials) != 0 {
		t.Errorf("%v, %+v", err, run)
	}
}
