package bisect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/ci/bisect"
	"github.com/llama-regress/llama-regress/ci/build"
	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/work"
)

// Counted instructions need no other build beside them: what one trial counts is
// compared with what the ends have. So each candidate is counted once and alone.

// countAlone makes a configuration count and time nothing.
func countAlone(cfg *config.Config) {
	cfg.Bench.Tests, cfg.Serve = nil, nil
}

// counted says that nothing is timed.
func (b *bisection) counted() bool {
	return b.cfg.Count != nil && len(b.cfg.Bench.Tests) == 0 && b.cfg.Serve == nil
}

// A countedEnds is what both ends execute for a token.
type countedEnds struct {
	Good     float64           `json:"good"`
	Bad      float64           `json:"bad"`
	Identity map[string]string `json:"identity"` // of what counted
}

// tooNear is how close to the border a commit is not told: far more than counts of one
// build differ by, and a fifth of half the smallest margin.
const tooNear = 2.5e-4

// newCountedSplit takes the border from what the ends execute: half of the loss, as of
// times.
func newCountedSplit(found compare.Comparison, run *record.Run) (*compare.Split, *countedEnds, error) {
	good, identity := countedValue(run, goodArm, found.Cell, found.Metric.Name)
	bad, _ := countedValue(run, candidateArm, found.Cell, found.Metric.Name)
	if !(good > 0) || !(bad > 0) {
		return nil, nil, cli.Unmeasured(errors.New("the ends have no count"))
	}
	return &compare.Split{Cell: found.Cell, Metric: found.Metric, Border: math.Sqrt(bad/good) - 1}, &countedEnds{good, bad, identity}, nil
}

// countedValue is the mean of an arm's trials, 0 without any, and what counted them.
func countedValue(run *record.Run, arm, cell, metric string) (mean float64, identity map[string]string) {
	sum, n := 0.0, 0.0
	for _, t := range run.Trials {
		if m, ok := t.Measurement(metric); ok && t.Arm == arm && t.Cell == cell && t.Outcome == record.OK && t.Counting != nil {
			sum, n, identity = sum+m.Values[0], n+1, t.Counting.Identity()
		}
	}
	if n == 0 {
		return 0, nil
	}
	return sum / n, identity
}

// countStep builds a commit and counts it once.
func (b *bisection) countStep(ctx context.Context, n int, commit build.Commit) (bisectStep, error) {
	begun := time.Now()
	name := fmt.Sprintf("%02d-%s", n, commit.Short())
	step := bisectStep{Commit: commit, Against: b.log.Good.SHA, Run: "runs/" + name}
	defer func() { step.Seconds = time.Since(begun).Seconds() }()
	skip := func(why string) (bisectStep, error) {
		step.Mark, step.Why, step.Run, step.Seconds = bisect.Skip, why, "", time.Since(begun).Seconds()
		return step, nil
	}
	cfg, count := *b.cfg, *b.cfg.Count
	count.Trials = 1
	cfg.Count, cfg.Baseline = &count, candidateArm
	alone := func(arms []config.Arm) []config.Arm {
		return slices.DeleteFunc(slices.Clone(arms), func(a config.Arm) bool { return a.Name != candidateArm })
	}
	run, err := b.measureOf(ctx, name, &cfg, b.log.Good, commit, nil, alone)
	switch why, err := skipped(ctx, err, commit); {
	case err != nil:
		return step, err
	case why != "":
		return skip(why)
	}
	value, identity := countedValue(run, candidateArm, b.log.Split.Cell, b.log.Split.Metric.Name)
	if !(value > 0) {
		why := "see " + filepath.Join(b.how.Dir, step.Run)
		if len(run.Trials) > 0 && run.Trials[0].Failure != nil {
			why = run.Trials[0].Failure.Message
		}
		return skip("was not counted: " + why)
	}
	if !maps.Equal(identity, b.log.Count.Identity) {
		return step, cli.Unmeasured(fmt.Errorf("the ends were counted by %v, and this commit by %v: such counts are not compared; begin anew in another folder (--dir)", b.log.Count.Identity, identity))
	}
	change := value/b.log.Count.Good - 1
	step.Change, step.Count = &change, value
	switch from := math.Log1p(change) - math.Log1p(b.log.Split.Border); {
	case math.Abs(from) < tooNear:
		return skip(fmt.Sprintf("lies too near to the border to tell: %s", changeText(&step)))
	case from > 0:
		step.Mark = bisect.Bad
	default:
		step.Mark = bisect.Good
	}
	step.Seconds = time.Since(begun).Seconds()
	return step, nil
}

// countOf is what a commit that was counted executes, and where that is recorded.
func (b *bisection) countOf(sha string) (value float64, dir, arm string) {
	switch sha {
	case b.log.Good.SHA:
		return b.log.Count.Good, b.log.Ends.Run, goodArm
	case b.log.Bad.SHA:
		return b.log.Count.Bad, b.log.Ends.Run, candidateArm
	}
	for _, s := range b.log.Steps {
		if s.SHA == sha && s.Mark != bisect.Skip {
			return s.Count, s.Run, candidateArm
		}
	}
	return 0, "", ""
}

// countEffect compares the first bad commit with its parent, of which both were
// counted; not ok where one was not.
func (b *bisection) countEffect(first, parent build.Commit) (effect *bisectStep, ok bool) {
	now, nowDir, nowArm := b.countOf(first.SHA)
	was, wasDir, wasArm := b.countOf(parent.SHA)
	if !(now > 0) || !(was > 0) {
		return nil, false
	}
	change := now/was - 1
	effect = &bisectStep{Commit: first, Against: parent.SHA, Change: &change, Count: now}
	base, head := b.functions(wasDir, wasArm), b.functions(nowDir, nowArm)
	if len(base.Functions) == 0 || len(head.Functions) == 0 {
		return effect, true
	}
	d := work.Compare(base, head)
	for _, l := range d.Lines[:min(len(d.Lines), mostFunctions)] {
		if share := l.Change() / was; math.Abs(share) >= leastShare {
			effect.Functions = append(effect.Functions, bisectFunction{Name: l.Name, File: l.File, Object: l.Object, Share: share})
		}
	}
	return effect, true
}

const (
	mostFunctions = 5    // that are told
	leastShare    = 5e-5 // of the parent's work, from which a change is told
)

// functions are where an arm's work went; empty where that is not known.
func (b *bisection) functions(dir, arm string) work.Side {
	run, err := runner.ReadFolder(filepath.Join(b.how.Dir, dir))
	if err != nil {
		return work.Side{}
	}
	var tests []record.CountedTest
	for _, t := range run.Trials {
		if t.Arm != arm || t.Counting == nil {
			continue
		}
		for _, c := range t.Counting.Tests {
			if test, err := record.ParseTest(c.Test); err == nil && test.InstructionsMetric().Name == b.log.Split.Metric.Name {
				tests = append(tests, c)
			}
		}
	}
	return work.Mean(tests...)
}
