package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A session is a run under way.
type session struct {
	plan   *plan.Plan
	bench  Bench
	opts   Options
	folder *folder
	begun  time.Time // of this process, for the budget

	run        *record.Run
	aloneNotes []string // notes from Options.Alone
	notes      []string // about resumptions
	journal    *journal
	models     pinnedFiles
	done       map[string]bool // by trial ID
	durations  durations
	failures   failures
	cooling    cooling
	cells      *cells
	from       int             // trials of the plan before this one are over
	skipTold   map[string]bool // trials that were said to be skipped
	postponed  []bool          // cells that must wait for the budget's sake
	dropped    map[int]bool    // cells whose next block the budget has no room for

	repeated int          // trials that were run again
	others   *host.Others // nil: nobody asks
}

// runPlan runs what is left of the plan. It says why it stopped early, "" when it
// did not, as in record.Run.Interrupted.
func (s *session) runPlan(ctx context.Context) (why string, err error) {
	last := plan.Trial{Cell: -1}
	s.shareBudget()
	for {
		t, left := s.next(func(t plan.Trial) { s.opts.Observer.Skipped(t, s.failures.why(t)) })
		if ctx.Err() != nil && left {
			return "interrupt", context.Cause(ctx)
		}
		if !left || s.cells.due(t) {
			switch analysed, err := s.analyse(); {
			case err != nil:
				return "error", err
			case analysed:
				continue
			case !left:
				return s.exhausted(), nil
			}
		}
		if begins := last.Cell < 0 || !s.plan.SameRound(t, last); begins && s.overruns(t) {
			if s.dropFarthest(t) {
				s.shareBudget()
				continue
			}
			return "budget", nil
		}
		last = t
		s.opts.Observer.Started(t)
		trial, err := s.runTrial(ctx, t)
		if err != nil {
			if ctx.Err() != nil {
				return "interrupt", context.Cause(ctx)
			}
			return "error", fmt.Errorf("trial %s: %w", t.ID, err)
		}
		s.opts.Observer.Finished(t, trial)
	}
}

// next is the first trial that is still to run and has not been put aside. Each
// trial that failures have made pointless is told to skipped, once; nil tells
// nobody.
func (s *session) next(skipped func(plan.Trial)) (t plan.Trial, left bool) {
	for s.from < len(s.plan.Trials) && s.over(s.plan.Trials[s.from]) {
		s.from++
	}
	for _, t := range s.plan.Trials[s.from:] {
		switch {
		case s.over(t), s.waits(t):
		case s.failures.over(t):
			if skipped != nil && !s.skipTold[t.ID] {
				s.skipTold[t.ID] = true
				skipped(t)
			}
		default:
			return t, true
		}
	}
	return plan.Trial{}, false
}

// over says that t ran, or that its cell needs it no longer.
func (s *session) over(t plan.Trial) bool { return s.done[t.ID] || s.cells.over(t) }

// waits says that the budget is for other cells than that of t. The null control
// of a cell that stopped runs in the blocks that some cell is sure to get.
func (s *session) waits(t plan.Trial) bool {
	if s.cells.stopped[t.Cell] != "" {
		return !slices.ContainsFunc(s.plan.Cells, func(c plan.Cell) bool {
			i := s.cells.index[c.Cell.Key]
			return s.cells.stopped[i] == "" && !s.withoutBudget(i) && t.Block < s.plan.NextInterim(s.cells.at[i])
		})
	}
	return s.withoutBudget(t.Cell)
}

func (s *session) withoutBudget(cell int) bool {
	return s.dropped[cell] || len(s.postponed) > 0 && s.postponed[cell]
}

// exhausted is why no trial is left to run: the plan is, or the budget that
// cells were put aside for.
func (s *session) exhausted() string {
	for c := range s.plan.Cells {
		if s.cells.stopped[c] == "" && s.withoutBudget(c) {
			return "budget"
		}
	}
	return ""
}

// measure runs one trial and fills in what only the runner knows. An error
// means that the trial does not count, because the run is to end.
func (s *session) measure(ctx context.Context, t plan.Trial) (record.Trial, error) {
	prepared := s.cool(ctx)
	start := s.opts.Now()
	trial, err := s.attempt(ctx, t)
	seconds := max(0, s.opts.Now().Sub(start).Seconds())
	if err == nil && ctx.Err() != nil && trial.Outcome != record.OK {
		err = ctx.Err() // the interrupt made it fail
	}
	if err != nil {
		return record.Trial{}, err
	}
	trial.ID = t.ID
	trial.Arm = s.plan.Arms[t.Arm].Name
	trial.Cell = s.plan.Cells[t.Cell].Cell.Key
	trial.Block = t.Block
	trial.Order = t.Order
	trial.Start = start.UTC().Round(0)
	trial.Seconds = seconds
	if prepared != (cooled{}) {
		if trial.Preparation == nil {
			trial.Preparation = new(record.Preparation)
		}
		trial.Preparation.Cooled, trial.Preparation.TemperatureC, trial.Preparation.DeviceC = prepared.seconds, prepared.processor, prepared.device
	}
	for _, d := range s.run.Devices {
		if trial.Samples.Uses(d.Name) {
			trial.Devices = append(trial.Devices, d.ID)
		}
	}
	s.run.Discover(&trial)
	return usable(s.run, trial), nil
}

// attempt measures, unless the model is no longer the one the run began with.
// That the program still is, the bench knows best: it knows all its files.
func (s *session) attempt(ctx context.Context, t plan.Trial) (record.Trial, error) {
	changed, err := s.models.changed(ctx, s.plan.Cells[t.Cell].ModelPath)
	if err != nil {
		return record.Trial{}, err
	}
	if changed != "" {
		return failed(record.BuildChanged, changed), nil
	}
	if scheduler := s.plan.Scheduler(t); scheduler != "" {
		return s.opts.Schedulers.Under(ctx, scheduler, func(ctx context.Context) (record.Trial, error) {
			return s.bench.Measure(ctx, s.plan, t)
		})
	}
	return s.bench.Measure(ctx, s.plan, t)
}

// closeSchedulers brings the machine back as it was.
func (s *session) closeSchedulers() error {
	if s.opts.Schedulers == nil {
		return nil
	}
	return s.opts.Schedulers.Close()
}

// count counts a finished trial.
func (s *session) count(t plan.Trial, r record.Trial) {
	s.done[t.ID] = true
	s.durations.add(t, r.Seconds)
	s.failures.add(t, r)
	fillFromEcho(s.run, r)
	s.run.Trials = append(s.run.Trials, r)
	if s.others != nil {
		s.others.Update()
	}
	if r.Repeats != "" {
		s.repeated++
	}
}

// overruns says whether the block of a cell that begins with first would end
// after the budget, going by what its trials took so far.
func (s *session) overruns(first plan.Trial) bool {
	if s.opts.Budget <= 0 {
		return false
	}
	need := 0.0
	for _, t := range s.plan.Trials[first.Order:] {
		if !s.plan.SameRound(t, first) {
			break
		}
		if !s.failures.over(t) && !s.over(t) && !s.waits(t) {
			need += s.durations.of(t)
		}
	}
	return need > s.remaining()
}

// finished is when the last trial ended.
func finished(run *record.Run) time.Time {
	if len(run.Trials) == 0 {
		return run.Started
	}
	last := run.Trials[len(run.Trials)-1]
	const most = 1e9 // thirty years: what a journal says may be anything
	return last.Start.Add(time.Duration(min(last.Seconds, most) * float64(time.Second)))
}
