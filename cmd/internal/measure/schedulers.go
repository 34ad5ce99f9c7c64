package measure

import (
	"os"
	"path/filepath"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/ci/sched"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
)

// schedulersOf brings what loads the schedulers that a plan asks for, nil where
// it asks for none. What they write is in the folder of logs; close ends that.
func schedulersOf(a *cli.App, p *plan.Plan, logs string) (_ runner.Schedulers, closeLog func(), err error) {
	if p.Schedulers == nil {
		return nil, func() {}, nil
	}
	opts, err := settings.SchedulerOptions(a)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(filepath.Join(logs, "schedulers.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, nil, err
	}
	opts.Log = f
	opts.Settle, opts.StartTimeout = p.Schedulers.Settle, p.Schedulers.StartTimeout
	return sched.New(opts), func() { f.Close() }, nil
}
