package runner

import (
	"fmt"
	"os"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// open begins the journal, or goes on with the one of an earlier process.
func (s *session) open(before *past) (err error) {
	s.done = make(map[string]bool)
	s.failures = make(failures)
	s.cells, s.skipTold, s.dropped = newCells(s.plan), make(map[string]bool), make(map[int]bool)
	path := s.folder.path(JournalFile)
	if before == nil {
		if err := os.MkdirAll(s.folder.path(LogFolder), 0o755); err != nil {
			return fmt.Errorf("output folder: %w", err)
		}
		s.journal, err = createJournal(path, s.run)
		return err
	}
	if err := s.adopt(before, path); err != nil {
		return err
	}
	if s.journal, err = openJournal(path, before.size); err != nil {
		return err
	}
	counts := make(map[string]bool, len(s.run.Trials)) // by ID, repetitions included
	for _, t := range s.run.Trials {
		counts[t.ID] = true
	}
	if err := record.CutRequests(s.folder.path(record.RequestFile), func(trial string) bool { return counts[trial] }); err != nil {
		return err
	}
	s.notes = before.notes
	next, left := s.next(nil)
	if !left { // only the record was still to be written
		return nil
	}
	now := resumption{At: s.opts.Now().UTC().Round(0)}
	now.Notes = append(s.resumeNotes(before, now.At, next), s.aloneNotes...)
	s.notes = append(s.notes, now.Notes...)
	return s.journal.append(entry{Resumed: &now})
}

// adopt takes over what the journal tells, once it is sure to be about the
// same plan, machine, models and builds.
func (s *session) adopt(before *past, path string) error {
	now := s.run
	if err := samePlan(before.run, s.plan, path); err != nil {
		return err
	}
	if err := sameSubjects(before.run, now); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	planned := make(map[string]plan.Trial, len(s.plan.Trials))
	for _, t := range s.plan.Trials {
		planned[t.ID] = t
	}
	trials, interims := before.run.Trials, before.run.Interims
	s.run = before.run
	s.run.Trials, s.run.Interims = nil, nil
	s.addInterims(interims)
	last := -1
	for i, r := range trials {
		t, ok := planned[r.ID]
		again := r.Repeats != ""
		if again {
			if t, ok = planned[r.Repeats]; ok {
				planned[r.ID] = t // which may be repeated itself
			}
		}
		if !ok || r.Arm != s.plan.Arms[t.Arm].Name || r.Cell != s.plan.Cells[t.Cell].Cell.Key || r.Block != t.Block || r.Order != t.Order || t.Order <= last && !again && !s.plan.Stops() {
			return fmt.Errorf("%s:%d: trial %s is not the one planned next: the journal was edited; start over in another folder", path, before.trialAt[i], r.ID)
		}
		last = max(last, t.Order)
		s.count(t, r)
	}
	return nil
}

// resumeNotes is what a reader of the results should know about the pause.
func (s *session) resumeNotes(before *past, at time.Time, next plan.Trial) []string {
	pause := at.Sub(finished(s.run)).Round(time.Second)
	note := fmt.Sprintf("resumed at %s after %d of %d trials and a pause of %v", at.Format(time.RFC3339), len(withoutRepeats(s.run.Trials)), len(s.plan.Trials), max(0, pause))
	if next.Order > 0 {
		last := s.plan.Trials[next.Order-1]
		if s.done[last.ID] && s.plan.SameRound(last, next) {
			note += fmt.Sprintf("; the pause lies within a block, before %s", next.ID)
		}
	}
	notes := []string{note}
	_, soft := s.run.Host.Compare(s.opts.Host)
	for _, d := range soft {
		notes = append(notes, fmt.Sprintf("since then the host's %s changed from %q to %q", d.Key, d.A, d.B))
	}
	if s.run.Tool != s.opts.Tool {
		notes = append(notes, fmt.Sprintf("since then llama-regress changed from %s to %s", s.run.Tool.Version, s.opts.Tool.Version))
	}
	if before.torn != "" {
		notes = append(notes, before.torn)
	}
	return notes
}
