package runner

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// open begins the journal, or goes on with the one of an earlier process.
func (s *session) open(before *past) (err error) {
	s.done = make(map[string]bool)
	s.streaks = make(streaks)
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
	now := resumption{At: s.opts.Now().UTC().Round(0)}
	now.Notes = s.resumeNotes(before, now.At)
	s.notes = append(before.notes, now.Notes...)
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
	trials := before.run.Trials
	s.run = before.run
	s.run.Trials = nil
	last := -1
	for i, r := range trials {
		t, ok := planned[r.ID]
		if !ok || r.Arm != s.plan.Arms[t.Arm].Name || r.Cell != s.plan.Cells[t.Cell].Cell.Key || r.Block != t.Block || r.Order != t.Order || t.Order <= last {
			return fmt.Errorf("%s:%d: trial %s is not the one planned next: the journal was edited; start over in another folder", path, before.trialAt[i], r.ID)
		}
		last = t.Order
		s.take(t, r)
	}
	return nil
}

// samePlan refuses to mix two plans, and says where they part.
func samePlan(was *record.Run, p *plan.Plan, path string) error {
	if was.Plan.ID == p.ID {
		return nil
	}
	var differ []string
	check := func(what string, a, b any) {
		if !jsonEqual(a, b) {
			differ = append(differ, what)
		}
	}
	number := func(what string, a, b any) {
		check(fmt.Sprintf("%s (%v, now %v)", what, a, b), a, b)
	}
	number("seed", was.Plan.Seed, p.Seed)
	number("blocks", was.Plan.Blocks, p.Blocks)
	number("warmup", was.Plan.Warmup, p.Warmup)
	number("repetitions", was.Plan.Repetitions, p.Repetitions)
	number("trials", was.Plan.Trials, len(p.Trials))
	number("baseline", printable(was.Baseline), printable(p.Baseline))
	check("arms", planned(was.Arms), planned(p.Arms))
	var models []plan.Model
	for _, m := range was.Models {
		models = append(models, plan.Model{Name: m.Name, Path: m.Path})
	}
	var wanted []plan.Model
	for _, m := range p.Models {
		wanted = append(wanted, plan.Model{Name: m.Name, Path: m.Path})
	}
	check("models", models, wanted)
	var cells []record.Cell
	for _, c := range p.Cells {
		cells = append(cells, c.Cell)
	}
	check("cells", was.Cells, cells)
	check("configuration file", was.Plan.ConfigSHA, p.ConfigSHA)
	if len(differ) == 0 {
		differ = []string{"tests, timeout or order of trials"}
	}
	return fmt.Errorf("%s belongs to another plan (%.12s, this one is %.12s): %s differ; undo the change, or choose another folder",
		path, was.Plan.ID, p.ID, strings.Join(differ, ", "))
}

// planned is what a plan knows of its arms: their builds are found out later.
func planned(arms []record.Arm) []record.Arm {
	plain := make([]record.Arm, len(arms))
	for i, a := range arms {
		plain[i] = a
		plain[i].Build = record.Build{}
	}
	return plain
}

// sameSubjects refuses to go on with other models, builds or another machine:
// the trials before and after would not be of the same thing.
func sameSubjects(was, now *record.Run) error {
	var differ []error
	hard, _ := host.Compare(was.Host, now.Host)
	for _, d := range hard {
		differ = append(differ, fmt.Errorf("host %s was %q, is %q", d.Key, d.A, d.B))
	}
	for i, m := range was.Models {
		if i < len(now.Models) && m.SHA256 != now.Models[i].SHA256 {
			differ = append(differ, fmt.Errorf("model %s changed: sha256 was %.12s, is %.12s", m.Name, m.SHA256, now.Models[i].SHA256))
		}
	}
	for i, a := range was.Arms {
		if i < len(now.Arms) && a.Build.SHA256 != now.Arms[i].Build.SHA256 {
			differ = append(differ, fmt.Errorf("arm %s: the program changed: sha256 was %.12s, is %.12s", a.Name, a.Build.SHA256, now.Arms[i].Build.SHA256))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return fmt.Errorf("cannot be resumed here; start over in another folder: %w", errors.Join(differ...))
}

// resumeNotes is what a reader of the results should know about the pause.
func (s *session) resumeNotes(before *past, at time.Time) []string {
	pause := at.Sub(finished(s.run)).Round(time.Second)
	note := fmt.Sprintf("resumed at %s after %d of %d trials and a pause of %v", at.Format(time.RFC3339), len(s.run.Trials), len(s.plan.Trials), max(0, pause))
	if t, ok := s.straddled(); ok {
		note += fmt.Sprintf("; block %d of %s lies on both sides of it", t.Block, s.plan.Cells[t.Cell].Cell.Key)
	}
	notes := []string{note}
	_, soft := host.Compare(s.run.Host, s.opts.Host)
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

// straddled is a trial of the block that was begun and not finished.
func (s *session) straddled() (plan.Trial, bool) {
	for i, t := range s.plan.Trials {
		if s.done[t.ID] || s.streaks.over(t) {
			continue
		}
		if i == 0 {
			break
		}
		last := s.plan.Trials[i-1]
		return t, s.done[last.ID] && last.Block == t.Block && last.Cell == t.Cell
	}
	return plan.Trial{}, false
}
