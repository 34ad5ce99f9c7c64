// Package bisect is the command that finds the commit of llama.cpp that made it
// slower.
package bisect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/bisect"
	"github.com/llama-regress/llama-regress/ci/build"
	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/cmd/internal/builds"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// Command is 'llama-regress bisect'.
func Command(a *cli.App) *cobra.Command {
	var (
		what            settings.Flags
		how             measure.Flags
		pass            settings.GateFlags
		repo, good, bad string
		from, change    string
		metric          string
		making          builds.Flags
		asJSON, keep    bool
	)
	cmd := &cobra.Command{
		Use:   "bisect --good REV --bad REV",
		Short: "Find the commit of llama.cpp that made it slower",
		Long: `Builds and measures commits between a good and a bad one until the first bad one
is found: git bisect, with measurements in turns for its question.

The bad end is measured against the good one first. If it is no regression there
is nothing to find. Else a commit is bad when it has lost more than half of what
the bad end has lost, in the metric that lost most; each step measures a commit in
turns with the good end and stops as soon as that can be told: after 6, 10, 15 or
20 blocks. Commits that do not build, or lie too near to the border, are skipped.
The commit that is found is then measured against its parent.

--count searches by counted instructions instead: each commit is counted once, which
takes no quiet machine and says in which functions the work went up.

The repository is only read, and revisions mean what they mean there: upstream/master,
a tag, HEAD. The commits are built in two clones, which stay for the next bisection
or 'gate --repo' of the same repository and build command. That command is the
configuration's (build: command, bin) or --build, which a shell runs in the
checkout's top folder; $LLAMA_REGRESS_TARGETS there names the programs that are
measured. ccache, where it is installed, shares what was compiled before.`,
		Example: `  llama-regress bisect --repo llama.cpp --good b6082 --bad master --model model.gguf
  llama-regress bisect --good b6082 --bad b6090 -c llama-regress.yaml --metric tg128
  llama-regress bisect --good b6082 --bad b6090 --model m.gguf --build 'cmake -B build -DGGML_CUDA=ON && cmake --build build --target llama-bench'
  llama-regress nightly --json >night.json; llama-regress bisect --from night.json --repo llama.cpp -c llama-regress.yaml
  llama-regress bisect --good b6082 --bad master --model tiny.gguf --count=pp64
  llama-regress bisect --good b6082 --bad master --model model.gguf --resume`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from != "" {
				r, err := readChangePoint(from, change)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.Err, "change point %s: %s\n", cli.Printable(r.id), cli.Printable(r.title))
				good, bad, metric = cmp.Or(good, r.good), cmp.Or(bad, r.bad), cmp.Or(metric, r.metric)
				if len(what.Cells) == 0 {
					what.Cells = []string{r.cell}
				}
			}
			if good == "" || bad == "" {
				return errors.New("name both ends: --good REV --bad REV, such as two tags")
			}
			if what.Serve.Programs() != nil {
				return errors.New("bisect builds what it measures: leave out --bench-binary and --server-binary")
			}
			b := &bisection{app: a, how: how}
			var err error
			if b.cfg, err = builds.Load(func() (*config.Config, error) { return what.Load(cmd) }, &what, [2]string{goodArm, candidateArm}); err != nil {
				return err
			}
			if cmd.Flags().Changed("count") {
				countAlone(b.cfg)
			}
			if b.policy, err = pass.Policy(b.cfg.Gate); err != nil {
				return err
			}
			if err := measure.LeaveNothing(a); err != nil { // builds begin before anything is measured
				return err
			}
			if b.kept, err = making.Open(cmd.Context(), repo, b.cfg); err != nil {
				return err
			}
			defer b.kept.Close()
			if err := b.prepare(cmd.Context(), good, bad); err != nil {
				return err
			}
			err = b.search(cmd.Context(), metric)
			if cmd.Context().Err() != nil {
				return fmt.Errorf("interrupted after %d steps; go on with the same command and --resume: %w", len(b.log.Steps), cmd.Context().Err())
			}
			if err != nil {
				return err
			}
			if asJSON {
				err = a.PrintJSON(b.log)
			} else {
				err = b.conclude()
			}
			if err == nil && b.log.First == nil {
				err = cli.Exit(cli.ExitInconclusive)
			}
			return err
		},
	}
	what.RegisterWork(cmd.Flags())
	cmd.Flags().MarkHidden("bench-binary")
	cmd.Flags().MarkHidden("server-binary")
	how.Register(cmd.Flags())
	pass.Register(cmd.Flags())
	f := cmd.Flags()
	f.Lookup("dir").DefValue, f.Lookup("dir").Usage = "llama-regress-bisect", "folder for the log and the measurements"
	how.Dir = "llama-regress-bisect"
	f.StringVar(&repo, "repo", ".", "checkout of llama.cpp")
	f.StringVar(&good, "good", "", "revision that is fast enough")
	f.StringVar(&bad, "bad", "", "revision that is not")
	f.StringVar(&from, "from", "", "JSON report of a nightly, one of whose change points says both ends, the cell and the metric")
	f.StringVar(&change, "change", "", "ID of that change point (default the worst regression that is open)")
	making.Register(f)
	f.StringVar(&metric, "metric", "", "metric to follow, such as tg128 (default the one that lost most)")
	f.BoolVar(&asJSON, "json", false, "print the log as JSON")
	f.BoolVar(&keep, "keep-builds", false, "")
	f.MarkDeprecated("keep-builds", "builds are always kept; --builds says where")
	return cmd
}

