// Package nightly is the command that reports what changed over the stored
// nights.
package nightly

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/json"
)

// Commits that are listed of a change point, and change points whose commits
// are looked up: reading them is quick, but a history can be long.
const (
	mostCommits    = 50
	mostCommitted  = 100
	maxFalseAlarms = 365.0
)

// lookback are the flags that say which history to look at, and how.
type lookback struct {
	store       stored.Flags
	pass        settings.GateFlags
	arm         string
	checkout    string
	falseAlarms float64
	title       string
}

func (n *lookback) register(f *pflag.FlagSet) {
	n.store.Register(f)
	n.store.RegisterFilter(f)
	n.pass.Register(f)
	f.StringVar(&n.arm, "arm", "", "arm to follow (default the candidate of sessions that have just one, else the baseline arm)")
	f.StringVar(&n.checkout, "checkout", "", "folder of a llama.cpp checkout with its history, to list the commits between two builds")
	f.Float64Var(&n.falseAlarms, "false-alarms", history.DefaultFalseAlarms, "change points a year that may be none, in all trends together")
}

// Command is 'llama-regress nightly'.
func Command(a *cli.App) *cobra.Command {
	var (
		how    lookback
		out    output.Flags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "nightly",
		Short: "Report what changed over the stored nights: trends, change points, missing nights",
		Long: `Reads the sessions of a store, each machine for itself, and reports

  - change points: nights from which on a level was another one, with size,
    interval, the last good and the first bad night and, with --checkout, the
    commits between; cells that moved together are one entry
  - the last night against those before it, which can only raise a suspicion
  - nights that are missing, and where a history begins anew

A change of machine is a break and never a regression; nor is a change that was
accepted with 'baseline promote'.

Exit codes: 0 no regression is open, 1 one is, 3 nothing is stored or, with
--fail suspected, something is suspected, 4 the last night has trials that
failed.`,
		Example: `  llama-regress nightly --store git:origin#perf-data --checkout ~/llama.cpp
  llama-regress nightly --since 180d --out html=nightly.html --out markdown=digest.md
  llama-regress nightly --json | jq '.machines[].change_points[] | select(.state == "open") | .title'
  llama-regress nightly --false-alarms 1 --machine bench-01`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				out.Format = "json"
			}
			if err := out.CheckNights(a); err != nil {
				return err
			}
			how.title = out.Title
			defer frugal(a)()
			n, err := lookAtNights(cmd.Context(), a, how)
			if err != nil {
				return err
			}
			if err := output.EmitNights(a, n, out); err != nil || out.ExitZero {
				return err
			}
			return cli.Exit(cli.ExitCode(n.Outcome))
		},
	}
	how.register(cmd.Flags())
	out.Register(cmd.Flags())
	out.RegisterHook(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	cmd.MarkFlagsMutuallyExclusive("json", "format")
	cmd.MarkFlagDirname("checkout")
	cmd.AddCommand(trackCommand(a), &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the nightly's JSON report",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.Out.Write(json.NightlyJSONSchema())
			return err
		},
	})
	return cmd
}

// frugal makes the collector of garbage run twice as often, until the returned function
// is called: years of nights are large, and the machine may be a small one. GOGC in the
// environment has the last word.
func frugal(a *cli.App) (restore func()) {
	if a.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(50)
	return func() { debug.SetGCPercent(before) }
}

// lookAtNights reads the store and words what it has to say.
func lookAtNights(ctx context.Context, a *cli.App, how lookback) (report.Nightly, error) {
	var none report.Nightly
	if !(how.falseAlarms > 0 && how.falseAlarms <= maxFalseAlarms) {
		return none, fmt.Errorf("--false-alarms %v: want more than 0, at most %v a year", how.falseAlarms, maxFalseAlarms)
	}
	policy, err := how.policy()
	if err != nil {
		return none, err
	}
	var checkout *history.Checkout
	if how.checkout != "" {
		c, err := history.OpenCheckout(ctx, how.checkout)
		if err != nil {
			return none, fmt.Errorf("--checkout: %w", err)
		}
		checkout = &c
	}
	now := time.Now()
	s, err := how.store.Open(a)
	if err != nil {
		return none, err
	}
	load, err := how.store.Options(now)
	if err != nil {
		return none, err
	}
	c, err := store.Load(ctx, s, load)
	if err != nil {
		return none, err
	}
	stored.Complain(a, c)
	trends := history.Analyze(c, history.TrendOptions{Arm: how.arm, Policy: policy, FalseAlarms: how.falseAlarms, Now: now})
	src := report.NightlySource{
		Title: how.title, Store: s.String(), Since: load.Since, Policy: policy, Latest: make(map[string]*history.Latest),
		Checkout: how.checkout, Calibration: compare.Calibration(), Faults: len(c.Faults), Ahead: len(c.Ahead),
	}
	for i := range trends.Machines {
		m := &trends.Machines[i]
		latest, err := history.Judge(ctx, s, c, *m, policy)
		if err != nil {
			return none, err
		}
		src.Latest[m.Name] = &latest
		if checkout != nil {
			checkout.Blame(ctx, m, mostCommitted, mostCommits)
		}
		if err := ctx.Err(); err != nil {
			return none, err
		}
	}
	return report.NewNightly(trends, src), nil
}

// policy is that of the configuration's gate, with the flags over it.
func (n *lookback) policy() (compare.Policy, error) {
	cfg, err := settings.LoadOrDefault(n.store.Config)
	if err != nil {
		return compare.Policy{}, err
	}
	return n.pass.Policy(cfg.Gate)
}
