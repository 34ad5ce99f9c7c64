package history

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// A ChangePoint is a night from which on something was different: all changes
// of one machine that may have come in the same night. Nights are indices in
// Machine.Nights.
type ChangePoint struct {
	ID string // [a-z0-9-]+, unique among all machines and the same while the night is

	LastGood, FirstBad    int // the night before and the first one after; where a drift began and ended
	SurelyGood, SurelyBad int // with 95 % of the evidence it came after the one and not after the other
	Drift                 bool
	Stairs                []int // the nights of the small steps it went in, of what is placed best; nil for none

	Moved []Moved // the worst first

	Worse, Better int // of Moved
	State         State
	Ended         int    // night in which the state was reached, -1 while Open
	Reason        string // why it was accepted; foreign

	Confirmed *Standing // the verdict that measured some of it in turns; nil for none

	New        bool // none of it was to be seen before the last night
	Relative   bool // the machine moved too, and some of it is what changed beyond the sentinel
	SameBuild  bool // one build measured all nights in question: it is not the program that changed
	Everywhere bool // four in five of all trends moved, and five or more: the machine, or something all of them use

	Commits Commits // between the two nights, where a checkout is at hand
}

// Moved is a change of one trend of the machine.
type Moved struct{ Trend, Change int }

// Span says when the change was first seen.
func (p ChangePoint) Span(m Machine) (from, to time.Time) {
	return m.Nights[p.SurelyGood].Started, m.Nights[p.SurelyBad].Started
}

// At returns the trend and change behind one of Moved.
func (m *Machine) At(x Moved) (*Trend, *Change) {
	t := &m.Trends[x.Trend]
	return t, &t.Changes[x.Change]
}

// moved is a change with its nights.
type moved struct {
	Moved
	good, bad, surelyGood, surelyBad int
	c                                *Change
}

// group makes change points of the machine's changes: those that are placed
// best gather the others whose place may be the same.
func (m *Machine) group() {
	var all []moved
	for i := range m.Trends {
		t := &m.Trends[i]
		for k := range t.Changes {
			c := &t.Changes[k]
			x := moved{Moved: Moved{i, k}, c: c}
			x.good, x.bad = t.nightBefore(c, c.At), t.Points[c.At].Night
			x.surelyGood, x.surelyBad = t.nightBefore(c, c.First), t.Points[c.Last].Night
			if c.Drift {
				x.bad = x.surelyBad
			}
			if c.Confirmed != nil {
				m.placeConfirmed(&x)
			}
			all = append(all, x)
		}
	}
	slices.SortStableFunc(all, func(a, b moved) int {
		return cmp.Or(cmp.Compare(a.surelyBad-a.surelyGood, b.surelyBad-b.surelyGood), cmp.Compare(a.c.P, b.c.P))
	})
	for len(all) > 0 {
		anchor, rest := all[0], all[:0:0]
		together := []moved{anchor}
		for _, x := range all[1:] {
			if anchor.with(x) && !slices.ContainsFunc(together, func(y moved) bool { return y.Trend == x.Trend }) {
				together = append(together, x)
			} else {
				rest = append(rest, x)
			}
		}
		m.ChangePoints = append(m.ChangePoints, m.changePoint(anchor, together))
		all = rest
	}
	slices.SortStableFunc(m.ChangePoints, func(a, b ChangePoint) int { return cmp.Or(b.FirstBad-a.FirstBad, b.LastGood-a.LastGood) })
}

// placeConfirmed places a change by what confirmed it: after the last session that
// was not worse.
func (m *Machine) placeConfirmed(x *moved) {
	confirmed := x.c.Confirmed.Verdict.Confirmed
	if confirmed == nil || x.c.First != x.c.At || x.c.Last != x.c.At {
		return // it was found in the trend, too
	}
	good := slices.IndexFunc(m.Nights, func(n Night) bool { return n.Key.String() == confirmed.Last })
	if good < 0 || good >= x.bad {
		good = max(0, x.bad-1)
	}
	x.good, x.surelyGood = good, good
}

// with says whether another change may have come with this one.
func (a moved) with(x moved) bool {
	if a.c.Drift != x.c.Drift {
		return false
	}
	if a.c.Drift { // more than half of the shorter one in common
		common := min(a.surelyBad, x.surelyBad) - max(a.surelyGood, x.surelyGood)
		return 2*common > min(a.surelyBad-a.surelyGood, x.surelyBad-x.surelyGood)
	}
	return x.surelyGood < a.bad && a.bad <= x.surelyBad
}

