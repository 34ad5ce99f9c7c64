// Package compare is the command that compares run records, stored sessions and
// raw output of llama-bench.
package compare

import (
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
	var (
		raw   llama.ImportOptions
		loose judge.Ignored
		where stored.Flags
		past  stored.PastFlags
		pass  settings.GateFlags
		out   output.Flags
	)
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
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg := config.Default()
			if where.Config != "" {
				var err error
				if cfg, err = config.Load(where.Config); err != nil {
					return err
				}
			}
			policy, err := pass.Policy(cfg.Gate)
			if err != nil {
				return err
			}
			loose.Apply(&raw, &policy)
			if err := out.Spare(a, args); err != nil {
				return err
			}
			var opened store.Store
			read := func(arg string) (compare.Selection, error) {
				if !strings.HasPrefix(arg, stored.Prefix) {
					return judge.SelectArm(arg, raw)
				}
				if opened == nil {
					if opened, err = where.Open(a); err != nil {
						return compare.Selection{}, err
					}
				}
				s, err := stored.FromStore(cmd.Context(), a, opened, past.Machine, arg)
				if err == nil {
					_, err = judge.IgnoreIn(s.Run, arg, raw.Ignore)
				}
				return s, err
			}
			if args[0] != stored.Prefix {
				res, src, err := judge.With(args, policy, read)
				if err == nil {
					err = loose.Check(src.Base, src.Head)
				}
				if err != nil {
					return err
				}
				src.Compare = loose.Command(args)
				return output.Conclude(a, res, src, out)
			}
			if len(args) == 1 {
				args = append(args, stored.Prefix+"latest")
			}
			head, err := read(args[1])
			if err != nil {
				return err
			}
			if opened == nil {
				if opened, err = where.Open(a); err != nil {
					return err
				}
			}
			j, err := stored.ByHistory(cmd.Context(), a, opened, head, past, policy)
			if err != nil {
				return err
			}
			j.Source.HeadFile = args[1]
			j.Suggest(nil)
			return output.Conclude(a, j.Result, requests.With(j.Source), out)
		},
	}
	raw.Tool = cli.Tool()
	loose.Register(cmd.Flags())
	cmd.Flags().BoolVar(&raw.Partial, "partial", false, "use the whole results of a raw file that breaks off or holds other text too")
	cmd.Flags().BoolVar(&raw.Mixed, "mixed", false, "accept a raw file with results of several builds or machines")
	where.RegisterRef(cmd.Flags())
	cmd.Flags().StringVarP(&where.Config, "config", "c", "", "configuration whose margins are used; its store too (default of the store: that of "+cli.DefaultConfig+", if there)")
	past.Register(cmd.Flags())
	pass.Register(cmd.Flags())
	out.Register(cmd.Flags())
	return cmd
}
