package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// errNoTrial ends a run that its budget had no room for: no pass.
var errNoTrial = unmeasured(errors.New("no trial was measured: the budget was spent before the first; raise --budget"))

func (a *app) runCommand() *cobra.Command {
	var (
		what           settings
		how            measuring
		sweep, isolate bool
	)
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Measure and write a run record",
		Long: `Measures every arm of every cell and writes the run record to DIR/run.json. Each
finished trial is in DIR/journal.jsonl at once: a run that was interrupted or
killed goes on with --resume. Of a single build the numbers are printed, too.

'gate' does the same and then compares and reports.

With --sweep it first raises the concurrency of a served model until requests fail
or goodput falls, then measures all those levels and says how many concurrent
requests each arm serves before more bring nothing. With --isolate it repeats the
prompts of failed requests one at a time, to tell a prompt's fault from the load's.

With --shard i/n it measures the i-th of n parts of the matrix, each on a machine
of its own: all arms of a cell and a null control are in the same part. 'merge'
makes one record of them.`,
		Example: `  llama-regress run -c llama-regress.yaml
  llama-regress run -c llama-regress.yaml --resume
  llama-regress compare llama-regress-out/run.json
  llama-regress run -c llama-regress.yaml --shard 2/4 -d shard-2
  llama-regress run --server-binary build/bin/llama-server -m model.gguf --dataset chats.json --sweep`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := what.load(cmd)
			if err != nil {
				return err
			}
			if isolate && cfg.Serve == nil {
				return errors.New("--isolate repeats requests to a server: say with which prompts, --dataset FILE, or add a serve section")
			}
			if sweep {
				switch {
				case how.shard != "":
					return errors.New("--sweep is of one machine: leave out --shard")
				case how.resume:
					return errors.New("--sweep finds its levels anew: resume with the levels it had, --max-concurrent 1,2,4")
				case cmd.Flags().Changed("max-concurrent") || cmd.Flags().Changed("rate"):
					return errors.New("--sweep finds the load itself: leave out --max-concurrent and --rate")
				}
				p, err := how.expand(cfg)
				if err != nil {
					return err
				}
				if err := runner.Missing(p); err != nil {
					return unmeasured(err)
				}
				release, err := a.alone(cmd.Context(), how)
				if err != nil {
					return err
				}
				levels, err := a.sweepLevels(cmd.Context(), cfg, how)
				release()
				switch {
				case cmd.Context().Err() != nil:
					return fmt.Errorf("interrupted while it looked for the levels, of which nothing is kept; give the same command again: %w", err)
				case err != nil:
					return err
				}
				cfg = atLevels(cfg, levels...)
				cfg.Sampling.Adaptive, cfg.Sampling.ConfirmBlocks = 0, 0 // a knee needs every level in every block
			}
			run, err := a.measure(cmd.Context(), cfg, how)
			if run != nil {
				fmt.Fprintln(a.out, filepath.Join(how.dir, runner.RecordFile))
			}
			if err != nil {
				return err
			}
			if len(run.Trials) == 0 {
				return errNoTrial
			}
			switch {
			case sweep:
				err = printKnees(a.out, compare.Capacity(run))
			case oneBuild(run):
				err = printMeasured(a.out, run)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(a.err, "next: 'llama-regress report -d %s' writes the reports: differences, failures, charts\n", report.Line(how.dir, 200))
			if isolate {
				if err := a.isolate(cmd.Context(), cfg, run, how); err != nil {
					return err
				}
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
	cmd.Flags().StringVar(&how.shard, "shard", "", "measure only part i of n, such as 2/4; see merge")
	cmd.Flags().BoolVar(&sweep, "sweep", false, "find how many concurrent requests each arm serves")
	cmd.Flags().BoolVar(&isolate, "isolate", false, "repeat the prompts of failed requests one at a time")
	return cmd
}
