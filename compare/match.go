package compare

import (
	"cmp"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// An armTrials is one arm of a run with its trials by cell, in measured order.
type armTrials struct {
	run      string // its ID
	arm      record.Arm
	cells    []record.Cell
	at       map[string]int // of each cell's key in cells
	trials   map[string][]*record.Trial
	interims []int // blocks at the interim analyses of a run whose cells may stop early

	processors int // of its machine; 0: not told
}

func side(s Selection) armTrials {
	a := armTrials{run: s.Run.ID, cells: s.Run.Cells, at: make(map[string]int, len(s.Run.Cells)), trials: make(map[string][]*record.Trial), interims: s.Run.Plan.Interims, processors: processors(s.Run.Host)}
	for i, c := range s.Run.Cells {
		a.at[c.Key] = i
	}
	for _, arm := range s.Run.Arms {
		if arm.Name == s.Arm {
			a.arm = arm
		}
	}
	uncounted := s.Run.Uncounted()
	count, all := make(map[string]int, len(s.Run.Cells)), 0
	for i := range s.Run.Trials {
		if t := &s.Run.Trials[i]; t.Arm == s.Arm && !uncounted[t.ID] {
			count[t.Cell]++
			all++
		}
	}
	room := make([]*record.Trial, all) // cut into cells
	for i := range s.Run.Trials {
		t := &s.Run.Trials[i]
		if t.Arm != s.Arm || uncounted[t.ID] {
			continue
		}
		list, begun := a.trials[t.Cell]
		if !begun {
			n := count[t.Cell]
			list, room = room[:0:n], room[n:]
		}
		a.trials[t.Cell] = append(list, t)
	}
	return a
}

// cell finds a cell that this arm was to run, measured or not.
func (a armTrials) cell(key string) (record.Cell, bool) {
	i, ok := a.at[key]
	if !ok || len(a.trials[key]) == 0 {
		return record.Cell{}, false
	}
	return a.cells[i], true
}

// match pairs the metrics that both arms have, in the baseline's order, and
// names those that only one of them has.
func match(base, head armTrials, method Method, policy Policy) (comparisons []Comparison, alone []Alone) {
	for _, c := range base.cells {
		if len(base.trials[c.Key]) == 0 {
			continue
		}
		other, ok := head.cell(c.Key)
		for _, m := range c.Metrics {
			if _, has := other.Metric(m.Name); !ok || !has {
				lost := losing(c, m, method, points(base, c.Key, m), head.arm.Name, policy)
				alone = append(alone, Alone{Cell: c.Key, Metric: m.Name, Arm: base.arm.Name, lost: &lost})
				continue
			}
			b, h := alike(points(base, c.Key, m), points(head, c.Key, m))
			if b.undefined() && h.undefined() {
				continue
			}
			one := Comparison{Cell: c.Key, Workload: c.Workload, Model: c.Model, Params: c.Params, Metric: m, Method: method, Baseline: b, Candidate: h}
			if m.Exact { // load does not disturb it, and no interim analysis stops it
				comparisons = append(comparisons, estimate(one, policy))
				continue
			}
			var disturbance *Disturbance
			one.Baseline, one.Candidate, disturbance = excludeDisturbed(b, h, policy, method, head.processors)
			one.Disturbance = disturbance.in(c.Workload)
			if method == Paired && len(head.interims) > 0 {
				one.analysis = analysisAt(head.interims, blocksOf(head.trials[c.Key]))
				one.Interim = &Interim{Blocks: one.analysis.blocks, Plan: head.interims}
			}
			done := estimate(one, policy)
			if disturbance != nil && len(one.Candidate.Trials) < len(h.Trials) {
				whole := one
				whole.Baseline, whole.Candidate = b, h
				done.whole = estimate(whole, policy).effect
			}
			comparisons = append(comparisons, done)
		}
	}
	for _, c := range head.cells {
		if len(head.trials[c.Key]) == 0 {
			continue
		}
		other, ok := base.cell(c.Key)
		for _, m := range c.Metrics {
			if _, has := other.Metric(m.Name); !ok || !has {
				alone = append(alone, Alone{Cell: c.Key, Metric: m.Name, Arm: head.arm.Name})
			}
		}
	}
	return comparisons, alone
}

// points reduces each trial to the median of its repetitions: they share a
// process and are not independent of one another. In raw files a trial holds
// one test only; its trials that lack the metric belong to other metrics.
func points(a armTrials, cell string, m record.Metric) Side {
	s := Side{Arm: a.arm.Name}
	said := make(map[string]bool)
	for _, t := range a.trials[cell] {
		for _, w := range t.Warnings {
			if !said[w] {
				said[w] = true
				s.said = append(s.said, w)
			}
		}
		measurement, ok := t.Measurement(m.Name)
		switch {
		case !t.Counts():
			s.Failed++
			continue
		case !ok && record.MayNotExist(m.Name):
			s.Undefined++
			continue
		case !ok:
			continue
		}
		s.requests(measurement.Quantile)
		if measurement.Censored {
			s.Censored++
			continue
		}
		value := stats.Median(measurement.Values)
		if value <= 0 && !m.InPoints() {
			s.Failed++ // no ratio can be formed with it
			continue
		}
		if s.Trials == nil {
			s.Trials = make([]Point, 0, len(a.trials[cell]))
		}
		s.Trials = append(s.Trials, Point{
			Trial: t.ID, Block: t.Block, Order: t.Order, Value: value, Count: measurement.Count,
			samples: t.Samples, said: t.Disturbed, quantile: measurement.Quantile,
		})
	}
	slices.SortStableFunc(s.Trials, func(x, y Point) int { return cmp.Compare(x.Order, y.Order) })
	return s
}

// values returns the trials' values in measured order.
func (s Side) values() []float64 {
	vs := make([]float64, len(s.Trials))
	for i, p := range s.Trials {
		vs[i] = p.Value
	}
	return vs
}

// counts returns what a success rate's values are ratios of, nil unless every
// trial has it.
func (s Side) counts() []stats.Count {
	var cs []stats.Count
	for _, p := range s.Trials {
		if p.Count == nil {
			return nil
		}
		cs = append(cs, stats.Count{K: float64(p.Count.Succeeded), N: float64(p.Count.Total)})
	}
	return cs
}

// byBlock pairs the trials that ran in the same block: their values on the
// scale, x of base and y of head, in block order.
func byBlock(base, head Side, x, y []float64) (bases, heads []float64) {
	atBase := make(map[int]float64, len(x))
	for i, p := range base.Trials {
		atBase[p.Block] = x[i]
	}
	order := make([]int, 0, len(y))
	for i, p := range head.Trials {
		if _, ok := atBase[p.Block]; ok {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(head.Trials[a].Block, head.Trials[b].Block) })
	for _, i := range order {
		block := head.Trials[i].Block
		bases, heads = append(bases, atBase[block]), append(heads, y[i])
	}
	return bases, heads
}
