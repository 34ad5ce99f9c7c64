package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/runner"
)

func (a *app) runCommand() *cobra.Command {
	var (
		what settings
		how  measuring
	)
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Measure and write a run record",
		Long: `Measures every arm of every cell and writes the run record to DIR/run.json. Each
finished trial is in DIR/journal.jsonl at once: a run that was interrupted or
killed goes on with --resume.

'gate' does the same and then compares and reports.`,
		Example: `  llama-regress run -c llama-regress.yaml
  llama-regress run -c llama-regress.yaml --resume
  llama-regress compare llama-regress-out/run.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := what.load(cmd)
			if err != nil {
				return err
			}
			run, err := a.measure(cmd.Context(), cfg, how)
			if run != nil {
				fmt.Fprintln(a.out, filepath.Join(how.dir, runner.RecordFile))
			}
			if err != nil {
				return err
			}
			for _, t := range run.Trials {
				if t.Failure != nil {
					return exitWith(exitUnmeasured)
				}
			}
			return nil
		},
	}
	what.register(cmd.Flags())
	how.register(cmd.Flags())
	return cmd
}
