// Package history looks at one session in the light of those before it.
package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
)

// defaultMost is the target size of a baseline: 10 to 20 sessions (statistics
// reference 7.3).
const defaultMost = 20

// Options say which sessions may serve as baseline. The zero value works.
type Options struct {
	Machine string // as keys name it; "" is the Slug of the host's name
	Arm     string // of the session under test; "" is its baseline arm
	Most    int    // sessions a cell; 0 is 20

	// Policy says what stored sessions may have measured otherwise under the same
	// name, by Ignore, and by its margins when the sentinel moved; the zero value is
	// compare.DefaultPolicy.
	Policy compare.Policy
}

// A Choice is the baseline of a session: for each of its cells, and of those that
// recent sessions had and it has not, the latest
// stored sessions of the same machine with the same hard fingerprint, model,
// and parameters of the arm, within the cell's current segment.
type Choice struct {
	Arm   string                     // of the session under test
	Cells map[string][]store.Session // by Cell.Key, oldest first; absent where none can serve

	// Mismatched is the latest session that hard keys, or another model or dataset
	// of the same name, alone keep from serving, where none can serve: to be named
	// beside what differs. Nil otherwise.
	Mismatched *store.Session

	head   *record.Run                   // the session under test
	before int                           // level of the machine before a session whose sentinel moved
	chosen map[store.Key]map[series]bool // for which metrics each session serves

	// PassedOver says why others cannot serve, the most frequent reason first.
	PassedOver []Reason

	// Sentinel is what that of the session under test says.
	Sentinel Reading
}

// A series is one metric of one cell.
type series struct{ cell, metric string }

// A Reason is why stored sessions cannot serve as baseline of any cell.
type Reason struct {
	Why      string // "differs in cpu, kernel"
	Sessions int
}

// Choose picks the baseline of head from what a store holds. Sessions that
// began at the same time as head or later, and head itself, take no part.
func Choose(c *store.Contents, head *record.Run, o Options) Choice {
	o.Machine = cmp.Or(o.Machine, store.Slug(head.Host.Name))
	o.Arm = cmp.Or(o.Arm, head.Baseline)
	o.Most = cmp.Or(o.Most, defaultMost)
	if o.Policy.Margins == nil {
		ignore := o.Policy.Ignore
		o.Policy = compare.DefaultPolicy()
		o.Policy.Ignore = ignore
	}
	choice := Choice{Arm: o.Arm, head: head, Cells: make(map[string][]store.Session), chosen: make(map[store.Key]map[series]bool)}
	passed := make(map[string]int)
	standings, sessions := Standings(c, o.Machine), make(map[series]int)
	levels := choice.readSentinel(c, head, o)
	fit, tables := 0, make(cellTables)
	for _, s := range slices.Backward(c.Sessions) { // latest first
		if s.Key.Machine != o.Machine || s.Run.ID == head.ID {
			continue
		}
		if why := unfit(s, head, o.Arm); why != "" {
			passed[why]++
			if len(hardDifferences(s, head, o.Arm)) > 0 && choice.Mismatched == nil && s.Run.Started.Before(head.Started) {
				choice.Mismatched = &s
			}
			continue
		}
		if levels[s.Key] != choice.level() {
			passed["the sentinel moved between, so the machine did"]++
			continue
		}
		fit++
		past := newPast(s, head, o, tables, standings)
		serves, why := false, "measured no cell of this session"
		for key := range past.cellsOfBoth(fit <= o.Most) {
			if because := past.unfitCell(c, key); because != "" {
				why = because
				if len(past.namesakes(key)) > 0 && choice.Mismatched == nil {
					choice.Mismatched = &past.Session
				}
				continue
			}
			unspoilt, needed := choice.serveFor(past, key, o.Most, sessions)
			if !unspoilt {
				why = "has a loss that was confirmed"
				continue
			}
			serves = true
			if needed {
				choice.Cells[key] = append(choice.Cells[key], past.Session)
			}
		}
		if !serves {
			passed[why]++
		}
	}
	for _, sessions := range choice.Cells {
		slices.Reverse(sessions)
	}
	if len(choice.Cells) > 0 {
		choice.Mismatched = nil
	}
	for why, n := range passed {
		choice.PassedOver = append(choice.PassedOver, Reason{why, n})
	}
	slices.SortFunc(choice.PassedOver, func(a, b Reason) int {
		return cmp.Or(b.Sessions-a.Sessions, strings.Compare(a.Why, b.Why))
	})
	return choice
}

// serveFor chooses a session for the metrics of one of its cells: for those of
// which it has no confirmed loss, as long as fewer than most sessions serve. unspoilt
// says that there is one without a loss, needed that it was chosen for any.
func (c *Choice) serveFor(p *past, cell string, most int, sessions map[series]int) (unspoilt, needed bool) {
	for _, m := range p.Run.Cells[p.places[cell]].Metrics {
		if slices.ContainsFunc(p.losses, func(l Standing) bool { return l.about(cell, m.Name) }) {
			continue
		}
		unspoilt = true
		one := series{cell, m.Name}
		if sessions[one] == most {
			continue
		}
		sessions[one]++
		needed = true
		if c.chosen[p.Key] == nil {
			c.chosen[p.Key] = make(map[series]bool)
		}
		c.chosen[p.Key][one] = true
	}
	return unspoilt, needed
}

