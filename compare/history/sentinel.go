package history

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
)

// A SentinelState is what a sentinel says about the machine in one session.
type SentinelState string

const (
	NoSentinel       SentinelState = ""             // none was asked for
	SentinelMissing  SentinelState = "not_measured" // it was asked for, and says nothing
	SentinelLearning SentinelState = "learning"     // too few sessions have it
	SentinelSteady   SentinelState = "steady"       // it measured what was to be expected
	SentinelMoved    SentinelState = "moved"        // it did not: the machine moved
	SentinelSettled  SentinelState = "settled"      // it moved, and this is the third session that agrees: the machine has a new level
)

// A Reading is what the sentinel of one session says.
type Reading struct {
	State SentinelState
	Moves []Move // what moved, the largest first, against the level before; of a session that moved or settled

	// Level tells the states of the machine apart: what was measured at two levels is
	// not compared. A session that moved and that no others agree with has one of its own.
	Level int
	Since time.Time // when the level began; zero for the first one

	Nights int    // sessions before it at its level; while learning, of SentinelNights
	Why    string // it says nothing, or begins anew, one clause; foreign
}

// A Move is a change of the sentinel's.
type Move struct {
	Cell   string // record.CellKey; foreign, as is Metric.Name
	Metric record.Metric
	Change float64 // against the mean of the level, minus one
}

// Withholds says that nothing of the session is suspected.
func (r Reading) Withholds() bool { return r.State == SentinelMoved }

const (
	// SentinelNights is how many sessions a level needs before another one can be said
	// to differ from the first of them.
	SentinelNights = 4
	// sentinelMost is how many of a level's latest sessions say what is to be expected.
	sentinelMost = 20
	// sentinelNoise is how many of them say how much sessions differ.
	sentinelNoise = 100
	// SentinelAgree is how many sessions that moved and agree are a new level.
	SentinelAgree = 3
	// sentinelAlpha is the chance that a session of a steady machine is said to have
	// moved, all metrics of its sentinel together: 99 % prediction intervals
	// (statistics reference 7.3).
	sentinelAlpha = 0.01
)

// readSentinels reads the sentinels of one machine's sessions, oldest first.
//
// A sentinel moved where a metric lies outside of its 99 % prediction interval and
// by more than half the margin of that metric: a machine that moved by less cannot
// have made a loss beyond the margin by itself.
func readSentinels(sessions []*store.Session, policy compare.Policy) []Reading {
	w := watch{policy: policy}
	for i, s := range sessions {
		w.readings = append(w.readings, Reading{})
		w.read(i, s)
	}
	return w.readings
}

// A watch follows the sentinels of a machine.
type watch struct {
	policy   compare.Policy
	readings []Reading
	lines    []*line // the one used last at the end
	levels   int     // given so far, but for the first
}

// A line is the sessions whose sentinels can be compared: of one build, on one
// machine, with one model.
type line struct {
	session *store.Session // the latest
	levels  []*level       // the current one at the end
	moved   []seen         // the latest sessions, which agree with one another and with no level
}

// A level is what sentinels of a line measured while the machine was the same.
type level struct {
	number int
	since  time.Time
	values []map[trendKey]float64 // logs, oldest first
}

// seen is a session that moved.
type seen struct {
	night  int
	values map[trendKey]float64
	moves  []Move
}

// sentinelValues are the logs of what a sentinel measured, of metrics that are
// compared by ratio and have a margin.
func (w *watch) sentinelValues(s *store.Session) map[trendKey]float64 {
	values := make(map[trendKey]float64)
	for _, x := range s.Sentinel {
		cell := &s.Run.Sentinel.Cells[x.Cell]
		t := Trend{Metric: cell.Metrics[x.Metric]}
		margin, gated := w.policy.Margin(t.Metric)
		if t.Margin = margin; !gated || t.Metric.InPoints() || t.Metric.Exact {
			continue
		}
		if p, ok := newPoint(0, x, t.scale()); ok {
			values[trendKey{cell.Key, t.Metric.Name}] = math.Log(p.Value)
		}
	}
	return values
}

