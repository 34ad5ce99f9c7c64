package history

import (
	"hash/fnv"
	"slices"

	"github.com/llama-regress/llama-regress/stats"
)

// beside lists the points of a trend that can be compared with its last ones
// relative to the sentinel: nights whose sentinel measured the same metric of the
// same cell, over all levels of the machine. Nil where the machine had one level, or
// the metric is not compared by ratio.
func (m *Machine) beside(t *Trend) (points []int) {
	s := m.Sentinel.trend(t.Cell, t.Metric.Name)
	if s == nil || !t.Judged || t.Metric.InPoints() || len(m.Sentinel.Shifts) == 0 || len(t.Points) == 0 {
		return nil
	}
	last := t.stretches[t.Points[len(t.Points)-1].stretch]
	at := make(map[int]int, len(s.Points)) // the sentinel's points by night
	for i, p := range s.Points {
		at[p.Night] = i
	}
	final := &s.stretches[s.Points[len(s.Points)-1].stretch]
	levels := make(map[int]bool)
	for i, p := range t.Points {
		own, ok := at[p.Night]
		r := m.Sentinel.Readings[p.Night]
		if !ok || r.Level < 0 || !last.sameBut(t.stretches[p.stretch]) || !sameArms(final.arm, s.stretches[s.Points[own].stretch].arm) {
			continue
		}
		levels[r.Level] = true
		points = append(points, i)
	}
	if len(levels) < 2 {
		return nil
	}
	return points
}

// searchRelative finds the changes of a trend that came in the nights in which the
// machine got another level: what the trend did beyond what the sentinel did. That
// takes the machine to slow both builds down alike.
func (t *Trend) searchRelative(m *Machine, level float64, known stats.Resemblance) {
	points := m.beside(t)
	if len(points) == 0 {
		return
	}
	s, sc := m.Sentinel.trend(t.Cell, t.Metric.Name), t.scale()
	sentinel := make(map[int]float64, len(s.Points))
	for _, p := range s.Points {
		sentinel[p.Night] = sc.better * sc.to(p.Value)
	}
	xs := t.on(sc, points)
	for i, p := range points {
		xs[i] -= sentinel[t.Points[p].Night]
	}
	h := fnv.New64a()
	h.Write([]byte(m.Name + "\n" + t.Cell + "\n" + t.Metric.Name + "\nrelative"))
	rule := stats.ChangeRule{Alpha: level, Margin: sc.lambda, Seed: h.Sum64(), Resemblance: known}
	found := t.acrossLevels(m, sc, points, xs, rule)
	if n := len(points); len(found) > 0 && t.Points[points[n-1]].Night == len(m.Nights)-1 {
		before := t.acrossLevels(m, sc, points[:n-1], xs[:n-1], rule)
		for i := range found {
			found[i].New = !slices.ContainsFunc(before, found[i].same)
		}
	}
	t.Changes = append(t.Changes, found...)
	slices.SortStableFunc(t.Changes, func(a, b Change) int { return a.At - b.At })
}

// acrossLevels are the steps of a relative series that may have come with a new
// level of the machine, and what became of them.
func (t *Trend) acrossLevels(m *Machine, sc scale, points []int, xs []float64, rule stats.ChangeRule) (found []Change) {
	steps := stats.ChangePoints(xs, rule)
	levelAt := func(i int) int { return m.Sentinel.Readings[t.Points[points[i]].Night].Level }
	cut := func(i int) int {
		switch {
		case i < 0:
			return 0
		case i >= len(steps):
			return len(xs)
		}
		return steps[i].At
	}
	for i, s := range steps {
		crosses := false
		for k := max(1, s.First); k <= s.Last; k++ {
			crosses = crosses || levelAt(k) != levelAt(k-1)
		}
		if !crosses {
			continue // its own level shows it
		}
		before, after := xs[cut(i-1):s.At], xs[s.At:cut(i+1)]
		c := t.change(sc, points, s, before, after, false)
		c.Relative, c.State = true, Open
		left := s.Shift.Theta // of the change, from there on
		for _, later := range steps[i+1:] {
			left += later.Shift.Theta
			if c.Worse && left >= -sc.lambda || !c.Worse && left <= sc.lambda {
				c.State, c.Ended = Recovered, points[later.At]
				break
			}
		}
		// In the metric's unit: what the trend measures since, and what it would without
		// the change.
		since := points[s.At:cut(i+1)]
		c.After = t.levelOf(sc, since)
		c.Before = c.After / (1 + c.Size)
		found = append(found, c)
	}
	return found
}
