package cli

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/llama-regress/llama-regress/compare"
)

// The published codes. A change here breaks somebody's CI.
func TestExitCodes(t *testing.T) {
	for outcome, want := range map[compare.Outcome]int{
		compare.Passed: 0, compare.Regressed: 1, compare.Undecided: 3, compare.NothingCompared: 3, compare.MeasurementFailed: 4,
	} {
		if got := ExitCode(outcome); got != want {
			t.Errorf("%s: exit %d, want %d", outcome, got, want)
		}
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		err  error
		want int
	}{
		{"nothing wrong", context.Background(), nil, 0},
		{"a mistake", context.Background(), errors.New("no such flag"), 2},
		{"a mistake, then an interrupt", stopped, errors.New("no such flag"), 2},
		{"a verdict", context.Background(), Exit(1), 1},
		{"a verdict, wrapped", context.Background(), fmt.Errorf("gate: %w", Exit(3)), 3},
		{"a failed measurement", context.Background(), Unmeasured(errors.New("no llama.cpp")), 4},
		{"an interrupt", stopped, fmt.Errorf("run: %w", context.Canceled), 130},
		{"an interrupt that made a measurement fail", stopped, Unmeasured(fmt.Errorf("apt: %w", context.Canceled)), 130},
		{"a cancelled call that nobody interrupted", context.Background(), context.Canceled, 2},
	}
	for _, tt := range tests {
		if got := CodeOf(tt.ctx, tt.err); got != tt.want {
			t.Errorf("%s: exit %d, want %d", tt.name, got, tt.want)
		}
	}
}
