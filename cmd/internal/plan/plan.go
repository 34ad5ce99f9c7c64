// Package plan is the command that shows what would run.
package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// Command is 'llama-regress plan'.
func Command(a *cli.App) *cobra.Command {
	var (
		what   settings.Flags
		asJSON bool
		full   bool
		from   string
		shard  measure.Flags
		matrix bool
		shards int
	)
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what would run, and in which order",
		Long: `Shows what a configuration would run. With --from it plans the next run from a
measured one instead: how trials and repetitions varied, and the repetitions and
blocks with which --budget shows the smallest loss.

With --github-matrix it prints one line of JSON for strategy.matrix of a GitHub
workflow, a job for each shard; each then calls run --shard, and the last one
merge. All arms of a cell stay in one shard, so on one machine.`,
		Example: `  llama-regress plan -c llama-regress.yaml
  llama-regress plan --full | head
  llama-regress plan --from llama-regress-out/run.json --budget 45m
  echo "matrix=$(llama-regress plan --github-matrix --shards 4)" >>"$GITHUB_OUTPUT"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from != "" {
				return planFrom(a, from, what.Budget, asJSON)
			}
			cfg, err := what.Load(cmd)
			if err != nil {
				return err
			}
			if matrix {
				return githubMatrix(a, cfg, shards)
			}
			if shards != 0 {
				return errors.New("--shards says how many jobs --github-matrix makes; to see one of them give --shard i/n")
			}
			p, err := shard.Expand(cfg)
			if err != nil {
				return err
			}
			sentinel, err := measure.PlanSentinel(a, cfg, shard)
			if err != nil {
				return err
			}
			if asJSON {
				return a.PrintJSON(struct {
					*plan.Plan
					Sentinel *measure.SentinelPlan `json:"sentinel,omitempty"`
				}{p, sentinel})
			}
			if _, err := fmt.Fprint(a.Out, p.Summary(), countLine(p, runtime.NumCPU()), sentinelLine(sentinel, len(p.Trials)), timeLine(p, cfg)); err != nil || !full {
				return err
			}
			for _, t := range p.Trials {
				if _, err := fmt.Fprintf(a.Out, "%6d  block %3d  %-20s  %s\n", t.Order, t.Block, p.Arms[t.Arm].Name, p.Cells[t.Cell].Cell.Key); err != nil {
					return err
				}
			}
			return nil
		},
	}
	what.Register(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the whole plan as JSON")
	cmd.Flags().BoolVar(&full, "full", false, "list every trial")
	cmd.Flags().StringVar(&shard.Shard, "shard", "", "show only part i of n, such as 2/4")
	cmd.Flags().BoolVar(&matrix, "github-matrix", false, "print a job matrix for GitHub, a job for each shard, as one line of JSON")
	cmd.Flags().IntVar(&shards, "shards", 0, "with --github-matrix: how many, at most 256 (default: one a cell)")
	cmd.Flags().StringVar(&from, "from", "", "run record to plan the next run from, within --budget")
	for _, other := range []string{"json", "full", "from", "shard"} {
		cmd.MarkFlagsMutuallyExclusive("github-matrix", other)
	}
	return cmd
}

// timeLine says how long the plan takes, as far as the run before it tells.
func timeLine(p *plan.Plan, cfg *config.Config) string {
	text, _ := runner.HowLong(p, measure.DefaultFolder, cfg.Sampling.Budget)
	return "time    " + text + "\n"
}

// githubMatrix prints what fromJSON makes strategy.matrix of.
func githubMatrix(a *cli.App, cfg *config.Config, shards int) error {
	jobs, err := plan.Jobs(cfg, shards)
	if err != nil {
		return err
	}
	return json.NewEncoder(a.Out).Encode(map[string]any{"include": jobs})
}

// planFrom says what the budget would buy, going by a measured run.
func planFrom(a *cli.App, path string, budget time.Duration, asJSON bool) error {
	if budget <= 0 {
		return errors.New("--from needs --budget, the time there is, such as --budget 45m")
	}
	run, err := record.ReadFile(path)
	if err != nil {
		return err
	}
	outlooks := compare.Outlooks(run, compare.DefaultPolicy(), budget.Seconds())
	if asJSON {
		return json.NewEncoder(a.Out).Encode(outlooks)
	}
	if len(outlooks) == 0 {
		return fmt.Errorf("%s: no comparison with two blocks or more that fits into %v; measure one first, or give more time", path, budget)
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "within\tbetween\trepetitions\tblocks\ttime\tfinds\t  metric, cell, candidate")
	for _, o := range outlooks {
		fmt.Fprintf(w, "%.1f%%\t%.1f%%\t%d\t%d\t%s\t%.1f%%\t  %s  %s  %s\n", 100*o.Within, 100*o.Between, o.Repetitions, o.Blocks,
			time.Duration(o.Seconds*float64(time.Second)).Round(time.Second), 100*o.MDE,
			report.Line(o.Metric, 40), report.Line(o.Cell, 80), report.Line(o.Candidate, 40))
	}
	return w.Flush()
}
