// Package gate is the command that measures, compares and reports.
package gate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
	"github.com/llama-regress/llama-regress/compare"
)

// Command is 'llama-regress gate'.
func Command(a *cli.App) *cobra.Command {
	var (
		what settings.Flags
		how  measure.Flags
		pass settings.GateFlags
		out  output.Flags
		past gatePast
		from repository
	)
	cmd := &cobra.Command{
		Use:   "gate",
		Short: "Measure, compare, report: the whole job, for a desk or for CI",
		Long: `Measures every arm of every cell in interleaved blocks, compares each candidate
with the baseline, writes all reports to DIR and exits by the verdict.

With one build there is no candidate: the session is judged by the stored ones of
this machine (history mode). What is worse than they lead to expect is suspected,
and never a regression yet. Where the build of a stored session is still on this
machine, or --confirm-with names it, both are then measured in turns, and that
decides; else the report has the command.

A loss that is confirmed is stored with the session (--record) and stays open: later
sessions that have it are regressions, and no baseline for others, until one is back
or 'baseline promote' accepts it.

With --repo both builds are made here: --base and --head are revisions of that
checkout, built in clones of it, and kept for the next time. Without --base it is
the commit at which HEAD left the default branch. --head . is the work tree as it
is, uncommitted changes and new files included.

Nothing is stored unless --record says so, and pull requests never store.`,
		Example: `  llama-regress gate --base build-base/bin --head build-head/bin --model model.gguf
  llama-regress gate --repo llama.cpp --base master --head my-branch --model model.gguf
  llama-regress gate --repo . --head . --model model.gguf
  llama-regress gate -c llama-regress.yaml --budget 45m --out junit=junit.xml
  llama-regress gate -c llama-regress.yaml --adaptive --budget 45m
  llama-regress gate --head build/bin --model model.gguf --store git:origin#perf-data --record`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := from.load(cmd, &what)
			if err != nil {
				return err
			}
			if from.dir != "" {
				if err := measure.LeaveNothing(a); err != nil { // builds begin before anything is measured
					return err
				}
				kept, err := from.prepare(cmd.Context(), cfg)
				if err != nil {
					return err
				}
				defer kept.Close()
			}
			if err := past.open(cmd.Context(), a, cfg); err != nil {
				return err
			}
			return gate(cmd.Context(), a, cfg, how, pass, out, past, from)
		},
	}
	what.Register(cmd.Flags())
	how.Register(cmd.Flags())
	pass.Register(cmd.Flags())
	out.Register(cmd.Flags())
	out.RegisterHook(cmd.Flags())
	past.register(cmd.Flags())
	from.register(cmd.Flags())
	return cmd
}

// gate measures a configuration, compares, and writes every kind of report
// into the output folder beside those that were asked for. A single build is
// judged by the past.
func gate(ctx context.Context, a *cli.App, cfg *config.Config, how measure.Flags, pass settings.GateFlags, out output.Flags, past gatePast, from repository) error {
	policy, err := pass.Policy(cfg.Gate)
	if err != nil {
		return err
	}
	out.Files = append(out.Files, output.FilesIn(how.Dir)...)
	if err := out.Check(a); err != nil {
		return err
	}
	if err := from.build(ctx, a, cfg, &how); err != nil {
		return err
	}
	begun := time.Now()
	how.Gate = pass
	run, err := measure.Run(ctx, a, cfg, how)
	if run == nil || len(run.Trials) == 0 && err != nil {
		return err
	}
	if len(run.Trials) == 0 {
		return measure.ErrNoTrial
	}
	res, src := compare.Run(run, policy), measure.Source(a, run, how)
	var found *store.Verdict
	var unjudged error
	if past.store != nil && len(cfg.Arms) == 1 {
		session := session{cfg: cfg, how: how, begun: begun}
		j, err := gateByHistory(ctx, a, session, run, err == nil, policy, past)
		if err == nil {
			res, src = j.Result, j.Source
			found = j.Verdict(time.Now())
			src.Ranges = j.Ranges(ctx, past.checkout(ctx, run), found)
		} else { // what was measured is reported all the same
			unjudged = fmt.Errorf("%w; judge it with 'llama-regress compare store: %s --store %s'", err, how.Dir, past.Ref)
			res.Notes = append(res.Notes, fmt.Sprintf("This session could not be judged by the stored ones: %s.", cli.Printable(err.Error())))
		}
	}
	if err := keepVerdict(how.Dir, found); err != nil {
		return err
	}
	concluded := output.Conclude(a, res, src, out)
	stored := past.put(ctx, a, run, found, how.Dir, err == nil)
	switch {
	case err != nil:
		return err // interrupted: what was measured has been reported
	case unjudged != nil:
		return unjudged
	case concluded != nil:
		return concluded
	}
	return stored
}

// gateByHistory judges the one build that was measured by the stored sessions,
// and confirms what they suspect where it can.
func gateByHistory(ctx context.Context, a *cli.App, s session, run *record.Run, complete bool, policy compare.Policy, past gatePast) (*stored.Judgement, error) {
	j, err := stored.ByHistory(ctx, a, past.store, compare.Selection{Run: run, Arm: run.Baseline}, past.PastFlags, policy)
	if err != nil {
		return nil, err
	}
	if only := s.cfg.Cells; len(only) > 0 {
		j.Result.KeepLost(func(cell string) bool { return slices.Contains(only, cell) })
	}
	if complete && !past.noConfirm {
		confirm(ctx, a, s, j, past.confirmWith)
	}
	src := measure.Source(a, run, s.how)
	j.Suggest(withoutFlag(src.Reproduce, "--record"))
	src.Base, src.BaseFile = nil, j.Source.BaseFile
	src.Stored, src.Confirm, src.Rebuild = j.Source.Stored, j.Source.Confirm, j.Source.Rebuild
	src.Memory, src.Machine, src.Store = j.Source.Memory, j.Source.Machine, past.Ref
	j.Source = src
	return j, nil
}
