package bisect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/ci/bisect"
	"github.com/llama-regress/llama-regress/ci/build"
	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/builds"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/compare"
)

// Names of the two arms of every step.
const (
	goodArm      = "good"
	candidateArm = "candidate"
)

// A bisection is one search for a first bad commit.
type bisection struct {
	app    *cli.App
	cfg    *config.Config // with the two arms, goodArm first
	how    measure.Flags
	policy compare.Policy
	kept   *build.Kept
	log    *bisectLog
	dir    string // of the log, absolute
}

// measure builds two commits where they are not kept, and measures them in turns in
// a folder of its own. One that holds a part of it is gone on with if both builds
// are the ones that were measured there.
func (b *bisection) measure(ctx context.Context, name string, cfg *config.Config, good, candidate build.Commit, watch *stopper) (*record.Run, error) {
	return b.measureOf(ctx, name, cfg, good, candidate, watch, func(all []config.Arm) []config.Arm { return all })
}

// measureOf measures of the two arms those that are picked.
func (b *bisection) measureOf(ctx context.Context, name string, cfg *config.Config, good, candidate build.Commit, watch *stopper, pick func([]config.Arm) []config.Arm) (*record.Run, error) {
	pair, err := b.kept.Pair(ctx, good, candidate)
	if err != nil {
		return nil, err
	}
	builds.Point(cfg, pair)
	cfg.Arms = pick(cfg.Arms)
	cfg.Sentinel = nil // its builds are measured in turns, and no step is a night
	how := b.how
	how.Dir = filepath.Join(b.how.Dir, "runs", name)
	if pair[0].Fresh || pair[1].Fresh {
		if err := os.RemoveAll(how.Dir); err != nil {
			return nil, err
		}
	}
	if watch != nil {
		how.Around = watch.around
		ctx = watch.ctx
	}
	return measure.Run(ctx, b.app, cfg, how)
}

// ends measures the bad end against the good one, in every cell, and says
// whether there is something to look for.
func (b *bisection) ends(ctx context.Context) (*compare.Result, *record.Run, error) {
	begun := time.Now()
	cfg := *b.cfg
	cfg.Sampling.Blocks, cfg.Sampling.Adaptive, cfg.Sampling.ConfirmBlocks = max(cfg.Sampling.Blocks, measure.ConfirmBlocks), 0, 0
	run, err := b.measure(ctx, "ends", &cfg, b.log.Good, b.log.Bad, nil)
	var broken *build.Error
	switch {
	case errors.As(err, &broken) && broken.Commit.SHA == b.log.Good.SHA:
		return nil, nil, cli.Unmeasured(fmt.Errorf("the good end: %w", err))
	case errors.As(err, &broken):
		return nil, nil, cli.Unmeasured(fmt.Errorf("the bad end: %w", err))
	case err != nil:
		return nil, nil, err
	}
	res := compare.Run(run, b.policy)
	b.log.Ends = &bisectStep{Commit: b.log.Bad, Against: b.log.Good.SHA, Mark: bisect.Bad, Seconds: time.Since(begun).Seconds(), Run: "runs/ends"}
	return res, run, nil
}

// worst is the regression that lies furthest beyond its margin, of those that
// can be bisected: success rates have no blocks to pair. Of counts alone it is one of
// them.
func worst(res *compare.Result, metric string, counted bool) *compare.Comparison {
	var found *compare.Comparison
	far := func(c *compare.Comparison) float64 { return *c.Change / (c.Margin.High - c.Margin.Low) }
	for i := range res.Comparisons {
		c := &res.Comparisons[i]
		if c.Verdict != compare.Regression || c.Metric.Exact != counted || !counted && c.Estimator != compare.PairedT || metric != "" && c.Metric.Name != metric {
			continue
		}
		loss := func(c *compare.Comparison) float64 {
			if c.Metric.Better == record.Lower {
				return far(c)
			}
			return -far(c)
		}
		if found == nil || loss(c) > loss(found) {
			found = c
		}
	}
	return found
}

// narrow makes every further run measure the one cell and metric, and every further
// build only what that takes.
func (b *bisection) narrow() error {
	split := b.log.Split
	b.cfg.Cells = []string{split.Cell}
	b.cfg.Sampling.Control = config.ControlNone // that of the ends vouches for the machine
	var tests []record.Test
	for _, t := range b.cfg.Bench.Tests {
		if t.Metric().Name == split.Metric.Name {
			tests = append(tests, t)
		}
	}
	if b.cfg.Bench.Tests = tests; len(tests) > 0 {
		b.cfg.Serve = nil
	}
	if b.log.Count == nil {
		b.cfg.Count = nil
	} else {
		count := *b.cfg.Count
		count.Tests = slices.DeleteFunc(slices.Clone(count.Tests), func(t record.Test) bool { return t.InstructionsMetric().Name != split.Metric.Name })
		b.cfg.Count = &count
	}
	p, err := plan.Expand(b.cfg)
	if err == nil {
		b.kept.Builder.Programs = builds.Programs(p)
	}
	return err
}

