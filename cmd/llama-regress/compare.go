package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

func (a *app) compareCommand() *cobra.Command {
	var (
		raw   llama.ImportOptions
		loose ignoring
		where storeFlags
		past  pastFlags
		pass  gateFlags
		out   outputs
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

` + storeHelp,
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
			if where.config != "" {
				var err error
				if cfg, err = config.Load(where.config); err != nil {
					return err
				}
			}
			policy, err := pass.policy(cfg.Gate)
			if err != nil {
				return err
			}
			loose.apply(&raw, &policy)
			if err := out.spare(a, args); err != nil {
				return err
			}
			var opened store.Store
			read := func(arg string) (compare.Selection, error) {
				if !strings.HasPrefix(arg, storePrefix) {
					return selectArm(arg, raw)
				}
				if opened == nil {
					if opened, err = where.open(a); err != nil {
						return compare.Selection{}, err
					}
				}
				s, err := a.fromStore(cmd.Context(), opened, past.machine, arg)
				if err == nil {
					_, err = ignoreIn(s.Run, arg, raw.Ignore)
				}
				return s, err
			}
			if args[0] != storePrefix {
				res, src, err := compareWith(args, policy, read)
				if err == nil {
					err = loose.check(src.Base, src.Head)
				}
				if err != nil {
					return err
				}
				src.Compare = loose.command(args)
				return a.conclude(res, src, out)
			}
			if len(args) == 1 {
				args = append(args, storePrefix+"latest")
			}
			head, err := read(args[1])
			if err != nil {
				return err
			}
			if opened == nil {
				if opened, err = where.open(a); err != nil {
					return err
				}
			}
			j, err := a.byHistory(cmd.Context(), opened, head, past, policy)
			if err != nil {
				return err
			}
			j.src.HeadFile = args[1]
			j.suggest(nil)
			return a.conclude(j.res, withRequests(j.src), out)
		},
	}
	raw.Tool = tool()
	loose.register(cmd.Flags())
	cmd.Flags().BoolVar(&raw.Partial, "partial", false, "use the whole results of a raw file that breaks off or holds other text too")
	cmd.Flags().BoolVar(&raw.Mixed, "mixed", false, "accept a raw file with results of several builds or machines")
	where.registerRef(cmd.Flags())
	cmd.Flags().StringVarP(&where.config, "config", "c", "", "configuration whose margins are used; its store too (default of the store: that of "+defaultConfig+", if there)")
	past.register(cmd.Flags())
	pass.register(cmd.Flags())
	out.register(cmd.Flags())
	return cmd
}

// compareFiles reads one or two files and compares them as their kind demands.
func compareFiles(args []string, raw llama.ImportOptions, policy compare.Policy) (*compare.Result, report.Source, error) {
	return compareWith(args, policy, func(arg string) (compare.Selection, error) { return selectArm(arg, raw) })
}

// compareWith compares what read makes of one or two arguments.
func compareWith(args []string, policy compare.Policy, read func(string) (compare.Selection, error)) (*compare.Result, report.Source, error) {
	base, err := read(args[0])
	if err != nil {
		return nil, report.Source{}, err
	}
	if len(args) == 1 {
		if len(base.Run.Arms) < 2 {
			return nil, report.Source{}, fmt.Errorf("%s has one arm; name a second file to compare it with, or compare it with stored sessions: '%s' before it", args[0], storePrefix)
		}
		return compare.Run(base.Run, policy), withRequests(report.Source{Base: base.Run, Head: base.Run, BaseFile: args[0], HeadFile: args[0]}), nil
	}
	head, err := read(args[1])
	if err != nil {
		return nil, report.Source{}, err
	}
	src := report.Source{Base: base.Run, Head: head.Run, BaseFile: args[0], HeadFile: args[1]}
	if shared, of := compare.Shared(base, head); shared > 0 {
		return nil, report.Source{}, fmt.Errorf("%s and %s hold the same measurement: %d of %d trials of the second are trials of the first, of one start and with the same values; name what was measured apart", args[0], args[1], shared, of)
	}
	if base.Run.ID == head.Run.ID && base.Arm != head.Arm {
		head.Run.Baseline = base.Arm // two arms of one session: they are paired
		keep(head.Run, base.Arm, head.Arm)
		src.Base = head.Run
		return compare.Run(head.Run, policy), withRequests(src), nil
	}
	res := compare.Between(base, head, policy)
	if note := oneBuildTwice(base, head); note != "" && len(res.Same) == 0 {
		res.Notes = append(res.Notes, note)
	}
	return res, withRequests(src), nil
}

// oneBuildTwice notes that both sides say they are results of one build.
func oneBuildTwice(base, head compare.Selection) string {
	x, y := armOf(base).Build, armOf(head).Build
	if x.Commit == "" || x.Commit != y.Commit || x.Number != y.Number {
		return ""
	}
	return fmt.Sprintf("Both sides are results of one build, number %d of commit %s: was the second one built anew?", x.Number, x.Commit)
}

// keep drops the contenders nobody asked for; null controls stay.
func keep(run *record.Run, names ...string) {
	var arms []record.Arm
	var trials []record.Trial
	kept := make(map[string]bool)
	for _, arm := range run.Arms {
		for _, name := range names {
			if arm.Name == name || arm.ControlOf == name {
				kept[arm.Name] = true
			}
		}
		if kept[arm.Name] {
			arms = append(arms, arm)
		}
	}
	for _, t := range run.Trials {
		if kept[t.Arm] {
			trials = append(trials, t)
		}
	}
	run.Arms, run.Trials = arms, trials
}

// selectArm reads FILE or FILE#ARM.
func selectArm(arg string, raw llama.ImportOptions) (compare.Selection, error) {
	path, arm, named := strings.Cut(arg, "#")
	if _, err := os.Stat(arg); err == nil {
		path, arm, named = arg, "", false // the file's own name has a #
	}
	run, err := readMeasured(path, raw)
	if err != nil {
		return compare.Selection{}, err
	}
	if !named {
		return compare.Selection{Run: run, Arm: run.Baseline}, nil
	}
	return pickArm(run, path, arm)
}

// readMeasured reads a run record, or raw llama-bench output as one. A folder
// stands for the run it holds.
func readMeasured(path string, raw llama.ImportOptions) (*record.Run, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, runner.RecordFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	start, _ := r.Peek(512) // every writer puts the schema first
	switch {
	case bytes.Contains(start, []byte(`"llama-regress/run/`)):
		run, err := record.Read(r, path)
		if err != nil {
			return nil, err
		}
		return ignoreIn(run, path, raw.Ignore)
	case bytes.Contains(start, []byte(`"llama-regress/report/`)):
		return nil, fmt.Errorf("%s: this is a report; compare the run.json beside it", path)
	case filepath.Base(path) == runner.JournalFile:
		return nil, fmt.Errorf("%s: this is the journal of an unfinished run; see what it holds with 'llama-regress report --dir %s'", path, filepath.Dir(path))
	}
	return llama.Import(path, r, raw)
}
