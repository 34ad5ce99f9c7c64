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
	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// Command is 'llama-regress bisect'.
func Command(a *cli.App) *cobra.Command {
	var (
		what                 settings.Flags
		how                  measure.Flags
		pass                 settings.GateFlags
		repo, good, bad      string
		from, change         string
		command, bin, metric string
		timeout              time.Duration
		asJSON, keep         bool
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

The repository is only read. The commits are built in clones in DIR, by the build
command of the configuration (build: command, bin) or of --build, which a shell
runs in the checkout's top folder; ccache shares what both clones compile.`,
		Example: `  llama-regress bisect --repo llama.cpp --good b6082 --bad master --model model.gguf
  llama-regress bisect --good b6082 --bad b6090 -c llama-regress.yaml --metric tg128
  llama-regress bisect --good b6082 --bad b6090 --model m.gguf --build 'cmake -B build -DGGML_CUDA=ON && cmake --build build -j --target llama-bench'
  llama-regress nightly --json >night.json; llama-regress bisect --from night.json --repo llama.cpp -c llama-regress.yaml
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
			cfg, err := b.configure(cmd, &what, bin, command, timeout)
			if err != nil {
				return err
			}
			if b.policy, err = pass.Policy(cfg.Gate); err != nil {
				return err
			}
			if err := measure.LeaveNothing(a); err != nil { // builds begin before anything is measured
				return err
			}
			if err := b.prepare(cmd.Context(), repo, good, bad); err != nil {
				return err
			}
			err = b.search(cmd.Context(), metric)
			if cmd.Context().Err() != nil {
				return fmt.Errorf("interrupted after %d steps; go on with the same command and --resume: %w", len(b.log.Steps), cmd.Context().Err())
			}
			if err == nil && !keep {
				err = errors.Join(os.RemoveAll(b.good.Dir), os.RemoveAll(b.candidate.Dir))
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
	f.Lookup("dir").DefValue, f.Lookup("dir").Usage = "llama-regress-bisect", "folder for the clones, the log and the measurements"
	how.Dir = "llama-regress-bisect"
	f.StringVar(&repo, "repo", ".", "checkout of llama.cpp")
	f.StringVar(&good, "good", "", "revision that is fast enough")
	f.StringVar(&bad, "bad", "", "revision that is not")
	f.StringVar(&from, "from", "", "JSON report of a nightly, one of whose change points says both ends, the cell and the metric")
	f.StringVar(&change, "change", "", "ID of that change point (default the worst regression that is open)")
	d := bisect.DefaultBuilder()
	f.StringVar(&command, "build", "", "shell command that builds a checkout (default the configuration's, else '"+d.Command+"')")
	f.StringVar(&bin, "bin", "", "folder of the programs in a checkout after it (default the configuration's, else "+d.Bin+")")
	f.DurationVar(&timeout, "build-timeout", d.Timeout, "time limit of one build; a commit that takes longer is skipped")
	f.StringVar(&metric, "metric", "", "metric to follow, such as tg128 (default the one that lost most)")
	f.BoolVar(&asJSON, "json", false, "print the log as JSON")
	f.BoolVar(&keep, "keep-builds", false, "leave the two clones in DIR when it is done")
	return cmd
}

// configure makes the configuration's arms those of a bisection.
func (b *bisection) configure(cmd *cobra.Command, what *settings.Flags, bin, command string, timeout time.Duration) (*config.Config, error) {
	dir, err := filepath.Abs(b.how.Dir)
	if err != nil {
		return nil, err
	}
	b.good, b.candidate = &bisect.Clone{Dir: filepath.Join(dir, "good")}, &bisect.Clone{Dir: filepath.Join(dir, "candidate")}
	if what.File == "" && len(what.Models) > 0 {
		what.Base, what.Head = b.good.Dir, b.candidate.Dir // needs no configuration
	}
	cfg, err := what.Load(cmd)
	if err != nil {
		return nil, err
	}
	d := bisect.DefaultBuilder()
	b.builder = bisect.Builder{Command: cmp.Or(command, cfg.Build.Command, d.Command), Bin: cmp.Or(bin, cfg.Build.Bin, d.Bin), Timeout: timeout}
	if !filepath.IsLocal(b.builder.Bin) {
		return nil, fmt.Errorf("--bin %s: want a folder within the checkout, such as %s", bin, d.Bin)
	}
	arm := cfg.Arms[0]
	cfg.Arms = nil
	for _, side := range []struct {
		name  string
		clone *bisect.Clone
	}{{goodArm, b.good}, {candidateArm, b.candidate}} {
		arm.Name, arm.Bin = side.name, filepath.Join(side.clone.Dir, b.builder.Bin)
		cfg.Arms = append(cfg.Arms, arm)
	}
	cfg.Baseline = goodArm
	b.cfg = cfg
	return cfg, cfg.Validate()
}

// prepare makes the clones and the log, or finds those of the bisection that
// it goes on with.
func (b *bisection) prepare(ctx context.Context, repo, good, bad string) error {
	old, err := readBisectLog(b.how.Dir)
	if err != nil {
		return err
	}
	if old != nil && !b.how.Resume {
		return fmt.Errorf("%s holds a bisection: go on with it (--resume), or choose another folder (--dir)", b.how.Dir)
	}
	if b.good, err = bisect.NewClone(ctx, repo, b.good.Dir); err != nil {
		return err
	}
	if b.candidate, err = bisect.NewClone(ctx, repo, b.candidate.Dir); err != nil {
		return err
	}
	log := &bisectLog{Schema: bisectSchema, Build: b.builder.Command, Steps: []bisectStep{}}
	between := 0
	if log.Good, log.Bad, between, err = b.candidate.Range(ctx, good, bad); err != nil {
		return err
	}
	if old != nil {
		if err := old.fits(log.Good, log.Bad, log.Build); err != nil {
			return fmt.Errorf("%s holds another bisection: %w; choose another folder (--dir)", b.how.Dir, err)
		}
		log = old
	}
	b.log = log
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
		found := worst(res, metric)
		if found == nil {
			return b.nothing(res, report.Source{Base: run, Head: run, BaseFile: b.log.Good.Short(), HeadFile: b.log.Bad.Short()})
		}
		_, _, between, err := b.candidate.Range(ctx, b.log.Good.SHA, b.log.Bad.SHA)
		if err != nil {
			return err
		}
		split := compare.NewSplit(*found, bits.Len(uint(between)), b.policy)
		b.log.Split, b.log.Ends.Change, b.log.Ends.Interval, b.log.Ends.Blocks = &split, found.Change, found.Interval, found.Replicates
		if err := b.log.write(b.how.Dir); err != nil {
			return err
		}
	} else if b.log.First == nil {
		if err := b.build(ctx, b.good, b.log.Good); err != nil {
			return err
		}
	}
	b.narrow()
	fmt.Fprintf(b.app.Err, "following %s of %s: %s from %s to %s\n", cli.Printable(b.log.Split.Metric.Name), cli.Printable(b.log.Split.Cell),
		changeText(b.log.Ends), b.log.Good.Short(), b.log.Bad.Short())
	search, state, err := bisect.Begin(ctx, b.candidate, b.log.Good, b.log.Bad)
	if err != nil {
		return err
	}
	defer search.End(context.WithoutCancel(ctx))
	for _, step := range b.log.Steps { // what is known already
		if state, err = search.Mark(ctx, step.SHA, step.Mark); err != nil {
			return err
		}
	}
	for !state.Over() {
		step, err := b.step(ctx, len(b.log.Steps)+1, state.Next)
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
func (b *bisection) effect(ctx context.Context, first bisect.Commit) error {
	begun := time.Now()
	parent, err := b.candidate.Parent(ctx, first)
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
		return nil
	}
	for _, side := range []struct {
		clone  *bisect.Clone
		commit bisect.Commit
	}{{b.good, parent}, {b.candidate, first}} {
		commit := side.commit
		err := b.build(ctx, side.clone, commit)
		var broken *bisect.BuildError
		if errors.As(err, &broken) {
			b.log.Effect.Why = fmt.Sprintf("%s does not build: %s", commit.Short(), broken.Why)
			return nil
		}
		if err != nil {
			return err
		}
	}
	cfg := *b.cfg
	cfg.Sampling.Blocks = max(cfg.Sampling.Blocks, measure.ConfirmBlocks)
	run, err := b.measure(ctx, "effect", &cfg, nil)
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
