package history

import (
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
)

// MachineMoved is why nothing is decided in a session whose sentinel moved: what
// was measured tells of the machine and of the build together.
const MachineMoved compare.ReasonCode = "machine_moved"

// withhold takes back what history says of a session whose sentinel moved, and keeps
// what it would have suspected. What was measured stays, and so does what was not.
func (m *Memory) withhold(res *compare.Result) {
	for i := range res.Comparisons {
		c := &res.Comparisons[i]
		if c.Method != compare.Historical || c.Change == nil || c.Margin == nil {
			continue
		}
		if suspicious(*c) {
			m.Withheld = append(m.Withheld, *c)
		}
		c.Verdict, c.Reason = compare.Inconclusive, &compare.Reason{Code: MachineMoved}
	}
}

// suspicious says whether a comparison with stored sessions speaks against a build.
func suspicious(c compare.Comparison) bool {
	switch {
	case c.Verdict == compare.Regression:
		return true
	case c.Verdict != compare.Inconclusive || c.Reason == nil:
		return false
	}
	return c.Reason.Code == compare.Suspected || c.Reason.Code == compare.SuspectedByHistory
}

// readSentinel reads the sentinel of the session under test in the light of those
// before it, and says on which level of the machine each of them was measured.
func (c *Choice) readSentinel(stored *store.Contents, head *record.Run, o Options) map[store.Key]int {
	var sessions []*store.Session
	for i := range stored.Sessions {
		s := &stored.Sessions[i]
		if s.Key.Machine == o.Machine && s.Run.ID != head.ID && s.Run.Started.Before(head.Started) {
			sessions = append(sessions, s)
		}
	}
	own := store.Summarize(store.Key{Machine: o.Machine, Started: started(head)}, head)
	readings := readSentinels(append(sessions, &own), o.Policy)
	levels := make(map[store.Key]int, len(sessions))
	for i, s := range sessions {
		levels[s.Key] = readings[i].Level
	}
	c.Sentinel = readings[len(sessions)]
	c.before = 0
	for i := len(sessions) - 1; i >= 0 && c.Sentinel.Withholds(); i-- {
		if readings[i].Level >= 0 {
			c.before = readings[i].Level
			break
		}
	}
	return levels
}

// level is that of the sessions that a session is compared with: its own or, where it
// moved, the one before, so that what is withheld can be said.
func (c *Choice) level() int {
	if c.Sentinel.Withholds() {
		return c.before
	}
	return c.Sentinel.Level
}