// prepare begins the log, or finds that of the bisection that it goes on with.
func (b *bisection) prepare(ctx context.Context, good, bad string) error {
	old, err := readBisectLog(b.how.Dir)
	if err != nil {
		return err
	}
	switch {
	case b.how.Resume && b.how.Fresh:
		return errors.New("--resume goes on with a bisection, and --fresh starts over: choose one")
	case old != nil && b.how.Fresh:
		if err := measure.Move(b.how.Dir, filepath.Join(b.how.Dir, measure.PreviousFolder, time.Now().UTC().Format("20060102T150405Z")), "runs", bisectFile); err != nil {
			return err
		}
		old = nil
	case old != nil && !b.how.Resume:
		return fmt.Errorf("%s holds a bisection: go on with it (--resume), start over (--fresh), or choose another folder (--dir)", b.how.Dir)
	}
	log := &bisectLog{Schema: bisectSchema, Build: b.kept.Builder.Command, Steps: []bisectStep{}}
	between := 0
	if log.Good, log.Bad, between, err = bisect.Range(ctx, b.kept.Repository(), good, bad); err != nil {
		return err
	}
	if old != nil {
		if err := old.fits(log.Good, log.Bad, log.Build); err != nil {
			return fmt.Errorf("%s holds another bisection: %w; choose another folder (--dir)", b.how.Dir, err)
		}
		log = old
	}
	b.log = log
	if b.dir, err = filepath.Abs(b.how.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	b.kept.Logs = b.dir
	b.kept.Begin = func(c build.Commit) {
		fmt.Fprintf(b.app.Err, "building %s %s\n", c.Short(), cli.Printable(c.Subject))
	}
	fmt.Fprintf(b.app.Err, "%d commits from %s to %s: about %d steps\n", between, log.Good.Short(), log.Bad.Short(), bits.Len(uint(between)))
	return log.write(b.how.Dir)
}

// search finds the first bad commit, or finds that there is none.
func (b *bisection) search(ctx context.Context, metric string) error {
	if b.log.Ends == nil || b.log.Split == nil {
		res, run, err := b.ends(ctx)
		if err != nil {
			return err
		}
		found := worst(res, metric, b.counted())
		if found == nil {
			return b.nothing(res, report.Source{Base: run, Head: run, BaseFile: b.log.Good.Short(), HeadFile: b.log.Bad.Short()})
		}
		between, err := b.kept.Repository().Between(ctx, b.log.Good, b.log.Bad)
		if err != nil {
			return err
		}
		if b.counted() {
			if b.log.Split, b.log.Count, err = newCountedSplit(*found, run); err != nil {
				return err
			}
		} else {
			split := compare.NewSplit(*found, bits.Len(uint(between)), b.policy)
			b.log.Split = &split
		}
		b.log.Ends.Change, b.log.Ends.Interval, b.log.Ends.Blocks = found.Change, found.Interval, found.Replicates
		if err := b.log.write(b.how.Dir); err != nil {
			return err
		}
	}
	if counted := b.log.Count != nil; counted != b.counted() {
		by := map[bool]string{true: "instructions", false: "time"}
		return fmt.Errorf("%s holds a bisection by %s, and this one goes by %s: choose another folder (--dir)", b.how.Dir, by[counted], by[b.counted()])
	}
	if err := b.narrow(); err != nil {
		return err
	}
	fmt.Fprintf(b.app.Err, "following %s of %s: %s from %s to %s\n", cli.Printable(b.log.Split.Metric.Name), cli.Printable(b.log.Split.Cell),
		changeText(b.log.Ends), b.log.Good.Short(), b.log.Bad.Short())
	search, state, err := bisect.Begin(ctx, b.kept.Repository(), filepath.Join(b.dir, "search"), b.log.Good, b.log.Bad)
	if err != nil {
		return err
	}
	defer search.End()
	for _, step := range b.log.Steps { // what is known already
		if state, err = search.Mark(ctx, step.SHA, step.Mark); err != nil {
			return err
		}
	}
	for !state.Over() {
		fmt.Fprintln(b.app.Err, b.log.ahead(state.Left))
		measured := b.step
		if b.log.Count != nil {
			measured = b.countStep
		}
		step, err := measured(ctx, len(b.log.Steps)+1, state.Next)
		if err != nil {
			return err
		}
		if state, err = search.Mark(ctx, step.SHA, step.Mark); err != nil {
			return err
		}
		b.log.Steps = append(b.log.Steps, step)
		if err := b.log.write(b.how.Dir); err != nil {
			return err
		}
		fmt.Fprintf(b.app.Err, "step %d: %s %s\n", len(b.log.Steps), step.Short(), step.words())
	}
	if state.First.SHA == "" {
		b.log.Candidates = state.Candidates
		return b.log.write(b.how.Dir)
	}
	b.log.First = &state.First
	if b.log.Effect == nil {
		if err := b.effect(ctx, state.First); err != nil {
			return err
		}
	}
	return b.log.write(b.how.Dir)
}

// effect measures the first bad commit against its parent.
func (b *bisection) effect(ctx context.Context, first build.Commit) error {
	begun := time.Now()
	parent, err := b.kept.Repository().Parent(ctx, first)
	if err != nil {
		return err
	}
	b.log.Effect = &bisectStep{Commit: first, Against: parent.SHA}
	defer func() {
		if b.log.Effect != nil {
			b.log.Effect.Seconds = time.Since(begun).Seconds()
		}
	}()
	if parent.SHA == b.log.Good.SHA && first.SHA == b.log.Bad.SHA {
		*b.log.Effect = *b.log.Ends // which was that very measurement
	}
	if b.log.Count != nil {
		if counted, ok := b.countEffect(first, parent); ok {
			b.log.Effect = counted
			return nil
		}
	}
	if b.log.Effect.Run != "" {
		return nil
	}
	cfg := *b.cfg
	cfg.Sampling.Blocks = max(cfg.Sampling.Blocks, measure.ConfirmBlocks)
	run, err := b.measure(ctx, "effect", &cfg, parent, first, nil)
	var broken *build.Error
	if errors.As(err, &broken) {
		b.log.Effect.Why = fmt.Sprintf("%s does not build: %s", broken.Commit.Short(), broken.Why)
		return nil
	}
	if err != nil {
		b.log.Effect = nil
		return err
	}
	b.log.Effect.Run = "runs/effect"
	for _, c := range compare.Run(run, b.policy).Comparisons {
		if c.Cell == b.log.Split.Cell && c.Metric.Name == b.log.Split.Metric.Name {
			b.log.Effect.Change, b.log.Effect.Interval, b.log.Effect.Blocks = c.Change, c.Interval, c.Replicates
		}
	}
	return nil
}
