package settings

import (
	"os"
	"path/filepath"

	"github.com/llama-regress/llama-regress/ci/sched"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// holdScheduler is the command that keeps a scheduler loaded; see sched.Hold.
const holdScheduler = "hold-scheduler"

// KernelVariable is where the kernel's files and, below bin, the programs of
// schedulers are looked for instead of the machine's own: for tests.
const KernelVariable = "LLAMA_REGRESS_KERNEL"

// SchedulerOptions is where schedulers are looked for, and who keeps them loaded: this program.
func SchedulerOptions(a *cli.App) (sched.Options, error) {
	self, err := os.Executable()
	if err != nil {
		return sched.Options{}, err
	}
	opts := sched.Options{Guard: []string{self, holdScheduler}, Root: a.Getenv(KernelVariable)}
	if opts.Root != "" {
		opts.Path = []string{filepath.Join(opts.Root, "bin")}
		opts.Sudo = []string{} // nobody needs rights over files of a test
	}
	return opts, nil
}
