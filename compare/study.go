package compare

import (
	"cmp"
	"iter"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// A Study sets all arms of one cell side by side, each with each, where they
// are the kernel's schedulers. It describes and is never judged: verdicts are
// those of the comparisons with the baseline.
type Study struct {
	Cell     string    `json:"cell"`
	Workload string    `json:"workload"`
	Arms     []string  `json:"arms"` // baseline first, then in the run's order
	Rankings []Ranking `json:"rankings"`
}

// A Ranking orders the arms by one metric.
type Ranking struct {
	Metric record.Metric `json:"metric"`
	Places []Place       `json:"places"` // the best level first; arms without one are left out
	// Undecided are the pairs of arms whose order may be chance, in the order of
	// Places.
	Undecided [][2]string `json:"undecided,omitempty"`
}

// A Place is one arm in a Ranking.
type Place struct {
	Arm       string  `json:"arm"`
	Mean      float64 `json:"level"`         // over trials: the geometric mean, of shares the mean
	Low       float64 `json:"low,omitempty"` // bounds of its interval at StudyConfidence; both 0 without one
	High      float64 `json:"high,omitempty"`
	Trials    int     `json:"trials"`
	BestRank  int     `json:"first"` // the best rank that the arm may have: one more than there are arms decidedly better
	WorstRank int     `json:"last"`  // the worst
}

// StudyConfidence is that of a study's intervals. The order of two arms is
// decided where a two-sided t-test of the differences within blocks rejects
// equality at 1 - StudyConfidence, adjusted (Holm) over all pairs of the ranking.
const StudyConfidence = 0.95

// Metrics of a study that no verdict uses, from the rows of requests.
const (
	TTFTMean = "ttft_mean" // s, of a trial's successful requests
	TTFTp99  = "ttft_p99"  // s
)

// Studies compares the arms of a run cell by cell, nil where none of them asks
// for a scheduler or there is only one. rows are the run's requests, nil when
// there are none to be had: without them TTFT is that of the trials.
func Studies(run *record.Run, rows iter.Seq2[record.Request, error]) []Study {
	var arms []armTrials
	asked := false
	for _, arm := range run.Arms {
		if arm.ControlOf == "" {
			arms = append(arms, side(Selection{Run: run, Arm: arm.Name}))
			asked = asked || arm.Params[record.SchedulerParam] != ""
		}
	}
	if len(arms) < 2 || !asked {
		return nil
	}
	slices.SortStableFunc(arms, func(a, b armTrials) int {
		switch run.Baseline {
		case a.arm.Name:
			return -1
		case b.arm.Name:
			return 1
		}
		return 0
	})
	first := firstTokens(rows)
	var all []Study
	for _, c := range run.Cells {
		if s, ok := study(c, arms, first); ok {
			all = append(all, s)
		}
	}
	return all
}

// study ranks the arms of a cell; false when none was measured.
func study(c record.Cell, arms []armTrials, first map[string][]float64) (Study, bool) {
	s := Study{Cell: c.Key, Workload: c.Workload}
	for _, a := range arms {
		s.Arms = append(s.Arms, a.arm.Name)
	}
	if c.SendsRequests() && len(first) > 0 {
		mean := func(xs []float64) float64 { return stats.PairedT(xs).Theta }
		p99 := func(xs []float64) float64 { return stats.HarrellDavis(xs, 0.99) }
		s.add(record.Metric{Name: TTFTMean, Kind: TTFTMean, Unit: "s", Better: record.Lower}, ofRequests(c, arms, first, mean))
		s.add(record.Metric{Name: TTFTp99, Kind: TTFTp99, Unit: "s", Better: record.Lower}, ofRequests(c, arms, first, p99))
	}
	for _, m := range c.Metrics {
		var sides []Side
		for _, a := range arms {
			sides = append(sides, points(a, c.Key, m))
		}
		s.add(m, sides)
	}
	return s, len(s.Rankings) > 0
}

// firstTokens are the times to first token of successful requests, by trial.
func firstTokens(rows iter.Seq2[record.Request, error]) map[string][]float64 {
	if rows == nil {
		return nil
	}
	of, n := make(map[string][]float64), 0
	for r, err := range rows {
		if n++; err != nil || n > mostRequestRows {
			break
		}
		if !r.Warmup && r.Failure == nil && r.TTFT > 0 && r.TTFT < 1e9 {
			of[r.Trial] = append(of[r.Trial], r.TTFT)
		}
	}
	return of
}

// ofRequests makes one number of each trial's requests.
func ofRequests(c record.Cell, arms []armTrials, first map[string][]float64, statistic func([]float64) float64) []Side {
	var sides []Side
	for _, a := range arms {
		s := Side{Arm: a.arm.Name}
		for _, t := range a.trials[c.Key] {
			if xs := first[t.ID]; t.Outcome == record.OK && len(xs) > 0 {
				s.Trials = append(s.Trials, Point{Trial: t.ID, Block: t.Block, Order: t.Order, Value: statistic(xs)})
			}
		}
		sides = append(sides, s)
	}
	return sides
}

// add ranks the arms by a metric, unless none has it.
func (s *Study) add(m record.Metric, sides []Side) {
	sides = slices.DeleteFunc(sides, func(s Side) bool { return len(s.Trials) == 0 })
	if len(sides) == 0 {
		return
	}
	sc := scaleOf(m, Margin{})
	r := Ranking{Metric: m}
	for _, side := range sides {
		p := levelOver(side, sc, m)
		p.BestRank, p.WorstRank = 1, len(sides)
		r.Places = append(r.Places, p)
	}
	better := decided(sides, sc)
	for i := range r.Places {
		for j := range r.Places {
			if better[j][i] {
				r.Places[i].BestRank++
			}
			if better[i][j] {
				r.Places[i].WorstRank--
			}
		}
	}
	order := make([]int, len(sides))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(sc.better*r.Places[b].Mean, sc.better*r.Places[a].Mean)
	})
	places := r.Places
	r.Places = nil
	for n, i := range order {
		r.Places = append(r.Places, places[i])
		for _, j := range order[n+1:] {
			if !better[i][j] && !better[j][i] {
				r.Undecided = append(r.Undecided, [2]string{sides[i].Arm, sides[j].Arm})
			}
		}
	}
	s.Rankings = append(s.Rankings, r)
}

