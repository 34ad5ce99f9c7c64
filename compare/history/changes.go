package history

import (
	"hash/fnv"
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/stats"
)

// A Change is a lasting step in one trend, or a drift. At, First and Last are
// indices of its points.
type Change struct {
	At          int  // first point after a step; the first one that a drift moved
	First, Last int  // where the step may be instead, with 95 % of the evidence; from where to where it drifts
	Drift       bool // no single night is to blame: it went little by little, or in Stairs
	Stairs      []Stair

	Before, After float64          // levels, in Metric.Unit
	Size          float64          // After/Before − 1 or, of a margin in points and of shares, After − Before
	Interval      compare.Interval // of Size
	Sigma         float64          // sd of a night beside the levels, of logs or in points
	P             float64          // chance of such a step without a change, a bound from above
	Nights        int              // on the side that has fewer
	Worse         bool
	New           bool // it was not to be seen before the machine's last night

	// Relative says that the machine moved in that night too, and that the change is
	// what the trend did beyond its sentinel.
	Relative bool

	State State
	Ended int // first point after the state ended, -1 while Open

	// Confirmed is the verdict that measured it in turns; nil for none.
	Confirmed *Standing
}

// A State says what became of a change.
type State string

const (
	Open       State = "open"         // its level lasts
	Recovered  State = "recovered"    // a later change took it back, to within the margin
	Accepted   State = "accepted"     // somebody accepted it, by baseline promote
	OutOfSight State = "out_of_sight" // the machine changed since, so that nothing is known of it
)

// confidence of the intervals of changes: that of the verdicts, 5 % a side.
const confidence = 0.90

// search finds the changes of a trend, each stretch for itself, and takes in those
// that verdicts confirmed.
func (t *Trend) search(m *Machine, level float64, known stats.Resemblance, standings []Standing) {
	sc, lastNight := t.scale(), len(m.Nights)-1
	h := fnv.New64a()
	h.Write([]byte(m.Name + "\n" + t.Cell + "\n" + t.Metric.Name))
	rule := stats.ChangeRule{Alpha: level, Margin: sc.lambda, Seed: h.Sum64(), Resemblance: known}
	if t.Judged && sc.lambda > 0 && t.current(*m) {
		t.Blind = t.blindness(sc, rule, m.Nights)
	}
	for at := range t.stretches {
		st := &t.stretches[at]
		var cuts []int // positions within the stretch
		if t.Judged && sc.lambda > 0 {
			var found []Change
			found, cuts = t.find(sc, st.points, rule)
			if n := len(st.points); len(found) > 0 && t.Points[st.points[n-1]].Night == lastNight {
				before, _ := t.find(sc, st.points[:n-1], rule)
				for i := range found {
					found[i].New = !slices.ContainsFunc(before, found[i].same)
				}
			}
			t.settle(sc, at, found)
			t.Changes = append(t.Changes, found...)
		}
		cuts = t.remember(sc, at, cuts, m.Nights, standings)
		from := 0
		for _, to := range append(cuts, len(st.points)) {
			t.addLevel(sc, st.points[from:to])
			from = to
		}
	}
	slices.SortStableFunc(t.Segments, func(a, b Segment) int { return a.From - b.From })
	slices.SortStableFunc(t.Changes, func(a, b Change) int { return a.At - b.At })
}

// find finds the changes of a stretch, and where its levels are cut.
func (t *Trend) find(sc scale, points []int, rule stats.ChangeRule) (found []Change, cuts []int) {
	if t.counted(points) {
		return t.rateChanges(points, rule)
	}
	return t.steps(sc, points, rule)
}

// same says whether two changes of one trend, found with more nights and with
// fewer, are one. At the end of a series a step is placed up to 2 nights early,
// so that it has 3 on either side.
func (c Change) same(other Change) bool {
	return c.Worse == other.Worse && c.First <= other.Last+2 && other.First <= c.Last+2
}

// counted says whether all points are success counts.
func (t *Trend) counted(points []int) bool {
	return !slices.ContainsFunc(points, func(p int) bool { return t.Points[p].Count == nil })
}

// steps finds the changes of a level.
func (t *Trend) steps(sc scale, points []int, rule stats.ChangeRule) (found []Change, cuts []int) {
	xs := t.on(sc, points)
	steps := stats.ChangePoints(xs, rule)
	for i := 0; i < len(steps); {
		last := i // of those that go the same way
		for last+1 < len(steps) && (steps[last+1].Shift.Theta < 0) == (steps[i].Shift.Theta < 0) {
			last++
		}
		from, to := 0, len(xs)
		if i > 0 {
			from = steps[i-1].At
		}
		if last+1 < len(steps) {
			to = steps[last+1].At
		}
		switch start, end, stairs := course(xs[from:to], last-i+1, rule); {
		case end > 0 || len(stairs) > 0:
			s := steps[i]
			if len(stairs) > 0 {
				start, end = stairs[0], stairs[len(stairs)-1]
			}
			s.At, s.First, s.Last = from+start, from+start, from+end
			before, after := xs[from:s.At], xs[s.Last:to]
			s.Shift = stats.Welch(before, after)
			c := t.change(sc, points, s, before, after, true)
			c.Stairs = stairsOf(sc, xs[from:to], stairs, points[from:to])
			found = append(found, c)
			if len(stairs) == 0 {
				cuts = append(cuts, cutsOf(steps[i:last+1])...)
			}
			for _, at := range stairs {
				cuts = append(cuts, from+at)
			}
		default:
			bounds := append(append([]int{from}, cutsOf(steps[i:last+1])...), to)
			for k := i; k <= last; k++ {
				found = append(found, t.change(sc, points, steps[k], xs[bounds[k-i]:bounds[k-i+1]], xs[bounds[k-i+1]:bounds[k-i+2]], false))
			}
			cuts = append(cuts, bounds[1:len(bounds)-1]...)
		}
		i = last + 1
	}
	return found, cuts
}

