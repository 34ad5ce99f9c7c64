package report

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
)

// MachineMoved is the status of a session whose sentinel moved.
const MachineMoved = "Machine moved"

// A Sentinel is what a pinned build says about the machine.
type Sentinel struct {
	State history.SentinelState `json:"state"`
	Text  Text                  `json:"text"`            // one sentence without a full stop
	Moves []SentinelMove        `json:"moves,omitempty"` // the largest first

	// Withheld is what would be suspected, had the sentinel not moved.
	Withheld []Text `json:"withheld,omitempty"`

	Shifts []Text  `json:"shifts,omitempty"` // of a nightly: since when the machine had another level, the latest first
	Trends []Trend `json:"trends,omitempty"` // of a nightly: the sentinel's own
	Recent bool    `json:"-"`                // of a nightly: it moved lately, so that it is told first
}

// A SentinelMove is a change of the sentinel's in one metric.
type SentinelMove struct {
	Cell   Foreign `json:"cell"`
	Metric Foreign `json:"metric"`
	Change float64 `json:"change"` // a ratio minus one
}

// Moved says that nothing is suspected, because the machine moved.
func (s *Sentinel) Moved() bool { return s != nil && s.State == history.SentinelMoved }

// newSentinel words what the sentinel of a session says, nil where none was asked for.
func newSentinel(m *history.Memory, labels map[string]string) *Sentinel {
	if m == nil || m.Sentinel.State == history.NoSentinel {
		return nil
	}
	s := &Sentinel{State: m.Sentinel.State, Text: sentinelText(m.Sentinel, labels)}
	for _, x := range m.Sentinel.Moves {
		s.Moves = append(s.Moves, SentinelMove{Foreign{x.Cell}, Foreign{x.Metric.Name}, x.Change})
	}
	for i := range m.Withheld {
		s.Withheld = append(s.Withheld, withheldText(&m.Withheld[i], labels))
	}
	return s
}

func sentinelText(r history.Reading, labels map[string]string) Text {
	because := Text(nil)
	if r.Why != "" {
		because = concat(say(", because "), quote(r.Why))
	}
	switch r.State {
	case history.SentinelMissing:
		return concat(say("nothing is known of the machine tonight"), because)
	case history.SentinelLearning:
		return concat(say("learning, session %d of %d; a machine that moved would not be told yet", r.Nights+1, history.SentinelNights), because)
	case history.SentinelMoved:
		return concat(say("moved: "), movesText(r.Moves, labels))
	case history.SentinelSettled:
		return concat(say("the machine has a new level since %s: ", date(r.Since)), movesText(r.Moves, labels), say("; %d sessions agree", r.Nights+1))
	}
	if !r.Since.IsZero() {
		return say("steady since %s, over %s before this one", date(r.Since), plural(r.Nights, "session"))
	}
	return say("steady, over %s before this one", plural(r.Nights, "session"))
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// mostMoves is how many metrics of a sentinel are named.
const mostMoves = 4

func movesText(moves []history.Move, labels map[string]string) Text {
	var list []Text
	for _, x := range moves[:min(len(moves), mostMoves)] {
		list = append(list, concat(quote(x.Metric.Name), say(" of "), quote(labelOf(labels, x.Cell)), say(" %s", moveSize(x.Metric, x.Change))))
	}
	t := join(", ", list...)
	if more := len(moves) - mostMoves; more > 0 {
		t = concat(t, say(" and %d more", more))
	}
	return t
}

func moveSize(m record.Metric, change float64) string {
	x := min(absurd, 100*math.Abs(change))
	return fixed(x, 1) + "% " + comparative(m, change)
}

// withheldText says what would be suspected.
func withheldText(c *compare.Comparison, labels map[string]string) Text {
	t := concat(quote(c.Metric.Name), say(" of "), quote(labelOf(labels, c.Cell)))
	switch {
	case c.Change == nil:
		return t
	case c.Metric.InPoints():
		return concat(t, say(" %s pp", signed(max(-absurd, min(absurd, 100**c.Change)), 1)))
	}
	return concat(t, say(" %s", moveSize(c.Metric, *c.Change)))
}

// Lead says that the machine moved, and what is withheld for it.
func (s *Sentinel) Lead() Text {
	t := concat(say("The machine moved, not the build: the sentinel, a build that never changes, "), s.Text, say(". Nothing of this session is suspected, and it is no pass."))
	return concat(t, s.withheld())
}

// withheld lists what would be suspected.
func (s *Sentinel) withheld() Text {
	if len(s.Withheld) == 0 {
		return say(" Nothing is withheld: no comparison would be suspected.")
	}
	shown := s.Withheld[:min(len(s.Withheld), 8)]
	t := concat(say(" Withheld, and to be seen again once the sentinel is steady: "), join(", ", shown...))
	if more := len(s.Withheld) - len(shown); more > 0 {
		t = concat(t, say(" and %d more", more))
	}
	return concat(t, say("."))
}

// patterns tell of a sentinel that moved where the lead tells of something worse.
func (s *Sentinel) patterns(status string) []Text {
	if !s.Moved() || status == MachineMoved {
		return nil
	}
	return []Text{s.Lead()}
}

// notes tell what else a sentinel says that a reader should know.
func (s *Sentinel) notes() []Text {
	if s == nil {
		return nil
	}
	switch s.State {
	case history.SentinelMissing:
		return []Text{concat(say("The sentinel says nothing: "), s.Text, say(". A machine that moved is not told from a build that did."))}
	case history.SentinelLearning:
		return []Text{concat(say("The sentinel is "), s.Text, say("."))}
	case history.SentinelSettled:
		return []Text{concat(say("By its sentinel "), s.Text, say(". History begins anew there; what a build lost meanwhile is found relative to the sentinel, by 'llama-regress nightly', where both measured the same."))}
	}
	return nil
}

// step says what to do about a machine that moved.
func (s *Sentinel) step() Step {
	return Step{Kind: Quieten, Text: say("Find out what was done to the machine: %s.", fmt.Sprintf("a build that never changes is not what it was; %d sessions that agree make a new level", history.SentinelAgree))}
}

// nightlySentinel words the sentinel of a machine, nil where none was ever measured.
func nightlySentinel(m *history.Machine, memory *history.Memory) *Sentinel {
	s := m.Sentinel
	if len(s.Trends) == 0 && s.Latest().State == history.NoSentinel {
		return nil
	}
	labels := trendLabels(s.Trends)
	if memory == nil {
		memory = &history.Memory{Sentinel: s.Latest()}
	}
	n := newSentinel(memory, labels)
	if n == nil {
		n = &Sentinel{State: history.NoSentinel, Text: say("not measured last night")}
	}
	for _, shift := range slices.Backward(s.Shifts) {
		n.Shifts = append(n.Shifts, concat(say("%s: ", date(m.Nights[shift.Night].Started)), movesText(shift.Moves, labels)))
	}
	n.Recent = n.Moved() || len(s.Shifts) > 0 && s.Shifts[len(s.Shifts)-1].Night >= len(m.Nights)-recentNights
	own := *m
	own.Trends, own.ChangePoints = s.Trends, nil
	n.Trends = newTrends(&own, labels, nil)
	return n
}

// recentNights is for how many nights a machine's new level is told first of all.
const recentNights = 14
