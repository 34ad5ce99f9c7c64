package runner

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Run measures every trial of the plan, in its order, and returns the run
// record, which is then also in opts.Dir. Where the plan has interim analyses or stages it
// asks opts.Decider after each which cells go on, and leaves out the others.
//
// A trial that fails is part of the record and the run goes on. Where all of
// the first three trials of an arm in a cell fail, its other trials of that
// cell are left out and a note says so.
//
// A run that ends early returns what was measured, in a record that says why:
// a cancelled ctx with its cause as the error, a budget that is spent with a
// nil error, anything that makes going on pointless (a full disk) with that
// error. The journal then stays beside the record, and Run with Resume goes on.
// The record is nil when nothing was begun.
func Run(ctx context.Context, p *plan.Plan, bench Bench, opts Options) (*record.Run, error) {
	opts = opts.withDefaults()
	folder, err := openFolder(opts.Dir)
	if err != nil {
		return nil, err
	}
	defer folder.close()
	before, err := folder.inspect(p, opts.Resume)
	if err != nil {
		return nil, err
	}
	if before.complete != nil {
		opts.Observer.Begin(p, withoutRepeats(before.complete.Trials))
		opts.Observer.End(before.complete, nil)
		return before.complete, nil
	}
	release, notes, err := opts.Alone(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	s := &session{plan: p, bench: bench, opts: opts, folder: folder, begun: opts.Now(), aloneNotes: notes}
	if err := s.identify(ctx); err != nil {
		return nil, err
	}
	if err := s.open(before.past); err != nil {
		return nil, err
	}
	s.others = host.WatchOthers(opts.Devices)
	opts.Observer.Begin(p, withoutRepeats(s.run.Trials))
	if len(s.run.Interims) > 0 {
		opts.Observer.Analysed(s.run.Interims)
	}
	why, err := s.runPlan(ctx)
	if broken := s.closeSchedulers(); broken != nil && err == nil {
		why, err = "error", broken
	}
	s.journal.close()
	err = s.finish(why, err)
	opts.Observer.End(s.run, err)
	return s.run, err
}

// contents is what a folder held before the run.
type contents struct {
	past     *past       // a journal to go on with
	complete *record.Run // a run that needs nothing more
}

// inspect looks at what the folder holds and refuses what this run would spoil.
func (f *folder) inspect(p *plan.Plan, resume bool) (contents, error) {
	journal, err := f.has(JournalFile)
	if err != nil {
		return contents{}, err
	}
	finished, err := f.has(RecordFile)
	if err != nil {
		return contents{}, err
	}
	switch {
	case journal && !resume:
		return contents{}, fmt.Errorf("%s holds a run that is not complete: resume it (--resume), or choose another folder", f.dir)
	case finished && !resume:
		return contents{}, fmt.Errorf("%s holds the record of another run, %s: choose another folder", f.dir, RecordFile)
	case journal:
		past, err := readJournal(f.path(JournalFile))
		return contents{past: past}, err
	case finished:
		run, err := record.ReadFile(f.path(RecordFile))
		if err == nil {
			err = samePlan(run, p, f.path(RecordFile))
		}
		if err == nil && run.Interrupted != "" {
			err = fmt.Errorf("%s was cut short (%s) and its journal is gone: choose another folder", f.path(RecordFile), run.Interrupted)
		}
		return contents{complete: run}, err
	}
	return contents{}, nil
}

// finish writes the record. The journal goes only when the record is complete
// and safely on the disk.
func (s *session) finish(why string, cause error) error {
	s.markDisturbed()
	s.run.DropUnmeasured()
	s.run.Finished = finished(s.run)
	s.run.Interrupted = why
	s.run.Notes = slices.Concat(s.run.Notes, datasetNotes(s.run), s.notes, s.opts.Devices.Warnings(), s.failures.notes(s.plan), conditionsNote(s.run))
	if why == "budget" {
		s.run.Notes = append(s.run.Notes, s.budgetNote())
	}
	if why == "error" {
		s.run.Notes = append(s.run.Notes, fmt.Sprintf("the run ended early: %s", printable(cause.Error())))
	}
	if err := record.WriteFile(s.folder.path(RecordFile), s.run); err != nil {
		if cause == nil {
			return fmt.Errorf("%w; the journal keeps every trial: make room, then resume", err)
		}
		return fmt.Errorf("%w (and the record could not be written: %v; the journal keeps every trial)", cause, err)
	}
	syncFolder(s.folder.dir)
	if why != "" {
		return cause
	}
	return os.Remove(s.folder.path(JournalFile))
}

// datasetNotes says what of a dataset could not be read: the prompts were drawn
// from the rest.
func datasetNotes(run *record.Run) (notes []string) {
	for _, d := range run.Datasets {
		if d.Damaged > 0 {
			notes = append(notes, printable(fmt.Sprintf("dataset %s: %d of %d records could not be read and were left out: %s",
				d.Name, d.Damaged, d.Records, strings.Join(d.DamagedAt, "; "))))
		}
	}
	return notes
}