func (m *Machine) changePoint(anchor moved, together []moved) ChangePoint {
	p := ChangePoint{
		LastGood: anchor.good, FirstBad: anchor.bad, SurelyGood: anchor.surelyGood, SurelyBad: anchor.surelyBad,
		Drift: anchor.c.Drift, State: Open, Ended: -1,
	}
	for _, s := range anchor.c.Stairs {
		p.Stairs = append(p.Stairs, m.Trends[anchor.Trend].Points[s.At].Night)
	}
	slices.SortStableFunc(together, func(a, b moved) int {
		switch {
		case a.c.Worse && !b.c.Worse:
			return -1
		case b.c.Worse && !a.c.Worse:
			return 1
		}
		return cmp.Compare(m.margins(b), m.margins(a))
	})
	p.New = true
	for _, x := range together {
		p.Moved = append(p.Moved, x.Moved)
		p.New, p.Relative = p.New && x.c.New, p.Relative || x.c.Relative
		if p.Confirmed == nil {
			p.Confirmed = x.c.Confirmed
		}
		if x.c.Worse {
			p.Worse++
		} else {
			p.Better++
		}
	}
	p.settle(m)
	p.Everywhere = m.everywhere(p)
	// Programs that were measured in turns are two, whatever they say of their commit.
	p.SameBuild = p.Confirmed == nil && !slices.ContainsFunc(m.Nights[p.SurelyGood:p.SurelyBad+1], func(n Night) bool { return !n.sameBuild(m.Nights[p.SurelyGood]) })
	bad := m.Nights[p.FirstBad]
	sum := sha256.Sum256([]byte(m.Name + "\n" + bad.Key.String() + map[bool]string{true: "\ndrift"}[p.Drift]))
	p.ID = "p-" + hex.EncodeToString(sum[:5])
	return p
}

// sameBuild says whether two nights surely measured one build: a packager's
// builds all name him for their commit.
func (n Night) sameBuild(other Night) bool {
	return n.Commit != "" && n.Commit == other.Commit && (n.Build == other.Build || commitForm.MatchString(n.Commit))
}

// margins is the size of a change in margins.
func (m *Machine) margins(x moved) float64 {
	t := &m.Trends[x.Trend]
	sc := t.scale()
	return max(sc.to(x.c.After)-sc.to(x.c.Before), sc.to(x.c.Before)-sc.to(x.c.After)) / sc.lambda
}

// settle sets the state: open while any of what got worse is, or, where
// nothing did, of what got better.
func (p *ChangePoint) settle(m *Machine) {
	ended := -1
	for _, x := range p.Moved {
		t, c := m.At(x)
		if p.Worse > 0 && !c.Worse {
			continue
		}
		if c.State == Open {
			p.State, p.Ended, p.Reason = Open, -1, ""
			return
		}
		if night := t.Points[c.Ended].Night; night >= ended {
			ended = night
			p.State, p.Ended, p.Reason = c.State, night, ""
			for _, b := range t.Breaks {
				if c.State == Accepted && b.Accepted && b.At == c.Ended {
					p.Reason = b.Why
				}
			}
			if c.State == Accepted && p.Reason == "" && c.Confirmed != nil {
				p.Reason = c.Confirmed.Reason
			}
		}
	}
}

// everywhere says whether four in five of the trends that could have moved did.
func (m *Machine) everywhere(p ChangePoint) bool {
	could := 0
	for i := range m.Trends {
		t := &m.Trends[i]
		n := len(t.Points)
		if t.Judged && n > 0 && t.Points[0].Night <= p.LastGood && t.Points[n-1].Night >= p.FirstBad {
			could++
		}
	}
	return len(p.Moved) >= 5 && 5*len(p.Moved) >= 4*could
}

// nightBefore is the night of the last point before p that a change compares with
// it.
func (t *Trend) nightBefore(c *Change, p int) int {
	here := t.stretches[t.Points[p].stretch]
	for i := p - 1; i >= 0; i-- {
		if t.Points[i].stretch == t.Points[p].stretch || c.Relative && here.sameBut(t.stretches[t.Points[i].stretch]) {
			return t.Points[i].Night
		}
	}
	return t.Points[p].Night
}