func (w *watch) read(night int, s *store.Session) {
	r := &w.readings[night]
	if current := w.current(s); current != nil { // without a sentinel nothing says that the machine moved
		r.Level, r.Since = current.number, current.since
	}
	sentinel := s.Run.Sentinel
	if sentinel == nil {
		return
	}
	values := w.sentinelValues(s)
	if len(values) == 0 {
		r.State, r.Why = SentinelMissing, cmp.Or(sentinel.Missing, "it measured nothing that is compared by ratio and has a margin")
		return
	}
	l := w.lineOf(s, r)
	now := l.levels[len(l.levels)-1]
	if r.Nights = len(now.values); len(l.levels) == 1 && len(now.values) < SentinelNights {
		r.State = SentinelLearning
		now.add(values)
		return
	}
	for i, old := range slices.Backward(l.levels) {
		moves := l.moves(old.values, values, s, w.policy)
		if old == now {
			r.Moves = moves
		}
		if len(moves) == 0 {
			l.levels, l.moved = append(slices.Delete(l.levels, i, i+1), old), nil
			*r = Reading{State: SentinelSteady, Level: old.number, Since: old.since, Nights: len(old.values), Why: r.Why}
			old.add(values)
			return
		}
	}
	r.State, r.Nights, r.Level, r.Since = SentinelMoved, 0, -1-night, s.Run.Started
	var before []map[trendKey]float64
	for _, m := range l.moved {
		before = append(before, m.values)
	}
	if len(before) > 0 && len(l.moves(before, values, s, w.policy)) > 0 {
		l.moved = nil
	}
	l.moved = append(l.moved, seen{night, values, r.Moves})
	if len(l.moved) == SentinelAgree {
		w.settle(l)
	}
}

// settle makes a new level of sessions that moved and agree.
func (w *watch) settle(l *line) {
	w.levels++
	fresh := &level{number: w.levels, since: w.readings[l.moved[0].night].Since}
	for i, m := range l.moved {
		r := &w.readings[m.night]
		r.Level, r.Since, r.Nights = fresh.number, fresh.since, i
		fresh.add(m.values)
	}
	w.readings[l.moved[len(l.moved)-1].night].State = SentinelSettled
	l.levels, l.moved = append(l.levels, fresh), nil
}

// current is the level of the machine that a session ran on, nil where no sentinel
// told any.
func (w *watch) current(s *store.Session) *level {
	for _, l := range slices.Backward(w.lines) {
		if hard, _ := l.session.Run.Host.Compare(s.Run.Host); len(hard) == 0 {
			return l.levels[len(l.levels)-1]
		}
	}
	return nil
}

// lineOf finds the line of a session, or begins one at the level that the machine is
// taken to have, and says why.
func (w *watch) lineOf(s *store.Session, r *Reading) *line {
	for i, l := range slices.Backward(w.lines) {
		why := l.differs(s)
		if why == "" {
			l.session = s
			w.lines = append(slices.Delete(w.lines, i, i+1), l)
			return l
		}
		r.Why = cmp.Or(r.Why, why)
	}
	l := &line{session: s, levels: []*level{{number: r.Level, since: r.Since}}}
	w.lines = append(w.lines, l)
	return l
}

// differs says why the sentinel of a session cannot be compared with those of a line,
// "" when it can.
func (l *line) differs(s *store.Session) string {
	theirs, ours := l.session.Run.Sentinel.Arm, s.Run.Sentinel.Arm
	hard, _ := l.session.Run.Host.Compare(s.Run.Host)
	switch files := theirs.OtherFiles(ours); {
	case len(hard) > 0:
		return "the machine differs in " + keysOf(hard)
	case len(files) > 0:
		return "it is another build than before: " + strings.Join(files, ", ") + " differ"
	case theirs.Build.Identity() != ours.Build.Identity(), theirs.Build.Commit != ours.Build.Commit:
		return "it is another build than before"
	case !maps.Equal(theirs.Params, ours.Params) || !maps.Equal(theirs.Env, ours.Env):
		return "it ran with other parameters or environment than before"
	}
	for _, cell := range s.Run.Sentinel.Cells {
		if another := anotherOf(compare.Namesakes(l.session.Run.Sentinel.Session(&l.session.Run), s.Run.Sentinel.Session(&s.Run), cell), cell.Model); another != "" {
			return "it " + another
		}
	}
	return ""
}

func (l *level) add(values map[trendKey]float64) {
	l.values = append(l.values, values)
}