// skipped says why a commit that could not be measured is skipped: it does not build,
// or its build cannot be measured. Any other error, and an interrupt, ends the bisection.
func skipped(ctx context.Context, err error, commit build.Commit) (why string, _ error) {
	var unmeasurable *runner.UnmeasurableError
	var broken *build.Error
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.As(err, &broken) && broken.Commit.SHA == commit.SHA:
		return "does not build: " + broken.Why, nil
	case errors.As(err, &unmeasurable):
		return "cannot be measured: " + err.Error(), nil
	}
	return "", err
}

// step builds a commit and measures it against the good end until the
// sequential rule stops it.
func (b *bisection) step(ctx context.Context, n int, commit build.Commit) (bisectStep, error) {
	begun := time.Now()
	name := fmt.Sprintf("%02d-%s", n, commit.Short())
	step := bisectStep{Commit: commit, Against: b.log.Good.SHA}
	skip := func(why string) (bisectStep, error) {
		step.Mark, step.Why, step.Seconds = bisect.Skip, why, time.Since(begun).Seconds()
		return step, nil
	}
	cfg := *b.cfg
	cfg.Sampling.Blocks, cfg.Sampling.Adaptive, cfg.Sampling.ConfirmBlocks = b.log.Split.MostBlocks(), 0, 0 // the stopper looks
	watch := newStopper(ctx, b.log.Split, b.policy)
	_, err := b.measure(ctx, name, &cfg, b.log.Good, commit, watch)
	switch why, err := skipped(ctx, err, commit); {
	case err != nil && !errors.Is(err, errStepDecided):
		return step, err
	case why != "":
		return skip(why)
	}
	answer := watch.answer
	step.Change, step.Interval, step.Blocks, step.Run = answer.Change, answer.Interval, answer.Blocks, "runs/"+name
	switch {
	case !answer.Known && answer.Blocks == 0:
		return skip("measured nothing: see " + filepath.Join(b.how.Dir, step.Run))
	case !answer.Known:
		return skip(fmt.Sprintf("lies too near to the border to tell in %d blocks", answer.Blocks))
	case answer.Bad:
		step.Mark = bisect.Bad
	default:
		step.Mark = bisect.Good
	}
	step.Seconds = time.Since(begun).Seconds()
	return step, nil
}

// errStepDecided ends a run that has measured enough.
var errStepDecided = errors.New("enough is known of this commit")

// A stopper looks at a run after every block and ends it once its question is
// answered.
type stopper struct {
	runner.Observer // told as well

	split  *compare.Split
	policy compare.Policy
	ctx    context.Context // ends once the question is answered
	stop   context.CancelCauseFunc
	answer compare.Answer

	plan  *plan.Plan
	run   record.Run
	ended map[int]int // trials of each block that need not run any more
}

func newStopper(ctx context.Context, split *compare.Split, policy compare.Policy) *stopper {
	ctx, stop := context.WithCancelCause(ctx)
	return &stopper{split: split, policy: policy, ctx: ctx, stop: stop, ended: make(map[int]int)}
}

// around puts the stopper in front of an observer.
func (s *stopper) around(o runner.Observer) runner.Observer {
	s.Observer = o
	return s
}

func (s *stopper) Begin(p *plan.Plan, done []record.Trial) {
	s.Observer.Begin(p, done)
	s.plan = p
	s.run = record.Run{Schema: record.Schema, Baseline: p.Baseline, Arms: p.Arms, Trials: slices.Clone(done)}
	for _, c := range p.Cells {
		s.run.Cells = append(s.run.Cells, c.Cell)
	}
	for _, t := range done {
		s.run.Discover(&t)
		s.ended[t.Block]++
	}
	s.look()
}

func (s *stopper) Finished(t plan.Trial, r record.Trial) {
	s.Observer.Finished(t, r)
	s.run.Discover(&r)
	s.run.Trials = append(s.run.Trials, r)
	s.ended[t.Block]++
	s.look()
}

func (s *stopper) Repeated(t plan.Trial, r record.Trial) {
	s.Observer.Repeated(t, r)
	s.run.Discover(&r)
	s.run.Trials = append(s.run.Trials, r)
}

func (s *stopper) Skipped(t plan.Trial, why string) {
	s.Observer.Skipped(t, why)
	s.ended[t.Block]++
	s.look()
}

// look is taken whenever a block has ended, in which every arm ran once.
func (s *stopper) look() {
	blocks := 0
	for s.ended[blocks] >= len(s.plan.Arms)*len(s.plan.Cells) {
		blocks++
	}
	total := 0
	for _, n := range s.ended {
		total += n
	}
	if blocks == 0 || total != blocks*len(s.plan.Arms)*len(s.plan.Cells) {
		return // in the middle of one
	}
	if s.answer = s.split.Answer(&s.run, candidateArm, blocks, s.policy); s.answer.Over {
		s.stop(errStepDecided)
	}
}