// decided says which side is better than which, beyond chance.
func decided(sides []Side, sc scale) [][]bool {
	better := make([][]bool, len(sides))
	for i := range better {
		better[i] = make([]bool, len(sides))
	}
	type pair struct{ i, j int }
	var pairs []pair
	var ps []float64
	for i := range sides {
		for j := range i {
			p := 1.0
			if d := withinBlocks(sides[j], sides[i], sc); len(d) > 1 {
				e := stats.PairedT(d)
				p = min(1, 2*min(e.PBelow(0), e.PAbove(0)))
			}
			pairs, ps = append(pairs, pair{i, j}), append(ps, p)
		}
	}
	if len(ps) == 0 {
		return better
	}
	for n, p := range stats.Holm(ps) {
		i, j := pairs[n].i, pairs[n].j
		if p > 1-StudyConfidence {
			continue
		}
		up := stats.PairedT(withinBlocks(sides[j], sides[i], sc)).Theta > 0
		better[i][j], better[j][i] = up, !up
	}
	return better
}

// withinBlocks are the differences of b to a in the blocks that both have,
// better above.
func withinBlocks(a, b Side, sc scale) (d []float64) {
	atA := make(map[int]float64)
	for _, p := range a.Trials {
		if p.Block >= 0 {
			atA[p.Block] = sc.better * sc.to(p.Value)
		}
	}
	for _, p := range b.Trials {
		if x, ok := atA[p.Block]; ok {
			d = append(d, sc.better*sc.to(p.Value)-x)
		}
	}
	return d
}
