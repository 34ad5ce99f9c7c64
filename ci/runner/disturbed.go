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

// hopelessAfter trials, of which more than half were disturbed, the machine is
// busy: repeating would only take its time.
const hopelessAfter = 4

// A place is where the trials of a round belong that ran in turns: one a arm.
type place struct {
	cell  string
	block int
}

// runTrial runs a trial and keeps it. With the last trial of a cell's block it
// runs all of them again, in their order, where something disturbed them all and
// that may be made up for: one by itself would meet another machine than the
// others of its block did.
func (s *session) runTrial(ctx context.Context, t plan.Trial) (record.Trial, error) {
	first, err := s.measureAndStore(ctx, t, "")
	for err == nil && ctx.Err() == nil {
		round := s.round(t)
		if !s.shouldRepeat(round) {
			break
		}
		for _, again := range round {
			done := s.attempts(again)
			id := again.ID
			if n := len(done); n > 1 {
				id = done[n-1].ID
			}
			again.ID = fmt.Sprintf("%s.again%d", again.ID, len(done)) // its logs have names of their own
			trial, err := s.measureAndStore(ctx, again, id)
			if err != nil || ctx.Err() != nil {
				return first, err
			}
			s.opts.Observer.Repeated(again, trial)
		}
	}
	return first, err
}

// measureAndStore measures a trial and writes it down.
func (s *session) measureAndStore(ctx context.Context, t plan.Trial, repeats string) (record.Trial, error) {
	trial, err := s.measure(ctx, t)
	if err != nil {
		return trial, err
	}
	trial.Repeats = repeats
	s.count(t, trial) // first: when the journal cannot take it, the record may
	return trial, s.journal.append(entry{Trial: &trial})
}

// round is what the plan has of a trial's cell and block, without what failures
// have made pointless; nil while one of it is still to run.
func (s *session) round(t plan.Trial) []plan.Trial {
	var round []plan.Trial
	for _, r := range s.plan.Trials {
		switch {
		case r.Cell != t.Cell || r.Block != t.Block:
		case s.done[r.ID]:
			round = append(round, r)
		case !s.failures.over(r):
			return nil
		}
	}
	return round
}

// shouldRepeat says whether a round is run again. It follows from the conditions of
// trials alone, and from the budget.
func (s *session) shouldRepeat(round []plan.Trial) bool {
	if s.opts.Repeat == 0 || len(round) == 0 {
		return false
	}
	latest := make([]record.Trial, len(round))
	for i, t := range round {
		done := s.attempts(t)
		if len(done) > s.opts.Repeat {
			return false
		}
		latest[i] = done[len(done)-1]
	}
	if len(s.disturbances(latest)) == 0 {
		return false
	}
	disturbed := 0
	for _, why := range s.disturbedTrials() {
		if len(why) > 0 {
			disturbed++
		}
	}
	switch n := len(s.run.Trials); {
	case n >= hopelessAfter && 2*disturbed > n:
		return false
	case float64(s.repeated+len(round)) > mostRepeated*float64(len(s.plan.Trials)):
		return false
	}
	spent := s.opts.Now().Sub(s.begun).Seconds()
	for _, t := range round {
		spent += s.durations.of(t)
	}
	return s.opts.Budget <= 0 || spent <= s.opts.Budget.Seconds()
}

// attempts are the runs of a trial of the plan, in their order.
func (s *session) attempts(t plan.Trial) (done []record.Trial) {
	for _, r := range s.run.Trials {
		if r.Order == t.Order {
			done = append(done, r)
		}
	}
	return done
}

// disturbances says what disturbed all of the trials that ran in turns. A round of which one
// failed has no pair of numbers that anybody uses.
func (s *session) disturbances(round []record.Trial) []string {
	var samples []*record.Samples
	for _, t := range round {
		if t.Outcome != record.OK {
			return nil
		}
		samples = append(samples, t.Samples)
	}
	return s.opts.Conditions(samples...)
}

// disturbedTrials says of each trial what disturbed its round. The n-th runs of a
// block's trials are a round of their own.
func (s *session) disturbedTrials() [][]string {
	type turn struct {
		place
		attempt int
	}
	attempt := make(map[int]int) // by order
	rounds := make(map[turn][]int)
	for i, t := range s.run.Trials {
		at := turn{place{t.Cell, t.Block}, attempt[t.Order]}
		attempt[t.Order]++
		rounds[at] = append(rounds[at], i)
	}
	why := make([][]string, len(s.run.Trials))
	for _, round := range rounds {
		var trials []record.Trial
		for _, i := range round {
			trials = append(trials, s.run.Trials[i])
		}
		said := s.disturbances(trials)
		for _, i := range round {
			why[i] = said
		}
	}
	return why
}

// markDisturbed writes into the record what disturbed its trials, and who.
func (s *session) markDisturbed() {
	any := false
	for i, why := range s.disturbedTrials() {
		s.run.Trials[i].Disturbed = why
		any = any || len(why) > 0
	}
	if any && s.others != nil {
		s.run.Others = s.others.Busiest()
	}
}

// withoutRepeats are the trials without their repetitions.
func withoutRepeats(trials []record.Trial) []record.Trial {
	return slices.DeleteFunc(slices.Clone(trials), func(t record.Trial) bool { return t.Repeats != "" })
}

// conditionsNote is what a reader should know about the conditions of the run.
func conditionsNote(run *record.Run) []string {
	disturbed, repeated := 0, 0
	for _, t := range run.Trials {
		if len(t.Disturbed) > 0 {
			disturbed++
		}
		if t.Repeats != "" {
			repeated++
		}
	}
	if disturbed == 0 {
		return nil
	}
	note := fmt.Sprintf("%d of %d trials ran while something else disturbed the machine", disturbed, len(run.Trials))
	switch {
	case repeated == 1:
		note += "; 1 was repeated"
	case repeated > 1:
		note += fmt.Sprintf("; %d were repeated", repeated)
	}
	return []string{note}
}
