package runner

import (
	"context"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A Bench measures the trials of one workload. Package ci/llama brings the one
// for llama-bench, tests bring their own.
type Bench interface {
	// Identify says which program an arm runs and checks that it can be
	// driven at all. It is called once an arm, before anything is measured; an
	// error names the arm and ends the run.
	Identify(ctx context.Context, arm record.Arm) (record.Build, error)

	// Measure runs one trial and returns what it measured or why it failed:
	// Outcome, Measurements, Failure, Command, Echo, Resources, Warnings. The
	// runner fills in the rest. The error is reserved for what ends the whole
	// run, such as a cancelled context or a full disk.
	Measure(ctx context.Context, p *plan.Plan, t plan.Trial) (record.Trial, error)
}
