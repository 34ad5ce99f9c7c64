package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/compare"
)

func (a *app) gateCommand() *cobra.Command {
	var (
		what settings
		how  measuring
		pass gateFlags
		out  outputs
	)
	cmd := &cobra.Command{
		Use:   "gate",
		Short: "Measure, compare, report: the whole job, for a desk or for CI",
		Long: `Measures every arm of every cell in interleaved blocks, compares each contender
with the baseline, writes all reports to DIR and exits by the verdict.`,
		Example: `  llama-regress gate --base build-base/bin --head build-head/bin --model model.gguf
  llama-regress gate -c llama-regress.yaml --budget 45m --out junit=junit.xml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := what.load(cmd)
			if err != nil {
				return err
			}
			return a.gate(cmd.Context(), cfg, how, pass, out)
		},
	}
	what.register(cmd.Flags())
	how.register(cmd.Flags())
	pass.register(cmd.Flags())
	out.register(cmd.Flags())
	return cmd
}

// gate measures a configuration, compares, and writes every kind of report
// into the output folder beside those that were asked for.
func (a *app) gate(ctx context.Context, cfg *config.Config, how measuring, pass gateFlags, out outputs) error {
	policy, err := pass.policy(cfg.Gate)
	if err != nil {
		return err
	}
	out.files = append(out.files, how.reportFiles()...)
	if err := out.check(a); err != nil {
		return err
	}
	run, err := a.measure(ctx, cfg, how)
	if run == nil || len(run.Trials) == 0 && err != nil {
		return err
	}
	if len(run.Trials) == 0 {
		return errNoTrial
	}
	concluded := a.conclude(compare.Run(run, policy), a.source(run, how), out)
	if err != nil {
		return err // interrupted: what was measured has been reported
	}
	return concluded
}
