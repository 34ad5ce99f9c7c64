package history

import (
	"fmt"
	"iter"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
)

// A past is a stored session that may serve as baseline of the session under test.
// Cells that both ran with the same settings have the keys of that session.
type past struct {
	store.Session
	head *record.Run
	o    Options

	places   map[string]int  // of its cells, by key
	wanted   map[string]int  // of the cells of the session under test
	measured []bool          // by cell: a trial of the arm yielded something
	same     map[string]bool // cells that are known to have run with the same settings
	losses   []Standing      // that it has
	others   map[subject]map[string][]record.KeyDiff
}

// A subject is what a cell measures with, as far as another may have the same name.
type subject struct {
	model    string
	requests bool // it sends requests, which a dataset is needed for
}

// cellTables are the places of cells by their keys, of each list of cells that
// sessions share, by its first cell.
type cellTables map[*record.Cell]map[string]int

func (t cellTables) places(cells []record.Cell) map[string]int {
	if len(cells) == 0 {
		return nil
	}
	places, ok := t[&cells[0]]
	if !ok || len(places) != len(cells) {
		places = make(map[string]int, len(cells))
		for i, c := range cells {
			if _, twice := places[c.Key]; !twice {
				places[c.Key] = i
			}
		}
		t[&cells[0]] = places
	}
	return places
}

func newPast(s store.Session, head *record.Run, o Options, tables cellTables, losses []Standing) *past {
	p := &past{Session: s, head: head, o: o, others: make(map[subject]map[string][]record.KeyDiff)}
	p.same = likeHead(&p.Run, head, o.Arm)
	p.places, p.wanted = tables.places(p.Run.Cells), tables.places(head.Cells)
	p.measured = make([]bool, len(p.Run.Cells))
	arm, _ := armOf(&p.Run, o.Arm)
	for _, x := range p.Samples {
		if len(x.Values)+int(x.Beyond) > 0 && p.Run.Arms[x.Arm].Name == arm.Name {
			p.measured[x.Cell] = true
		}
	}
	for _, l := range losses {
		if l.spoils(p.Key.Started, p.Run.Host) {
			p.losses = append(p.losses, l)
		}
	}
	return p
}

// cellsOfBoth yields the keys of the cells of the session under test and, after them,
// those that it has lost: a recent session has them, and it does not.
func (p *past) cellsOfBoth(recent bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, c := range p.head.Cells {
			if !yield(c.Key) {
				return
			}
		}
		if !recent {
			return
		}
		for _, c := range p.Run.Cells {
			if _, ours := p.wanted[c.Key]; !ours && !yield(c.Key) {
				return
			}
		}
	}
}

// unfitCell says why a session cannot serve for one cell, "" when it can. Cells
// that are the same under another key are known already.
func (p *past) unfitCell(c *store.Contents, cell string) string {
	if g, ok := c.Segment(p.o.Machine, cell); ok && p.Key.Started.Before(g.Start()) {
		return fmt.Sprintf("before history began anew on %s: %s", g.Start().Format(time.DateOnly), g.Reason)
	}
	i, ok := p.places[cell]
	if !ok {
		return "measured no cell of this session"
	}
	if why := anotherOf(p.namesakes(cell), p.Run.Cells[i].Model); why != "" {
		return why
	}
	if why := p.otherSettings(cell, i); why != "" {
		return why
	}
	if !p.measured[i] {
		return "measured nothing: every trial failed"
	}
	return ""
}

// otherSettings says with which other settings a cell ran than that of the session
// under test, "" for none.
func (p *past) otherSettings(cell string, i int) string {
	at, ok := p.wanted[cell]
	if !ok || p.same[cell] {
		return ""
	}
	theirs, _ := armOf(&p.Run, p.o.Arm)
	ours, _ := armOf(p.head, p.o.Arm)
	if diffs := record.SettingsDiffer(theirs, p.Run.Cells[i], ours, p.head.Cells[at]); len(diffs) > 0 {
		return "ran with " + record.DifferText(diffs)
	}
	return ""
}

// namesakes lists what the session measured otherwise under the names of a cell, as
// far as it is not ignored.
func (p *past) namesakes(cell string) map[string][]record.KeyDiff {
	i, ok := p.places[cell]
	if !ok {
		return nil
	}
	c := p.Run.Cells[i]
	one := subject{c.Model, c.SendsRequests()}
	found, known := p.others[one]
	if !known {
		found = compare.Namesakes(&p.Run, p.head, c)
		for _, kind := range p.o.Policy.Ignore {
			delete(found, kind)
		}
		p.others[one] = found
	}
	return found
}
