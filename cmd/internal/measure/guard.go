package measure

import (
	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

const endProcesses = "end-processes"

// LeaveNothing is runner.LeaveNothing, with this program as the guard.
func LeaveNothing(a *cli.App) error {
	if a.Self == "" {
		return nil
	}
	return runner.LeaveNothing(a.Self, endProcesses)
}

// EndCommand is that guard, started by llama-regress itself.
func EndCommand(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:    endProcesses + " MARK",
		Short:  "End what llama-regress started, once standard input ends",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(_ *cobra.Command, args []string) error { return runner.Guard(a.In, args[0]) },
	}
}
