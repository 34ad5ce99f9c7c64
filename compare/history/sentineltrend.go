package history

import (
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
)

// A Sentinel is what a pinned build says about a machine, night by night.
type Sentinel struct {
	Readings []Reading // one a night
	Trends   []Trend   // of the sentinel, in the order of its last night; changes are the moves of Shifts
	Shifts   []Shift   // lasting ones, oldest first
}

// A Shift is a night from which on the machine had another level.
type Shift struct {
	Night int    // index of the first one
	Moves []Move // against the level before, the largest first; of the night that settled it
}

// Latest is what the sentinel says of the last night.
func (s Sentinel) Latest() Reading {
	if len(s.Readings) == 0 {
		return Reading{}
	}
	return s.Readings[len(s.Readings)-1]
}

// gatherSentinel makes trends of the sentinels of sessions. Nothing is searched in
// them: the readings say where they moved.
func gatherSentinel(machine string, sessions []*store.Session, readings []Reading, policy compare.Policy) Sentinel {
	s := Sentinel{Readings: readings}
	b := newTrendBuilder(new(store.Contents), policy, machine)
	for night, session := range sessions {
		sentinel := session.Run.Sentinel
		if sentinel == nil {
			continue
		}
		own := *session
		own.Run = *sentinel.Session(&session.Run)
		own.Samples = session.Sentinel
		b.add(night, &own, sentinel.Arm, Reading{Level: readings[night].Level})
		if r := readings[night]; r.State == SentinelSettled {
			first := slices.IndexFunc(readings, func(x Reading) bool { return x.State != NoSentinel && x.Level == r.Level })
			s.Shifts = append(s.Shifts, Shift{first, r.Moves})
		}
	}
	s.Trends = b.finish(len(sessions) - 1)
	for i := range s.Trends {
		t := &s.Trends[i]
		sc := t.scale()
		for _, st := range t.stretches {
			t.addLevel(sc, st.points)
		}
		slices.SortStableFunc(t.Segments, func(a, b Segment) int { return a.From - b.From })
	}
	return s
}

// trend is that of the sentinel in a metric of a cell, nil for none.
func (s *Sentinel) trend(cell, metric string) *Trend {
	for i := range s.Trends {
		if t := &s.Trends[i]; t.Cell == cell && t.Metric.Name == metric {
			return t
		}
	}
	return nil
}

// sameBut says whether two stretches differ in nothing but the level of the machine,
// so that what was measured in them can be compared relative to the sentinel.
func (s stretch) sameBut(other stretch) bool {
	other.level = s.level
	return s.segment == other.segment && s.differs(other) == ""
}

// sameArms says whether one sentinel measured two points of its trend.
func sameArms(a, b record.Arm) bool {
	return a.Build.Identity() == b.Build.Identity() && len(a.OtherFiles(b)) == 0
}