// unfit says why a whole session cannot serve, "" when it may.
func unfit(s store.Session, head *record.Run, arm string) string {
	if !s.Run.Started.Before(head.Started) {
		return "not earlier than this session"
	}
	if hard := hardDifferences(s, head, arm); len(hard) > 0 {
		var keys []string
		for _, d := range hard {
			keys = append(keys, d.Key)
		}
		return "differs in " + strings.Join(keys, ", ")
	}
	theirs, ok := armOf(&s.Run, arm)
	ours, _ := armOf(head, arm)
	switch {
	case !ok:
		return "has no arm to compare with"
	case !maps.Equal(theirs.Params, ours.Params) || !maps.Equal(theirs.Env, ours.Env):
		return "ran with other parameters or environment"
	}
	return ""
}

// hardDifferences lists the keys that keep a session from serving.
func hardDifferences(s store.Session, head *record.Run, arm string) []record.KeyDiff {
	theirs, _ := armOf(&s.Run, arm)
	ours, _ := armOf(head, arm)
	return compare.HardDifferences(compare.Selection{Run: &s.Run, Arm: theirs.Name}, compare.Selection{Run: head, Arm: ours.Name})
}

// likeHead gives the cells of a session that ran with the same settings as cells
// of the session under test the keys that these have, and returns them.
func likeHead(run, head *record.Run, arm string) map[string]bool {
	theirs, _ := armOf(run, arm)
	ours, _ := armOf(head, arm)
	return run.Like(theirs.Name, head, ours.Name)
}

// armOf finds the arm of that name, else the baseline arm: the build of a
// nightly is the same arm whatever it was called.
func armOf(run *record.Run, name string) (record.Arm, bool) {
	for _, want := range []string{name, run.Baseline} {
		for _, arm := range run.Arms {
			if arm.Name == want && arm.ControlOf == "" {
				return arm, true
			}
		}
	}
	return record.Arm{}, false
}

func hashOf(run *record.Run, model string) string {
	for _, m := range run.Models {
		if m.Name == model {
			return m.SHA256
		}
	}
	return ""
}

// anotherOf words namesakes, "" when there are none.
func anotherOf(found map[string][]record.KeyDiff, model string) string {
	var why []string
	if diffs := found[compare.IgnoreModel]; len(diffs) > 0 {
		why = append(why, "measured another file of model "+model)
	}
	if diffs := found[compare.IgnoreDataset]; len(diffs) > 0 {
		why = append(why, "took its prompts from another dataset, or others of it")
	}
	return strings.Join(why, "; ")
}

// Sessions lists the chosen sessions, each once, oldest first.
func (c Choice) Sessions() []store.Session {
	seen := make(map[store.Key]bool)
	var all []store.Session
	for _, sessions := range c.Cells {
		for _, s := range sessions {
			if !seen[s.Key] {
				seen[s.Key] = true
				all = append(all, s)
			}
		}
	}
	slices.SortFunc(all, func(a, b store.Session) int {
		return cmp.Or(a.Key.Started.Compare(b.Key.Started), strings.Compare(a.Key.String(), b.Key.String()))
	})
	return all
}

// Selections reads the chosen sessions, oldest first, for compare.History. Of
// each only the metrics are left for which it was chosen; where no session can
// serve, it is the mismatched one, so that compare.History names its keys. A
// session that was pruned meanwhile is left out.
func (c Choice) Selections(ctx context.Context, s store.Store) ([]compare.Selection, error) {
	sessions := c.Sessions()
	if len(sessions) == 0 && c.Mismatched != nil {
		sessions = []store.Session{*c.Mismatched}
	}
	runs, faults := make([]*record.Run, len(sessions)), make([]error, len(sessions))
	together(len(sessions), func(i int) {
		if runs[i], faults[i] = store.Fetch(ctx, s, sessions[i].Key.String()); faults[i] == nil {
			likeHead(runs[i], c.head, c.Arm)
			c.keepChosen(runs[i], sessions[i].Key)
		}
	})
	var selections []compare.Selection
	for i, run := range runs {
		switch {
		case errors.Is(faults[i], store.ErrNotFound):
			continue
		case faults[i] != nil:
			return nil, fmt.Errorf("read baseline: %w", faults[i])
		}
		arm, _ := armOf(run, c.Arm)
		selections = append(selections, compare.Selection{Run: run, Arm: arm.Name})
	}
	return selections, nil
}

// keepChosen leaves of a session what it was chosen for.
func (c Choice) keepChosen(run *record.Run, key store.Key) {
	cells := make(map[string]bool)
	for one := range c.chosen[key] {
		cells[one.cell] = true
	}
	run.Trials = slices.DeleteFunc(run.Trials, func(t record.Trial) bool { return !cells[t.Cell] })
	for i := range run.Trials {
		t := &run.Trials[i]
		t.Command, t.Resources = nil, nil // nothing is judged by them, and there are thousands
		t.Measurements = slices.DeleteFunc(t.Measurements, func(m record.Measurement) bool { return !c.chosen[key][series{t.Cell, m.Metric}] })
	}
}
