package compare

import (
	"math"
	"slices"
	"strconv"

	"github.com/llama-regress/llama-regress/ci/disturbance"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

const (
	// leastUndisturbed is how many undisturbed blocks must remain for the disturbed ones
	// to be excluded: as many, or the policy's minimum where it is more. They must also
	// be undisturbedShare of all blocks. Fewer blocks would say less than all of them:
	// what disturbs a machine meets both arms of interleaved blocks alike, so it widens
	// intervals and moves none.
	leastUndisturbed = 4
	undisturbedShare = 0.5

	// alikeLong is the largest ratio of the arms' median trial lengths at which
	// disturbed blocks are excluded. All trials are judged over an equally long time.
	// If one arm's trials are longer, the rest of them is not judged.
	alikeLong = 1.25

	// spells is how often a disturbance is supposed to have come and gone in a session
	// that was disturbed in most of its blocks. The number is small because nothing says
	// when a spell began. With many spells, blocks are independent.
	spells = 4
)

// A Disturbance is what else kept the machine busy while a comparison's trials
// ran, as both of its arms met it.
type Disturbance struct {
	Blocks int      `json:"blocks"`        // that were disturbed, of Of
	Of     int      `json:"of"`            // blocks of both arms, or trials where there are none
	Why    []string `json:"why,omitempty"` // the rules that the machine broke, a sentence each

	// Explains is the largest loss, as a share, that it may be the cause of; 0
	// where less than half of the blocks that count are disturbed.
	Explains float64 `json:"explains,omitempty"`

	level    disturbance.Level
	leaveOut bool     // the arms' trials can be compared in this
	trials   []string // IDs of those that were disturbed
	others   []string // IDs of those that were not
}

// Busy sums up the disturbances of a result.
type Busy struct {
	Trials int                `json:"trials"`           // that ran in a disturbed block, each once
	Of     int                `json:"of"`               // trials of blocks that two arms have
	Why    []string           `json:"why,omitempty"`    // of the comparison of which most blocks were disturbed
	Others []record.Neighbour `json:"others,omitempty"` // that ran beside, the busiest first; foreign
}

// Mostly reports whether at least half of the trials were disturbed; not for nil.
func (b *Busy) Mostly() bool { return b != nil && b.Trials > 0 && 2*b.Trials >= b.Of }

// busy sums up what disturbed the trials of comparisons; nil when nothing did.
func busy(comparisons []Comparison, others []record.Neighbour) *Busy {
	if !slices.ContainsFunc(comparisons, func(c Comparison) bool { return c.Disturbance != nil }) {
		return nil
	}
	b := &Busy{Others: others}
	all, disturbed, most := make(map[string]bool), make(map[string]bool), 0.0
	for _, c := range comparisons {
		d := c.Disturbance
		if d == nil {
			for _, p := range slices.Concat(c.Baseline.Trials, c.Candidate.Trials) {
				all[p.Trial] = true
			}
			continue
		}
		for _, id := range d.trials {
			all[id], disturbed[id] = true, true
		}
		for _, id := range d.others {
			all[id] = true
		}
		if share := float64(d.Blocks) / float64(d.Of); share > most {
			most, b.Why = share, d.Why
		}
	}
	if b.Trials, b.Of = len(disturbed), len(all); b.Trials == 0 {
		return nil
	}
	return b
}

// disturb finds out which blocks were disturbed and marks their trials, in both
// arms or in none. It looks at the samples of trials over an equally long time,
// that of the shortest. Trials too short to be judged one by one are judged all
// together. Where a record has no samples, what it says itself of both trials
// of a block counts.
func disturb(base, head *Side, processors int) *Disturbance {
	if !base.watchedOrSaid() && !head.watchedOrSaid() {
		return nil
	}
	rounds := roundsOf(base, head)
	if len(rounds) == 0 {
		return nil
	}
	d := &Disturbance{Of: len(rounds), leaveOut: true}
	window, sampled := math.Inf(1), true
	for _, p := range slices.Concat(rounds...) {
		window, sampled = min(window, disturbance.Watched(p.samples)), sampled && p.samples != nil
	}
	why := make([][]string, len(rounds))
	var levels []disturbance.Level // of the rounds that were disturbed
	switch rules := disturbance.Standard(); {
	case !sampled:
		for i, round := range rounds {
			if !slices.ContainsFunc(round, func(p *Point) bool { return len(p.said) == 0 }) {
				why[i] = round[0].said
			}
		}
	case window < disturbance.Shortest-1e-3:
		all := disturbance.Least([]disturbance.Level{base.level(window), head.level(window)})
		if broken := rules.Broken(all); float64(len(rounds))*window >= disturbance.Shortest && len(broken) > 0 {
			levels = []disturbance.Level{all}
			for i := range rounds {
				why[i] = broken
			}
		}
	default:
		d.leaveOut = equallyLong(base.watched(), head.watched())
		for i, round := range rounds {
			var each []disturbance.Level
			for _, p := range round {
				each = append(each, disturbance.Over(p.samples, window))
			}
			if why[i] = rules.Broken(disturbance.Least(each)); len(why[i]) > 0 {
				levels = append(levels, disturbance.Least(each))
			}
		}
	}
	for i, round := range rounds {
		for _, p := range round {
			if p.Disturbed = len(why[i]) > 0; p.Disturbed {
				d.trials = append(d.trials, p.Trial)
			} else {
				d.others = append(d.others, p.Trial)
			}
		}
		if len(why[i]) > 0 {
			d.Blocks++
			d.Why = why[i]
		}
	}
	if d.Blocks == 0 {
		return nil
	}
	d.level = disturbance.Mean(levels)
	if len(levels) > 0 {
		d.Why = disturbance.Standard().Broken(d.level)
	}
	d.Explains = d.most(len(levels) > 0, processors)
	return d
}

// watchedOrSaid reports whether anything is known of the conditions of a trial.
func (s *Side) watchedOrSaid() bool {
	return slices.ContainsFunc(s.Trials, func(p Point) bool { return p.samples != nil || len(p.said) > 0 })
}

// roundsOf are the trials of each block that both sides have; without blocks
// each trial by itself.
func roundsOf(base, head *Side) [][]*Point {
	at := make(map[int]int)
	var rounds [][]*Point
	for _, side := range []*Side{base, head} {
		for i := range side.Trials {
			p := &side.Trials[i]
			if p.Block == record.NoBlock {
				rounds = append(rounds, []*Point{p})
				continue
			}
			if _, there := at[p.Block]; !there {
				at[p.Block] = len(rounds)
				rounds = append(rounds, nil)
			}
			rounds[at[p.Block]] = append(rounds[at[p.Block]], p)
		}
		if base == head {
			break // of one arm alone
		}
	}
	if base != head {
		rounds = slices.DeleteFunc(rounds, func(round []*Point) bool { return len(round) < 2 })
	}
	return rounds
}

// level is that of all trials, each over its first so many seconds.
func (s *Side) level(window float64) disturbance.Level {
	var levels []disturbance.Level
	for _, p := range s.Trials {
		levels = append(levels, disturbance.Over(p.samples, window))
	}
	return disturbance.Mean(levels)
}

// watched is for how long the trials' loads were watched, in seconds.
func (s *Side) watched() []float64 {
	var seconds []float64
	for _, p := range s.Trials {
		seconds = append(seconds, disturbance.Watched(p.samples))
	}
	return seconds
}

// equallyLong reports whether the trials of two arms last about as long as one
// another.
func equallyLong(base, head []float64) bool {
	if len(base) == 0 || len(head) == 0 {
		return true
	}
	a, b := stats.Median(base), stats.Median(head)
	return max(a, b) <= alikeLong*min(a, b)
}

// most is the largest loss, as a share, that the disturbance may cause. Others
// that used less than a core can have taken that share of one processor, and the
// program's threads wait for the one that runs there. Of more, of heat and of
// swapping nothing is known but what the blocks themselves show: 1.
func (d *Disturbance) most(measured bool, processors int) float64 {
	rules := disturbance.Standard()
	if !measured || d.level.Throttling > rules.Throttling || d.level.SwapIn > rules.SwapIn || d.level.Steal > 0 && processors == 0 {
		return 1
	}
	return min(1, max(0, d.level.OtherCPU)+max(0, d.level.Steal)*float64(processors))
}

// processors is how many a machine has, 0 when it is not told.
func processors(h record.Host) int {
	n, _ := strconv.Atoi(h.Hard["cpu_logical"])
	return max(0, n)
}

// clean leaves out the blocks that something disturbed, where enough others
// remain. Which those are was decided by conditions that both arms met, so
// leaving them out favours no outcome (gate CC of the calibration).
func excludeDisturbed(base, head Side, policy Policy, method Method, processors int) (Side, Side, *Disturbance) {
	if method != Paired {
		return excludeDisturbedAlone(base, policy), excludeDisturbedAlone(head, policy), nil
	}
	d := disturb(&base, &head, processors)
	if d == nil {
		return base, head, nil
	}
	base.Disturbed, head.Disturbed = base.disturbed(), head.disturbed()
	left := d.Of - d.Blocks
	if !d.leaveOut || left < max(leastUndisturbed, policy.MinTrials) || float64(left) < undisturbedShare*float64(d.Of) {
		if 2*d.Blocks < d.Of {
			d.Explains = 0
		}
		return base, head, d
	}
	d.Explains = 0
	return base.undisturbed(), head.undisturbed(), d
}

// cleanAlone is clean for one arm by itself: of a session that is not paired with
// another arm's, or a stored one.
func excludeDisturbedAlone(s Side, policy Policy) Side {
	disturb(&s, &s, 0)
	s.Disturbed = s.disturbed()
	left := len(s.Trials) - s.Disturbed
	if s.Disturbed == 0 || left < max(leastUndisturbed, policy.MinTrials) || float64(left) < undisturbedShare*float64(len(s.Trials)) {
		return s
	}
	return s.undisturbed()
}

// in returns the disturbance as it met a workload. Requests wait for one another,
// so a workload that sends requests may lose more than what was taken; so may one
// that this version does not know.
func (d *Disturbance) in(workload string) *Disturbance {
	w, known := record.WorkloadByName(workload)
	if d != nil && d.Explains > 0 && (w.Sends || !known) {
		d.Explains = 1
	}
	return d
}

// mayExplain reports whether the disturbance of the machine may be all of a
// change, of which e says how sure it is: no more than it can take, and no more
// than the mean of the blocks may be off because of it. A spell of it lasts for
// many blocks, which are then no evidence of their own each: the mean is worth no more
// than one of so many spells, and that the change is beyond the margin must show
// at that worth. Noise that moves such a mean by less than the margin explains nothing.
func (d *Disturbance) mayExplain(e effect, sigma, alpha float64, l *analysis) bool {
	t, ok := e.inference.(stats.Estimate)
	if d == nil || d.Explains == 0 || len(e.differences) == 0 || !ok {
		return false
	}
	most := -math.Log1p(-min(d.Explains, 1))
	shown := func(t stats.Estimate, bound float64) bool {
		return l.pValue(min(t.PBelow(-bound), t.PAbove(bound))) <= alpha
	}
	bySpells := t
	bySpells.SE = max(t.SE, sigma/math.Sqrt(spells))
	if min(most, bySpells.SE) <= e.lambda {
		return false
	}
	return !shown(t, most) && !shown(bySpells, e.lambda)
}

// spoilt counts the disturbed trials that are among the usable ones.
func (s Side) disturbed() int {
	n := 0
	for i := range s.Trials {
		if s.Trials[i].Disturbed {
			n++
		}
	}
	return n
}

// fit is the side without its disturbed trials.
func (s Side) undisturbed() Side {
	var trials []Point
	for _, p := range s.Trials {
		if !p.Disturbed {
			trials = append(trials, p)
		}
	}
	s.Trials = trials
	return s
}

// disturbance is what a reader should know of a comparison's conditions.
func disturbanceWarnings(c *Comparison) []Warning {
	n := c.Baseline.Disturbed + c.Candidate.Disturbed
	switch {
	case n == 0:
		return nil
	case c.Baseline.disturbed()+c.Candidate.disturbed() > 0:
		return []Warning{{Code: DisturbedKept, Number: float64(n)}}
	}
	return []Warning{{Code: DisturbedExcluded, Number: float64(n)}}
}
