package history

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
)

// DefaultFalseAlarms is how many change points a year may be none (statistics
// reference 7.8).
const DefaultFalseAlarms = 4

// TrendOptions say how the stored sessions are read. The zero value works.
type TrendOptions struct {
	// Arm is the arm to follow; sessions without it are followed in their
	// baseline arm. "" is the candidate of sessions that have just one, else
	// the baseline arm: the newest build either way.
	Arm string

	Policy compare.Policy // margins; the zero value is compare.DefaultPolicy

	// FalseAlarms is how many change points a year may appear in all series
	// together although nothing changed, > 0; 0 is DefaultFalseAlarms.
	FalseAlarms float64

	Now time.Time // until when nights are missing; zero is the last session
}

// Trends are the histories of everything that was measured again and again.
type Trends struct {
	Machines []Machine // by name

	FalseAlarms float64 // a year, that are allowed
	Series      int     // in which a new session could raise one
	Level       float64 // chance allowed of one in one series by one session
}

// A Machine is what one machine measured.
type Machine struct {
	Name   string
	Nights []Night // oldest first
	Gaps   []Gap   // where nights are missing, oldest first
	Trends []Trend // by cell and metric, in the order of the last session that has them

	// ChangePoints are what changed, the latest first.
	ChangePoints []ChangePoint

	Sentinel Sentinel // what its sentinel says
}

// A Night is one stored session, as far as history follows it.
type Night struct {
	Key     store.Key
	Run     string // its ID; foreign, as are Arm and Commit
	Arm     string // that is followed
	Commit  string // of that arm's build, as its program says it; "" when not known
	Build   int    // llama.cpp's number, 0 when not known
	Started time.Time
}

// A Gap is a time without sessions, in a machine that otherwise has them
// regularly.
type Gap struct {
	After   int // index of the night before it
	Missing int // nights that would have fitted in, at least 1
	Until   time.Time
	Open    bool // it lasts
}

// Last is the machine's latest night; there is one.
func (m Machine) Last() Night { return m.Nights[len(m.Nights)-1] }

// Analyze reads the sessions of a store, each machine for itself. Sessions of
// one machine name count as one history as long as its hard fingerprint stays
// the same; where that changes, trends break.
func Analyze(c *store.Contents, o TrendOptions) Trends {
	if o.Policy.Margins == nil {
		o.Policy = compare.DefaultPolicy()
	}
	o.FalseAlarms = cmp.Or(o.FalseAlarms, DefaultFalseAlarms)
	t := Trends{FalseAlarms: o.FalseAlarms}
	byName := make(map[string][]store.Session)
	for _, s := range c.Sessions {
		byName[s.Key.Machine] = append(byName[s.Key.Machine], s)
	}
	tests := 0.0 // a year
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		m := gather(name, byName[name], c, o)
		judged := 0
		for i := range m.Trends {
			if trend := &m.Trends[i]; trend.Judged && trend.current(m) {
				judged++
				if len(m.beside(trend)) > 0 {
					judged++ // it is searched relative to the sentinel, too
				}
			}
		}
		t.Series += judged
		tests += float64(judged) * nightsAYear(m.Nights)
		t.Machines = append(t.Machines, m)
	}
	t.Level = min(max(o.FalseAlarms/max(tests, 1), 1e-6), 0.05)
	for i := range t.Machines {
		m := &t.Machines[i]
		standings := Standings(c, m.Name)
		known := m.lend()
		together(len(m.Trends), func(k int) {
			m.Trends[k].search(m, t.Level, known[k], standings)
			m.Trends[k].searchRelative(m, t.Level, known[k])
		})
		m.group()
	}
	return t
}

// gather collects a machine's nights and trends; nothing is searched yet.
func gather(name string, sessions []store.Session, c *store.Contents, o TrendOptions) Machine {
	m := Machine{Name: name}
	b := newTrendBuilder(c, o.Policy, name)
	var followedSessions []*store.Session
	for i := range sessions {
		if _, ok := followed(&sessions[i].Run, o.Arm); ok {
			followedSessions = append(followedSessions, &sessions[i])
		}
	}
	readings := readSentinels(followedSessions, o.Policy)
	for i, s := range followedSessions {
		arm, _ := followed(&s.Run, o.Arm)
		m.Nights = append(m.Nights, Night{Key: s.Key, Run: s.Run.ID, Arm: arm.Name, Commit: arm.Build.Commit, Build: arm.Build.Number, Started: s.Run.Started.UTC()})
		b.add(i, s, arm, readings[i])
	}
	m.Trends = b.finish(len(m.Nights) - 1)
	m.Sentinel = gatherSentinel(name, followedSessions, readings, o.Policy)
	for i := range m.Trends {
		t := &m.Trends[i]
		ended := slices.ContainsFunc(c.Segments, func(g store.Segment) bool {
			return g.Machine == name && g.About(t.Cell) && g.Start().After(m.Nights[t.Ran()].Key.Started)
		})
		t.Lost = t.Ran() < len(m.Nights)-1 && t.current(m) && !ended
	}
	m.Gaps = gaps(m.Nights, o.Now)
	return m
}

// followed is the arm of a session whose history is looked at.
func followed(run *record.Run, name string) (record.Arm, bool) {
	if name == "" {
		candidates := slices.DeleteFunc(slices.Clone(run.Arms), func(a record.Arm) bool { return a.ControlOf != "" || a.Name == run.Baseline })
		if len(candidates) == 1 {
			return candidates[0], true
		}
	}
	return armOf(run, name)
}

// nightsAYear is how often the machine measures; at least once a day is
// assumed, so that a history of a few days does not set a lax level.
func nightsAYear(nights []Night) float64 {
	n := len(nights)
	if n < 2 {
		return 365
	}
	days := nights[n-1].Started.Sub(nights[0].Started).Hours() / 24
	return max(365, float64(n-1)/max(days, 30)*365)
}

// gaps finds where nights are missing: where the time between two sessions is
// more than one and three quarters of what is usual.
func gaps(nights []Night, now time.Time) []Gap {
	if len(nights) < 4 {
		return nil
	}
	var steps []time.Duration
	for i := 1; i < len(nights); i++ {
		steps = append(steps, nights[i].Started.Sub(nights[i-1].Started))
	}
	usual := slices.Sorted(slices.Values(steps))[len(steps)/2]
	if usual < 20*time.Hour {
		usual = 24 * time.Hour // several sessions a day: a day without any is missing
	}
	missing := func(step time.Duration) int { return int((step + usual/4) / usual) }
	var found []Gap
	for i, step := range steps {
		if n := missing(step); n > 1 {
			found = append(found, Gap{After: i, Missing: n - 1, Until: nights[i+1].Started})
		}
	}
	last := len(nights) - 1
	if n := missing(now.Sub(nights[last].Started)); n > 1 {
		found = append(found, Gap{After: last, Missing: n - 1, Until: now, Open: true})
	}
	return found
}

// keysOf lists the names of what differs.
func keysOf(diffs []record.KeyDiff) string {
	var keys []string
	for _, d := range diffs {
		keys = append(keys, d.Key)
	}
	return strings.Join(keys, ", ")
}
