package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/report"
)

// SentinelFolder holds, within the output folder, the two runs of the sentinel.
const SentinelFolder = "sentinel"

// sentinelArm is the name of the sentinel's arm.
const sentinelArm = "sentinel"

// A sentinel is measured in two halves around a run.
type sentinel struct {
	cfg  *config.Config // of one arm, the sentinel
	how  Flags
	last int // blocks of the half that comes after
	run  func(ctx context.Context, a *cli.App, cfg *config.Config, how Flags) (*record.Run, error)

	found *record.Sentinel
}

// newSentinel plans the sentinel of a configuration, nil where none is to be measured:
// a pull request is no night, and a part of a plan has none of its own.
func newSentinel(a *cli.App, cfg *config.Config, how Flags) *sentinel {
	if cfg.Sentinel == nil || how.Shard != "" || a.PullRequest() != "" {
		return nil
	}
	arm := cfg.Arms[slices.IndexFunc(cfg.Arms, func(arm config.Arm) bool { return arm.Name == cfg.Baseline })]
	if arm.URL != "" {
		return nil
	}
	again := *cfg
	arm.Name, arm.Bin = sentinelArm, cfg.Sentinel.Bin
	again.Arms, again.Baseline, again.Sentinel = []config.Arm{arm}, arm.Name, nil
	again.Sampling.Control, again.Sampling.Adaptive, again.Sampling.ConfirmBlocks = config.ControlNone, 0, 0
	again.Sampling.Blocks = (cfg.Sentinel.Blocks + 1) / 2
	s := &sentinel{cfg: &again, how: how, last: cfg.Sentinel.Blocks - again.Sampling.Blocks, run: runPlan}
	s.how.Around, s.how.Notes = nil, nil
	bin, err := cfg.Abs(arm.Bin)
	if err != nil {
		bin = arm.Bin
	}
	s.found = &record.Sentinel{Arm: record.Arm{Name: sentinelArm, Bin: bin}, Cells: []record.Cell{}, Trials: []record.Trial{}}
	return s
}

// before measures the first half. What stands in the way is told and kept in the
// record: the night is measured all the same, without its sentinel.
func (s *sentinel) before(ctx context.Context, a *cli.App, cells config.Control) error {
	if s == nil {
		return nil
	}
	if info, err := os.Stat(s.found.Arm.Bin); err != nil || !info.IsDir() {
		s.missing(a, fmt.Errorf("there is no folder %s", s.found.Arm.Bin))
		return ctx.Err()
	}
	if p, err := s.expand(cells); err != nil || len(p.Cells) == 0 {
		s.missing(a, err)
		return ctx.Err()
	}
	return s.half(ctx, a, "before", s.cfg.Sampling.Blocks)
}

// expand plans the first half, in the first cell or in all.
func (s *sentinel) expand(cells config.Control) (*plan.Plan, error) {
	p, err := plan.Expand(s.cfg)
	if err != nil || len(p.Cells) == 0 || cells != config.ControlOne {
		return p, err
	}
	s.cfg.Cells = []string{p.Cells[0].Cell.Key}
	return plan.Expand(s.cfg)
}

// A SentinelPlan is what a run measures of its sentinel.
type SentinelPlan struct {
	Bin    string   `json:"bin"` // absolute
	Cells  []string `json:"cells"`
	Before int      `json:"before"` // blocks ahead of the arms'
	After  int      `json:"after"`  // and after them
	Trials int      `json:"trials"` // in all
}

// PlanSentinel says what a run of the configuration would measure of its sentinel, nil
// where that is none.
func PlanSentinel(a *cli.App, cfg *config.Config, how Flags) (*SentinelPlan, error) {
	s := newSentinel(a, cfg, how)
	if s == nil {
		return nil, nil
	}
	p, err := s.expand(cfg.Sentinel.Cells)
	if err != nil {
		return nil, err
	}
	found := &SentinelPlan{Bin: s.found.Arm.Bin, Cells: []string{}, Before: s.cfg.Sampling.Blocks, After: s.last, Trials: len(p.Trials)}
	for _, c := range p.Cells {
		found.Cells = append(found.Cells, c.Cell.Key)
	}
	if s.last > 0 {
		s.cfg.Sampling.Blocks = s.last
		if p, err = plan.Expand(s.cfg); err != nil {
			return nil, err
		}
		found.Trials += len(p.Trials)
	}
	return found, nil
}

// after measures the second half, and gives the record the sentinel.
func (s *sentinel) after(ctx context.Context, a *cli.App, run *record.Run) error {
	if s == nil {
		return nil
	}
	if s.found.Missing == "" && s.last > 0 {
		if err := s.half(ctx, a, "after", s.last); err != nil {
			return err
		}
	}
	run.Sentinel = s.found
	return record.WriteFile(filepath.Join(s.how.Dir, runner.RecordFile), run)
}

// half measures so many blocks. It fails only where everything is to end.
func (s *sentinel) half(ctx context.Context, a *cli.App, name string, blocks int) error {
	cfg, how := *s.cfg, s.how
	cfg.Sampling.Blocks = blocks
	how.Dir = filepath.Join(s.how.Dir, SentinelFolder, name)
	run, err := record.ReadFile(filepath.Join(how.Dir, runner.RecordFile))
	if !how.Resume || err != nil || len(run.Trials) < blocks {
		fmt.Fprintf(a.Err, "the sentinel, %s, %s the build: %d blocks\n", report.Line(s.found.Arm.Bin, 200), name, blocks)
		run, err = s.run(ctx, a, &cfg, how)
	}
	if ctx.Err() != nil {
		return err
	}
	if run == nil || err != nil {
		s.missing(a, err)
		return nil
	}
	s.add(a, run, name)
	return nil
}

// add takes a half's trials over, under names that no other has.
func (s *sentinel) add(a *cli.App, run *record.Run, name string) {
	if len(s.found.Trials) == 0 {
		s.found.Arm, s.found.Started, s.found.Cells = run.Arms[0], run.Started, run.Cells
	} else if other := s.found.Arm.OtherFiles(run.Arms[0]); len(other) > 0 {
		s.missing(a, fmt.Errorf("it changed while the build was measured: %s differ", strings.Join(other, ", ")))
		return
	}
	failed := 0
	first := len(s.found.Trials)
	for _, t := range run.Trials {
		t.ID, t.Repeats = name+"/"+t.ID, prefixed(name, t.Repeats)
		t.Block, t.Order = t.Block+s.blocksSoFar(), t.Order+first
		s.found.Trials = append(s.found.Trials, t)
		if t.Failure != nil {
			failed++
		}
	}
	if failed > 0 && failed == len(run.Trials) {
		s.missing(a, fmt.Errorf("all of its %d trials %s the build failed: %s", failed, name, run.Trials[0].Failure.Message))
	}
}

func prefixed(name, id string) string {
	if id == "" {
		return ""
	}
	return name + "/" + id
}

// blocksSoFar are those of the half that was measured first.
func (s *sentinel) blocksSoFar() int {
	if len(s.found.Trials) == 0 {
		return 0
	}
	return s.cfg.Sampling.Blocks
}

// missing notes why the sentinel says nothing tonight.
func (s *sentinel) missing(a *cli.App, why error) {
	if why == nil {
		why = errors.New("nothing of it could be measured")
	}
	s.found.Missing = report.Line(cli.Printable(why.Error()), 400)
	fmt.Fprintf(a.Err, "the sentinel says nothing about this machine tonight: %s\n", s.found.Missing)
}