func cutsOf(steps []stats.Change) (cuts []int) {
	for _, s := range steps {
		cuts = append(cuts, s.At)
	}
	return cuts
}

// at is cuts[i], and beyond the ends what bounds nothing.
func at(cuts []int, i int) int {
	switch {
	case i < 0:
		return 0
	case i >= len(cuts):
		return math.MaxInt
	}
	return cuts[i]
}

func (t *Trend) change(sc scale, points []int, s stats.Change, before, after []float64, drifts bool) Change {
	c := Change{At: points[s.At], First: points[s.First], Last: points[s.Last], Drift: drifts, P: s.P, Worse: s.Shift.Theta < 0, Nights: min(len(before), len(after)), Ended: -1}
	low := stats.PairedT(before).Theta
	c.Before, c.After = sc.from(sc.better*low), sc.from(sc.better*(low+s.Shift.Theta))
	iv := s.Shift.Interval(confidence)
	c.Size = sc.change(sc.better * s.Shift.Theta)
	c.Interval = interval(sc.change(sc.better*iv.Low), sc.change(sc.better*iv.High))
	c.Sigma = math.Sqrt((squares(before) + squares(after)) / float64(max(len(before)+len(after)-2, 1)))
	return c
}

func interval(low, high float64) compare.Interval {
	return compare.Interval{Low: min(low, high), High: max(low, high), Confidence: confidence}
}

func squares(xs []float64) (sum float64) {
	mean := stats.PairedT(xs).Theta
	for _, x := range xs {
		sum += (x - mean) * (x - mean)
	}
	return sum
}

// rateChanges finds the changes of a success rate. Sessions stand for trials:
// a bad night fails many requests at once.
func (t *Trend) rateChanges(points []int, rule stats.ChangeRule) (found []Change, cuts []int) {
	sessions := make([][]stats.Count, len(points))
	counts := make([]stats.Count, len(points))
	for i, p := range points {
		c := t.Points[p].Count
		counts[i] = stats.Count{K: float64(c.Succeeded), N: float64(c.Total)}
		sessions[i] = counts[i : i+1]
	}
	changes := stats.RateChanges(sessions, neighbourICC(counts), rule)
	for _, r := range changes {
		cuts = append(cuts, r.At)
	}
	better := t.scale().better
	for i, r := range changes {
		before, after := counts[at(cuts, i-1):r.At], counts[r.At:min(len(counts), at(cuts, i+1))]
		d := stats.DeflatedNewcombe(before, after)
		iv := d.Interval(confidence)
		found = append(found, Change{
			At: points[r.At], First: points[r.First], Last: points[r.Last], P: r.P, Nights: min(len(before), len(after)), Ended: -1,
			Before: r.Before.Rate(), After: r.After.Rate(), Size: d.Difference, Interval: interval(iv.Low, iv.High), Worse: better*d.Difference < 0,
		})
	}
	return found, cuts
}

// neighbourICC is the correlation of successes within a session, from how much
// sessions differ from their neighbours: a step in the series does not pass for
// correlation there.
func neighbourICC(counts []stats.Count) float64 {
	var total stats.Count
	for _, c := range counts {
		total.K, total.N = total.K+c.K, total.N+c.N
	}
	n, sum, pairs := total.N/float64(max(len(counts), 1)), 0.0, 0.0
	for i := 1; i < len(counts); i++ {
		a, b := counts[i-1], counts[i]
		// The rate between the two; where both are perfect nothing is to be seen.
		p := (a.K + b.K) / (a.N + b.N)
		if p > 0 && p < 1 {
			d := a.Rate() - b.Rate()
			sum += d * d / (p * (1 - p) * (1/a.N + 1/b.N))
		}
		pairs++
	}
	if total.K == 0 || total.K == total.N || n <= 1 || pairs == 0 {
		return 0.01
	}
	return min(max((sum/pairs-1)/(n-1), 0.01), 0.9)
}

// settle says what became of the changes of a stretch.
func (t *Trend) settle(sc scale, st int, found []Change) {
	if len(found) == 0 {
		return
	}
	for i := range found {
		c := &found[i]
		c.State = Open
		for _, later := range found[i+1:] {
			left := sc.to(later.After) - sc.to(c.Before) // of the change, from there on
			if c.Worse == (sc.better > 0) {
				left = -left
			}
			if left <= sc.lambda {
				c.State, c.Ended = Recovered, later.At
				break // what comes then is another change
			}
		}
	}
	points := t.stretches[st].points
	if final := points[len(points)-1]; final < len(t.Points)-1 {
		for i := range found {
			if found[i].State != Open {
				continue
			}
			found[i].State, found[i].Ended = OutOfSight, final+1
			for _, b := range t.Breaks {
				if b.Accepted && b.At > found[i].At {
					found[i].State, found[i].Ended = Accepted, b.At
					break
				}
			}
		}
	}
}
