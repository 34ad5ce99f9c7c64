// Package compare is the command that compares run records, stored sessions and
// raw output of llama-bench.
package compare

import (
	"context"
	"errors"
	"os"
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
of llama-bench in any of its formats (jsonl, json, csv, sql, and the tables that it
prints), with one invocation appended after another, or their SQLite file.

A single run record is compared arm by arm with its baseline, paired by block.
Two files are compared unpaired; each needs several invocations of llama-bench,
because the spread between processes is what a verdict rests on, and the
repetitions inside one process cannot show it.

FILE#ARM selects an arm of a run record; -b and -c select two builds of one raw file.

` + stored.Help,
		Example: `  for i in 1 2 3 4 5 6; do
    build-base/bin/llama-bench -m model.gguf -o jsonl >>base.jsonl
    build-head/bin/llama-bench -m model.gguf -o jsonl >>head.jsonl
  done
  llama-regress compare base.jsonl head.jsonl
  llama-regress compare llama-regress-out/run.json --out html=report.html
  llama-regress compare both.jsonl -b 5aa1105d -c c0ffee11
  llama-regress compare llama-bench.sqlite -b 5aa1105d -c c0ffee11
  llama-regress compare threads2.jsonl threads1.jsonl --ignore threads
  llama-regress compare store: llama-regress-out --store git:origin#perf-data
  llama-regress compare store:commit=5aa1105d store:latest`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error { return c.compare(cmd.Context(), a, args) },
	}
	c.raw.Tool = cli.Tool()
	c.loose.Register(cmd.Flags())
	judge.RegisterRaw(cmd.Flags(), &c.raw)
	cmd.Flags().StringVarP(&c.builds[0], "baseline", "b", "", "build of BASE, of a raw file with several: its commit, or the start of it, or its number")
	cmd.Flags().StringVarP(&c.builds[1], "compare", "c", "", "build of HEAD, as --baseline; of the same file where there is one. The name of a file is a configuration, see --config")
	c.store.RegisterRef(cmd.Flags())
	cmd.Flags().StringVar(&c.store.Config, "config", "", "configuration whose margins are used; its store too (default of the store: that of "+cli.DefaultConfig+", if there)")
	c.past.Register(cmd.Flags())
	c.pass.Register(cmd.Flags())
	c.out.Register(cmd.Flags())
	c.out.RegisterHook(cmd.Flags())
	return cmd
}

// comparing are the flags of compare.
type comparing struct {
	raw    llama.ImportOptions
	loose  judge.Ignored
	builds [2]string // of the two sides
	store  stored.Flags
	past   stored.PastFlags
	pass   settings.GateFlags
	out    output.Flags

	opened store.Store // once a reference to it was read
}

// compare judges files and stored sessions by each other, or a session by all
// that the store has of its machine.
func (c *comparing) compare(ctx context.Context, a *cli.App, args []string) error {
	if err := c.chooseBuilds(&args); err != nil {
		return err
	}
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
	sides := c.builds[:]
	res, src, err := judge.With(args, policy, func(arg string) (compare.Selection, error) {
		c.raw.Build, sides = sides[0], sides[1:]
		return c.read(ctx, a, arg)
	})
	if err == nil {
		err = c.loose.Check(src.Base, src.Head)
	}
	if err != nil {
		return err
	}
	src.Compare = c.loose.Command(args)
	return output.Conclude(a, res, src, c.out)
}

// chooseBuilds makes two sides of one file whose builds are named. A file after -c
// is a configuration, as it is after -c of other commands.
func (c *comparing) chooseBuilds(args *[]string) error {
	info, err := os.Stat(c.builds[1])
	file := err == nil && !info.IsDir() || strings.HasSuffix(c.builds[1], ".yaml") || strings.HasSuffix(c.builds[1], ".yml")
	if file && c.store.Config == "" {
		c.builds[1], c.store.Config = "", c.builds[1]
	}
	switch {
	case len(*args) == 2 || c.builds == [2]string{}:
		return nil
	case c.builds[0] == "" || c.builds[1] == "":
		return errors.New("two builds of one file are compared: name the baseline with -b and the other with -c")
	}
	*args = []string{(*args)[0], (*args)[0]}
	return nil
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
