// Package run is the command that measures and writes a run record.
package run

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// Command is 'llama-regress run'.
func Command(a *cli.App) *cobra.Command {
	var (
		what           settings.Flags
		how            measure.Flags
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
			cfg, err := what.Load(cmd)
			if err != nil {
				return err
			}
			if isolate && cfg.Serve == nil {
				return errors.New("--isolate repeats requests to a server: say with which prompts, --dataset FILE, or add a serve section")
			}
			if sweep {
				if cmd.Flags().Changed("max-concurrent") || cmd.Flags().Changed("rate") {
					return errors.New("--sweep finds the load itself: leave out --max-concurrent and --rate")
				}
				if cfg, err = findLevels(cmd.Context(), a, cfg, how); err != nil {
					return err
				}
			}
			return run(cmd.Context(), a, cfg, how, sweep, isolate)
		},
	}
	what.Register(cmd.Flags())
	how.Register(cmd.Flags())
	cmd.Flags().StringVar(&how.Shard, "shard", "", "measure only part i of n, such as 2/4; see merge")
	cmd.Flags().BoolVar(&sweep, "sweep", false, "find how many concurrent requests each arm serves")
	cmd.Flags().BoolVar(&isolate, "isolate", false, "repeat the prompts of failed requests one at a time")
	return cmd
}

// findLevels is the configuration with the concurrency that a sweep measures.
func findLevels(ctx context.Context, a *cli.App, cfg *config.Config, how measure.Flags) (*config.Config, error) {
	switch {
	case how.Shard != "":
		return nil, errors.New("--sweep is of one machine: leave out --shard")
	case how.Resume:
		return nil, errors.New("--sweep finds its levels anew: resume with the levels it had, --max-concurrent 1,2,4")
	}
	p, err := how.Expand(cfg)
	if err != nil {
		return nil, err
	}
	if err := runner.Missing(p); err != nil {
		return nil, cli.Unmeasured(err)
	}
	release, err := measure.Alone(ctx, a, how)
	if err != nil {
		return nil, err
	}
	levels, err := sweepLevels(ctx, a, cfg, how)
	release()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("interrupted while it looked for the levels, of which nothing is kept; give the same command again: %w", err)
	case err != nil:
		return nil, err
	}
	cfg = atLevels(cfg, levels...)
	cfg.Sampling.Adaptive, cfg.Sampling.ConfirmBlocks = 0, 0 // a knee needs every level in every block
	return cfg, nil
}

// run measures, says where the record is and what of it can be said without a
// comparison. Trials that failed are an exit code of their own.
func run(ctx context.Context, a *cli.App, cfg *config.Config, how measure.Flags, sweep, isolate bool) error {
	run, err := measure.Run(ctx, a, cfg, how)
	if run != nil {
		fmt.Fprintln(a.Out, filepath.Join(how.Dir, runner.RecordFile))
	}
	if err != nil {
		return err
	}
	if len(run.Trials) == 0 {
		return measure.ErrNoTrial
	}
	switch {
	case sweep:
		err = printCapacity(a.Out, output.NewReport(compare.Run(run, compare.DefaultPolicy()), report.Source{Base: run, Head: run}).Capacity)
	case measure.OneBuild(run):
		err = measure.Print(a.Out, run)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Err, "next: 'llama-regress report -d %s' writes the reports: differences, failures, charts\n", report.Line(how.Dir, 200))
	if isolate {
		if err := isolateFailed(ctx, a, cfg, run, how); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(run.Trials, func(t record.Trial) bool { return t.Failure != nil }) {
		return cli.Exit(cli.ExitUnmeasured)
	}
	return nil
}
