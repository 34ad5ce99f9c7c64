package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// LockVariable names the machine's lock file; containers that share a machine
// are given one that they share.
const LockVariable = "LLAMA_REGRESS_LOCK"

// waiting are the flags that say what to do when somebody else measures on this
// machine.
type waiting struct {
	most time.Duration
	not  bool
}

func (w *waiting) register(f *pflag.FlagSet) {
	// A gate takes half an hour or so: the next job gets its turn, and one that
	// hangs does not hold a queue up all night.
	f.DurationVar(&w.most, "wait", 30*time.Minute, "how long to wait while another run measures on this machine")
	f.BoolVar(&w.not, "no-wait", false, "fail at once when another run measures on this machine")
}

// Alone gets the machine for one measurement.
func Alone(ctx context.Context, a *cli.App, how Flags) (release func(), err error) {
	wait := runner.Waiting{For: max(0, how.wait.most), Notify: func(holder runner.MachineUse, _, left time.Duration) {
		fmt.Fprintf(a.Err, "waiting for this machine, %s at most: it is measured on by %s\n", left.Round(time.Second), holder)
	}}
	if how.wait.not {
		wait.For = 0
	}
	named := a.Getenv(LockVariable)
	lock, err := runner.LockMachine(ctx, cmp.Or(named, runner.MachineLockFile()), how.Dir, wait)
	switch {
	case err == nil:
		return lock.Unlock, nil
	case errors.Is(err, runner.ErrMachineBusy):
		return nil, cli.Unmeasured(err)
	case named != "" || ctx.Err() != nil:
		return nil, err
	}
	// A machine without a place for the lock is no reason not to measure.
	fmt.Fprintf(a.Err, "measuring without a lock, so others may measure at the same time: %v\n", err)
	return func() {}, nil
}
