package store

import (
	"fmt"
	"time"
)

// tolerance is by how much the clocks of two machines may differ.
const tolerance = time.Hour

// ahead says whether something is dated so far after now that a clock must be wrong.
func ahead(started, now time.Time) bool { return started.After(now.Add(tolerance)) }

// Ahead says whether a key is dated after now, by more than clocks may differ: the
// clock of its machine was wrong, or the one that now is of.
func (k Key) Ahead(now time.Time) bool { return ahead(k.Started, now) }

// dropAhead takes out what is dated after now: it would be the latest session, and
// history would begin anew with it, until that day. The records stay where they are,
// and one that was dated rightly counts when its day has come.
func (c *Contents) dropAhead(now time.Time) {
	sessions, segments := c.Sessions[:0:0], c.Segments[:0:0]
	for _, s := range c.Sessions {
		if !s.Key.Ahead(now) {
			sessions = append(sessions, s)
			continue
		}
		c.Ahead = append(c.Ahead, Fault{s.Key.String(), fmt.Errorf(
			"dated %s, which is still to come: it takes no part until then. See that the clock of %s is right; what was measured gets its place with 'llama-regress baseline show %s --json' and 'llama-regress baseline put FILE --at TIME'",
			s.Key.Started.Format(time.RFC3339), s.Key.Machine, s.Key)})
	}
	for _, g := range c.Segments {
		if !ahead(g.Start(), now) {
			segments = append(segments, g)
			continue
		}
		c.Ahead = append(c.Ahead, Fault{g.Key, fmt.Errorf(
			"history of %s is to begin anew with a session dated %s, which is still to come: it does not until then; 'llama-regress baseline promote --revoke %s' takes that back",
			g.Machine, g.Start().Format(time.RFC3339), g.Key)})
	}
	c.Sessions, c.Segments = sessions, segments
}
