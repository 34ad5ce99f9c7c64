package history

import (
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/stats"
)

// remember takes the confirmed losses that begin in a stretch into the changes of a
// trend: a change that was found there is confirmed by them, and one that is not to
// be seen yet is added. It returns where the levels of the stretch are cut.
func (t *Trend) remember(sc scale, st int, cuts []int, nights []Night, standings []Standing) []int {
	points := t.stretches[st].points
	for i := range standings {
		s := &standings[i]
		if !s.about(t.Cell, t.Metric.Name) || !s.comparable(t.stretches[st].host) {
			continue
		}
		pos := slices.IndexFunc(points, func(p int) bool { return !nights[t.Points[p].Night].Key.Started.Before(s.Since()) })
		if pos < 0 || t.Points[points[pos]].stretch != st || t.claimed(s) {
			continue
		}
		at := points[pos]
		if same := t.near(at, st); same >= 0 {
			t.Changes[same].Confirmed = s
			t.Changes[same].New = t.Points[at].Night == len(nights)-1 // the night of the confirmation told it
			continue
		}
		if at == 0 && s.State != Open {
			continue // nothing before it is looked at, and it is over
		}
		t.Changes = append(t.Changes, t.confirmedChange(sc, at, nights, s))
		if pos > 0 && !slices.Contains(cuts, pos) {
			cuts = append(cuts, pos)
			slices.Sort(cuts)
		}
	}
	return cuts
}

// claimed says whether a change has the standing already.
func (t *Trend) claimed(s *Standing) bool {
	return slices.ContainsFunc(t.Changes, func(c Change) bool {
		return c.Confirmed != nil && c.Confirmed.Verdict.Key == s.Verdict.Key
	})
}

// near is a change for the worse that search placed about there, -1 for none.
func (t *Trend) near(at, st int) int {
	return slices.IndexFunc(t.Changes, func(c Change) bool {
		return c.Worse && !c.Drift && c.Confirmed == nil && t.Points[c.At].stretch == st && c.First <= at+2 && at <= c.Last+2
	})
}

// confirmedChange is a loss as a verdict has it. Its levels are those of up to 20
// nights on either side.
func (t *Trend) confirmedChange(sc scale, at int, nights []Night, s *Standing) Change {
	c := Change{
		At: at, First: at, Last: at, Worse: true, New: t.Points[at].Night == len(nights)-1, State: s.State, Ended: -1, Confirmed: s,
		Size: s.Finding.Change, Interval: interval(s.Finding.Low, s.Finding.High), P: 0.05,
	}
	if s.State != Open {
		c.Ended = t.firstSince(at, nights, s.Ended)
	}
	end := len(t.Points)
	if c.Ended > at {
		end = c.Ended
	}
	before, after := t.between(max(0, at-20), at), t.between(at, min(end, at+20))
	c.After = t.levelOf(sc, after)
	if len(before) > 0 {
		c.Before = t.levelOf(sc, before)
	} else {
		c.Before = sc.from(sc.to(c.After) - sc.to(1+s.Finding.Change))
		if t.Metric.InPoints() {
			c.Before = c.After - s.Finding.Change
		}
	}
	c.Nights = max(1, min(len(before), len(after)))
	return c
}

func (t *Trend) between(from, to int) (points []int) {
	for p := from; p < to; p++ {
		points = append(points, p)
	}
	return points
}

func (t *Trend) levelOf(sc scale, points []int) float64 {
	return sc.from(sc.better * stats.PairedT(t.on(sc, points)).Theta)
}

// firstSince is the first point from a time on, after at; the last one where there
// is none.
func (t *Trend) firstSince(at int, nights []Night, when time.Time) int {
	for p := at; p < len(t.Points); p++ {
		if !nights[t.Points[p].Night].Key.Started.Before(when) {
			return p
		}
	}
	return len(t.Points) - 1
}
