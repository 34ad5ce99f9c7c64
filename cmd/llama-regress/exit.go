package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/compare"
)

// Exit codes are part of the command's interface and do not change.
const (
	exitPass         = 0
	exitRegression   = 1   // at least one comparison is a regression
	exitBroken       = 2   // usage, configuration, unreadable input or our own fault
	exitInconclusive = 3   // could not tell and the policy says that fails, or nothing could be compared
	exitUnmeasured   = 4   // a build, model, server or device failed
	exitInterrupted  = 130 // stopped from outside; what was measured is kept
)

// exitCode is the one place where a result becomes an exit code.
func exitCode(o compare.Outcome) int {
	switch o {
	case compare.Passed:
		return exitPass
	case compare.Regressed:
		return exitRegression
	case compare.MeasurementFailed:
		return exitUnmeasured
	case compare.NothingCompared, compare.Undecided:
		return exitInconclusive
	}
	panic("no exit code for outcome " + string(o))
}

// An exitError ends a command with a code of its own. A nil err prints nothing:
// the report has already said it.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exitWith turns a code into the error a command returns: nil for a pass.
func exitWith(code int) error {
	if code == exitPass {
		return nil
	}
	return &exitError{code: code}
}

// unmeasured marks an error as a failed measurement instead of a mistake of
// the caller's.
func unmeasured(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code: exitUnmeasured, err: err}
}

// codeOf maps what a command returned to its exit code.
func codeOf(ctx context.Context, err error) int {
	var exit *exitError
	var unmeasurable *runner.UnmeasurableError
	switch {
	case err == nil:
		return exitPass
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &unmeasurable):
		return exitUnmeasured
	}
	return exitBroken
}
