package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/compare"
)

// Exit codes are part of the command's interface and do not change.
const (
	ExitPass         = 0
	ExitRegression   = 1   // at least one comparison is a regression
	ExitBroken       = 2   // usage, configuration, unreadable input or our own fault
	ExitInconclusive = 3   // could not tell and the policy says that fails, or nothing could be compared
	ExitUnmeasured   = 4   // a build, model, server or device failed
	exitInterrupted  = 130 // stopped from outside; what was measured is kept
)

// ExitCode is the one place where a result becomes an exit code.
func ExitCode(o compare.Outcome) int {
	switch o {
	case compare.Passed:
		return ExitPass
	case compare.Regressed:
		return ExitRegression
	case compare.MeasurementFailed:
		return ExitUnmeasured
	case compare.NothingCompared, compare.Undecided:
		return ExitInconclusive
	}
	panic("no exit code for outcome " + string(o))
}

// An ExitError ends a command with a code of its own. A nil err prints nothing:
// the report has already said it.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Code)
	}
	return e.Err.Error()
}

func (e *ExitError) Unwrap() error { return e.Err }

// Exit turns a code into the error a command returns: nil for a pass.
func Exit(code int) error {
	if code == ExitPass {
		return nil
	}
	return &ExitError{Code: code}
}

// Unmeasured marks an error as a failed measurement instead of a mistake of
// the caller's.
func Unmeasured(err error) error {
	if err == nil {
		return nil
	}
	return &ExitError{Code: ExitUnmeasured, Err: err}
}

// CodeOf maps what a command returned to its exit code.
func CodeOf(ctx context.Context, err error) int {
	var exit *ExitError
	var unmeasurable *runner.UnmeasurableError
	switch {
	case err == nil:
		return ExitPass
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &exit):
		return exit.Code
	case errors.As(err, &unmeasurable):
		return ExitUnmeasured
	}
	return ExitBroken
}
