package noise

import (
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

type key struct{ cell, metric string }

// A cell is what all sessions measured of one metric of one cell.
type cell struct {
	key    key
	metric record.Metric

	sessions [][][]float64 // logs, by session, trial and repetition
	squares  float64       // of the blocks' differences about their session's mean
	df       int           // behind squares
	seconds  float64       // of the trials
	passes   float64       // seconds, of one repetition in each trial
	values   float64       // repetitions that count
	trials   int
}

// count says how many trials of the baseline and its control were usable, and
// how many something disturbed.
func count(runs []*record.Run) (used, disturbed int) {
	for _, run := range runs {
		same := against(run)
		for _, t := range run.Trials {
			switch {
			case same[t.Arm] && usable(t):
				used++
			case same[t.Arm] && t.Outcome == record.OK:
				disturbed++
			}
		}
	}
	return used, disturbed
}

func usable(t record.Trial) bool { return t.Outcome == record.OK && len(t.Disturbed) == 0 }

// against lists the arms that are the baseline.
func against(run *record.Run) map[string]bool {
	same := make(map[string]bool)
	for _, arm := range run.Arms {
		same[arm.Name] = arm.Name == run.Baseline || arm.ControlOf == run.Baseline
	}
	return same
}

// gather sorts what the baseline and its control measured, in the order in
// which the records have it. Shares, and values that are not positive, have no
// logarithm and are left out.
func gather(runs []*record.Run) (order []key, cells map[key]*cell) {
	cells = make(map[key]*cell)
	for _, run := range runs {
		same := against(run)
		for _, c := range run.Cells {
			for _, m := range c.Metrics {
				k := key{c.Key, m.Name}
				if m.InPoints() || m.Exact {
					continue
				}
				if cells[k] == nil {
					cells[k] = &cell{key: k, metric: m}
					order = append(order, k)
				}
				cells[k].add(run, same)
			}
		}
	}
	return order, cells
}

// add takes in one session.
func (c *cell) add(run *record.Run, same map[string]bool) {
	var trials [][]float64
	blocks := make(map[int]map[string]float64) // each arm's value in each block
	for _, t := range run.Trials {
		m, ok := t.Measurement(c.key.metric)
		if t.Cell != c.key.cell || !same[t.Arm] || !usable(t) || !ok || m.Censored || m.Fallback() {
			continue
		}
		logs := make([]float64, len(m.Values))
		for i, v := range m.Values {
			logs[i] = math.Log(v)
		}
		if slices.ContainsFunc(logs, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
			continue
		}
		trials = append(trials, logs)
		if blocks[t.Block] == nil {
			blocks[t.Block] = make(map[string]float64)
		}
		blocks[t.Block][t.Arm] = stats.Median(logs)
		c.trials++
		c.seconds += t.Seconds
		c.passes += passSeconds(t)
		c.values += float64(len(m.Values))
	}
	if len(trials) > 0 {
		c.sessions = append(c.sessions, trials)
	}
	c.pair(blocks, run.Baseline)
}

// pair adds the spread of the differences between the baseline and its control
// within blocks.
func (c *cell) pair(blocks map[int]map[string]float64, baseline string) {
	var differences []float64
	for _, arms := range blocks {
		base, ok := arms[baseline]
		for name, value := range arms {
			if ok && name != baseline {
				differences = append(differences, value-base)
			}
		}
	}
	if len(differences) < 2 {
		return
	}
	slices.Sort(differences) // maps have no order, and sums have one
	mean := 0.0
	for _, d := range differences {
		mean += d / float64(len(differences))
	}
	for _, d := range differences {
		c.squares += (d - mean) * (d - mean)
	}
	c.df += len(differences) - 1
}

// passSeconds is how long one repetition of all tests of a trial takes; 0 of a
// trial that has none, as a served one.
func passSeconds(t record.Trial) float64 {
	sum := 0.0
	for _, m := range t.Measurements {
		if test, err := record.ParseTest(m.Metric); err == nil {
			sum += float64(test.Tokens()) / stats.Median(m.Values)
		}
	}
	return sum
}

// series estimates; false when there is nothing to estimate from.
func (c *cell) series() (Series, bool) {
	most := 0
	for _, trials := range c.sessions {
		most = max(most, len(trials))
	}
	if most < 2 {
		return Series{}, false
	}
	n := float64(c.trials)
	v := stats.NestedComponents(c.sessions)
	s := Series{
		Cell: c.key.cell, Metric: c.metric, Level: math.Exp(v.Mean),
		Session: math.Sqrt(v.Session.Variance), Process: math.Sqrt(v.Trial.Variance), Repetition: math.Sqrt(v.Repetition.Variance),
		SessionDF: int(v.Session.DF), PairDF: c.df,
		Pass: c.passes / n, repetitions: c.values / n,
	}
	s.Start = max(c.seconds/n-s.Pass*s.repetitions, 0.01)
	within := v.Repetition.Variance / s.repetitions
	if c.df > 0 {
		variance := c.squares / float64(c.df)
		s.Pair, s.process = math.Sqrt(variance), max(0, variance/2-within)
	} else { // no control ran: blocks count as noise too
		s.process, s.PairDF = v.Trial.Variance, int(v.Trial.DF)
		s.Pair = math.Sqrt(2 * (s.process + within))
	}
	// What is not known well of the pairs is not known of the processes: that more
	// repetitions would take it away is no safe bet. Pairs cannot vary less than
	// their repetitions make them, whatever a few of them show.
	upper := stats.UpperSD(max(s.Pair, math.Sqrt(2*within)), float64(max(1, s.PairDF)), sureness)
	s.planned = upper*upper/2 - within
	s.KaliberaJones = 1
	if s.Pass > 0 {
		repetition, process := s.levels()
		s.KaliberaJones = stats.Replicates([]stats.Stratum{repetition, process})[0]
	}
	return s, true
}
