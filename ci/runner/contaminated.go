package runner

import (
	"context"
	"fmt"
	"slices"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// mostRepeated is the share of the planned trials that may be run in addition:
// a disturbed minute is made up for, a disturbed night is not worth another.
const mostRepeated = 0.2

// hopelessAfter trials, of which more than half were contaminated, the machine
// is not disturbed but busy: repeating would only take its time.
const hopelessAfter = 4

// conduct runs a trial, again while its conditions spoil it and that may be
// repaired, and keeps each. It returns the last.
func (s *session) conduct(ctx context.Context, t plan.Trial) (record.Trial, error) {
	trial, err := s.measure(ctx, t)
	for again := t; err == nil; {
		s.take(t, trial) // first: when the journal cannot take it, the record may
		if err = s.journal.append(entry{Trial: &trial}); err != nil || ctx.Err() != nil || !s.repeats(t, trial) {
			break
		}
		spoilt := trial.ID
		again.ID = fmt.Sprintf("%s.again%d", t.ID, s.attempts(t)) // its logs have names of their own
		if trial, err = s.measure(ctx, again); err == nil {
			trial.Repeats = spoilt
		}
	}
	return trial, err
}

// judge says by its conditions what spoils a trial. One that failed is not
// repeated until it does not: that would leave the lucky starts of a server.
func (s *session) judge(t record.Trial) []string {
	if t.Outcome != record.OK {
		return nil
	}
	return s.opts.Conditions(t.Samples)
}

// repeats says whether a contaminated trial is run again. It follows from the
// trials alone, and from the budget.
func (s *session) repeats(t plan.Trial, r record.Trial) bool {
	spoilt := 0
	for _, r := range s.run.Trials {
		if len(r.Contaminated) > 0 {
			spoilt++
		}
	}
	switch n := len(s.run.Trials); {
	case len(r.Contaminated) == 0, s.attempts(t) > s.opts.Repeat:
		return false
	case n >= hopelessAfter && 2*spoilt > n:
		return false
	case float64(s.repeated+1) > mostRepeated*float64(len(s.plan.Trials)):
		return false
	}
	spent := s.opts.Now().Sub(s.begun).Seconds()
	return s.opts.Budget <= 0 || spent+s.pace.of(t) <= s.opts.Budget.Seconds()
}

// attempts is how often a trial of the plan has run.
func (s *session) attempts(t plan.Trial) int {
	n := 0
	for _, r := range slices.Backward(s.run.Trials) {
		if r.Order != t.Order {
			break
		}
		n++
	}
	return n
}

// firsts are the trials without their repetitions.
func firsts(trials []record.Trial) []record.Trial {
	return slices.DeleteFunc(slices.Clone(trials), func(t record.Trial) bool { return t.Repeats != "" })
}

// conditionsNote is what a reader should know about the conditions of the run.
func conditionsNote(run *record.Run) []string {
	spoilt, repeated := 0, 0
	for _, t := range run.Trials {
		if len(t.Contaminated) > 0 {
			spoilt++
		}
		if t.Repeats != "" {
			repeated++
		}
	}
	if spoilt == 0 {
		return nil
	}
	note := fmt.Sprintf("%d of %d trials ran while something else disturbed the machine", spoilt, len(run.Trials))
	switch {
	case repeated == 1:
		note += "; 1 was repeated"
	case repeated > 1:
		note += fmt.Sprintf("; %d were repeated", repeated)
	}
	return []string{note}
}
