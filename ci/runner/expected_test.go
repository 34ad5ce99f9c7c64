package runner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// What a run took tells what the same plan will take; one that lacks a cell tells
// nothing.
func TestExpected(t *testing.T) {
	p := makePlan(t, t.TempDir(), 3)
	dir := t.TempDir()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	opts := options(dir)
	opts.Now = func() time.Time { return now }
	bench := &fakeBench{before: func(_ context.Context, t plan.Trial) { now = now.Add(time.Duration(1+t.Arm+10*t.Cell) * time.Second) }}
	if text, known := runner.HowLong(p, dir, 0); known || text != "not known before the first trial has ended" {
		t.Errorf("without a run: %s", text)
	}
	run, err := runner.Run(context.Background(), p, bench, opts)
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for _, trial := range p.Trials {
		want += float64(1 + trial.Arm + 10*trial.Cell)
	}
	got, ok := runner.Expected(p, run)
	if !ok || got.Seconds() < want-0.001 || got.Seconds() > want+0.001 {
		t.Errorf("%v, %v; want %v s", got, ok, want)
	}
	if text, known := runner.HowLong(p, dir, 45*time.Minute); !known || !strings.HasPrefix(text, "about "+got.Round(time.Second).String()+", going by the run in ") || !strings.HasSuffix(text, "; at most 45m00s, the budget") {
		t.Errorf("%s, %v", text, got)
	}
	run.Trials = run.Trials[:0]
	if _, ok := runner.Expected(p, run); ok {
		t.Error("a run without trials tells something")
	}
}
