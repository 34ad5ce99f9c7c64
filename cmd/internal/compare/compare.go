// Package compare is the command that compares run records, stored sessions and
// raw output of llama-bench.
package compare

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/judge"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
	"github.com/llama-regress/llama-regress/cmd/internal/requests"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
	"github.com/llama-regress/llama-regress/compare"
)

// Command is 'llama-regress compare'.
func Command(a *cli.App) *cobra.Command {
	var c comparing
	cmd := &cobra.Command{
		Use:   "compare BASE [HEAD]",
		Short: "Compare run records, stored sessions or raw llama-bench output",
		Long: `Compares what is already measured: run records of llama-regress, or the output
of llama-bench -o jsonl or -o json with one invocation appended after another.

A single run record is compared arm by arm with its baseline, paired by block.
Two files are compared unpaired; each needs several invocations of llama-bench,
because the spread between processes is what a verdict rests on, and the
repetitions inside one process cannot show it.

FILE#ARM selects an arm of a run record.

` + stored.Help,
		Example: `  for i in 1 2 3 4 5 6; do
    build-base/bin/llama-bench -m model.gguf -o jsonl >>base.jsonl
    build-head/bin/llama-bench -m model.gguf -o jsonl >>head.jsonl
  done
  llama-regress compare base.jsonl head.jsonl
  llama-regress compare llama-regress-out/run.json --out html=report.html
  llama-regress compare threads2.jsonl threads1.jsonl --ignore threads
  llama-regress compare store: llama-regress-out --store git:origin#perf-data
  llama-regress compare store:commit=5aa1105d store:latest`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error { return c.compare(cmd.Context(), a, args) },
	}
	c.raw.Tool = cli.Tool()
	c.loose.Register(cmd.Flags())
	cmd.Flags().BoolVar(&c.raw.Partial, "partial", false, "use the whole results of a raw file that breaks off or holds other text too")
	cmd.Flags().BoolVar(&c.raw.Mixed, "mixed", false, "accept a raw file with results of several builds or machines")
	c.store.RegisterRef(cmd.Flags())
	cmd.Flags().StringVarP(&c.store.Config, "config", "c", "", "configuration whose margins are used; its store too (default of the store: that of "+cli.DefaultConfig+", if there)")
	c.past.Register(cmd.Flags())
	c.pass.Register(cmd.Flags())
	c.out.Register(cmd.Flags())
	return cmd
}

// comparing are the flags of compare.
type comparing struct {
	raw   llama.ImportOptions
	loose judge.Ignored
	store stored.Flags
	past  stored.PastFlags
	pass  settings.GateFlags
	out   output.Flags

	opened store.Store // once a reference to it was read
}

// compare judges files and stored sessions by each other, or a session by all
// that the store has of its machine.
func (c *comparing) compare(ctx context.Context, a *cli.App, args []string) error {
	cfg, err := config.Default(), error(nil)
	if c.store.Config != "" {
		if cfg, err = config.Load(c.store.Config); err != nil {
			return err
		}
	}
	policy, err := c.pass.Policy(cfg.Gate)
	if err != nil {
		return err
	}
	c.loose.Apply(&c.raw, &policy)
	if err := c.out.Spare(a, args); err != nil {
		return err
	}
	if args[0] == stored.Prefix {
		return c.byHistory(ctx, a, args, policy)
	}
	res, src, err := judge.With(args, policy, func(arg string) (compare.Selection, error) { return c.read(ctx, a, arg) })
	if err == nil {
		err = c.loose.Check(src.Base, src.Head)
	}
	if err != nil {
		return err
	}
	src.Compare = c.loose.Command(args)
	return output.Conclude(a, res, src, c.out)
}

// byHistory judges the second argument, the latest stored session without one.
func (c *comparing) byHistory(ctx context.Context, a *cli.App, args []string, policy compare.Policy) error {
	if len(args) == 1 {
		args = append(args, stored.Prefix+"latest")
	}
	head, err := c.read(ctx, a, args[1])
	if err != nil {
		return err
	}
	if err := c.open(a); err != nil {
		return err
	}
	j, err := stored.ByHistory(ctx, a, c.opened, head, c.past, policy)
	if err != nil {
		return err
	}
	j.Source.HeadFile = args[1]
	j.Suggest(nil)
	j.Source.Ranges = j.Ranges(ctx, nil, nil)
	return output.Conclude(a, j.Result, requests.With(j.Source), c.out)
}

// read reads a file, or the stored session that a reference names.
func (c *comparing) read(ctx context.Context, a *cli.App, arg string) (compare.Selection, error) {
	if !strings.HasPrefix(arg, stored.Prefix) {
		return judge.SelectArm(arg, c.raw)
	}
	if err := c.open(a); err != nil {
		return compare.Selection{}, err
	}
	s, err := stored.FromStore(ctx, a, c.opened, c.past.Machine, arg)
	if err == nil {
		_, err = judge.IgnoreIn(s.Run, arg, c.raw.Ignore)
	}
	return s, err
}

func (c *comparing) open(a *cli.App) (err error) {
	if c.opened == nil {
		c.opened, err = c.store.Open(a)
	}
	return err
}
