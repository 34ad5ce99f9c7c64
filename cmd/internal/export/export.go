// Package export is the command that writes run records for other tools.
package export

import (
	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/exporting"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
)

// Command is 'llama-regress export'.
func Command(a *cli.App) *cobra.Command {
	var how exporting.Flags
	cmd := &cobra.Command{
		Use:   "export RUN...",
		Short: "Write run records as CSV, Go benchmarks or llama-bench's SQLite table",
		Long: `Writes one row for each trial and metric of run records: files, or folders that
hold a run.json. 'llama-regress baseline export' does the same for a store.`,
		Example: `  llama-regress export llama-regress-out -f benchfmt -o run.txt && benchstat -col arm -ignore commit run.txt
  llama-regress export llama-regress-out -f sqlite -o llama-bench.sqlite && compare-llama-bench.py -b 5aa1105d -c c0ffee11
  llama-regress export base/run.json head/run.json >trials.csv`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return how.Write(a, func(add func(*record.Run) error) error {
				for _, path := range args {
					run, err := stored.ReadRun(path)
					if err != nil {
						return err
					}
					if err := add(run); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	how.Register(cmd.Flags())
	return cmd
}
