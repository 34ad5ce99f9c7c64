package compare

import (
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/stats"
)

// An Outlook says what a time budget would buy for one comparison, going by
// how a measured run varied and what it cost (statistics reference, section 4).
type Outlook struct {
	Cell      string `json:"cell"`
	Metric    string `json:"metric"`
	Candidate string `json:"contender"`

	Within  float64 `json:"within"`  // sd of repetitions within a trial, as a share
	Between float64 `json:"between"` // sd that trials add to that, as a share

	Repetitions int     `json:"repetitions"` // per trial
	Blocks      int     `json:"blocks"`
	Seconds     float64 `json:"seconds"` // of all its trials, both arms
	MDE         float64 `json:"mde"`     // smallest loss that would be called with 80 % power, as a share
}

// Outlooks plans the next run from a measured one: for each of its paired
// comparisons, the repetitions and blocks with which an equal share of budget
// seconds shows most. Comparisons with fewer than two blocks, and those the
// budget does not allow two blocks of, are left out.
func Outlooks(run *record.Run, policy Policy, budget float64) []Outlook {
	res := Run(run, policy)
	if res.Method != Paired || len(res.Comparisons) == 0 {
		return nil
	}
	share := budget / float64(candidateCells(res.Comparisons))
	base := side(Selection{run, run.Baseline})
	var outlooks []Outlook
	for i := range res.Comparisons {
		c := &res.Comparisons[i]
		if c.Estimator != PairedT || c.Replicates < 2 || c.Margin == nil {
			continue
		}
		head := side(Selection{run, c.Candidate.Arm})
		trials := slices.Concat(base.trials[c.Cell], head.trials[c.Cell])
		w, ok := workload(c, trials, run.Plan)
		if !ok {
			continue
		}
		target := stats.Target{Margin: c.effect.lambda, Alpha: policy.Alpha / float64(max(2, len(res.Comparisons))), Power: power}
		a, ok := stats.Allocate(w, target, share)
		if !ok {
			continue
		}
		outlooks = append(outlooks, Outlook{
			Cell: c.Cell, Metric: c.Metric.Name, Candidate: c.Candidate.Arm,
			Within: math.Sqrt(w.Repetition.Variance), Between: math.Sqrt(w.Trial.Variance),
			Repetitions: a.Repetitions, Blocks: a.Blocks, Seconds: a.Time, MDE: -math.Expm1(-a.MDE),
		})
	}
	return outlooks
}

// candidateCells counts what shares the budget: all metrics of a cell come from
// the same trials.
func candidateCells(cs []Comparison) int {
	seen := make(map[[2]string]bool)
	for _, c := range cs {
		seen[[2]string{c.Cell, c.Candidate.Arm}] = true
	}
	return len(seen)
}

// workload estimates what varies and what it costs. The paired differences
// hold two trials' worth of variance; what repetitions do not explain of it,
// trials add. Shares, which have no logarithm, are not planned for.
func workload(c *Comparison, trials []*record.Trial, p record.Plan) (stats.Workload, bool) {
	var squares, df, repetitions, seconds, count float64
	var repetitionCost float64
	for _, t := range trials {
		m, ok := t.Measurement(c.Metric.Name)
		if t.Outcome != record.OK || !ok || t.Seconds <= 0 {
			continue
		}
		var logs []float64
		for _, v := range m.Values {
			if v <= 0 {
				return stats.Workload{}, false
			}
			logs = append(logs, math.Log(v))
		}
		sd := spread(logs)
		squares, df = squares+sd*sd*float64(len(logs)-1), df+float64(len(logs)-1)
		repetitions, seconds, count = repetitions+float64(len(logs)), seconds+t.Seconds, count+1
		repetitionCost += repetitionSeconds(t)
	}
	if count > 0 && repetitionCost == 0 { // a served trial has one value, and no repetitions to choose
		return stats.Workload{
			Trial:     stats.Stratum{Variance: c.Sigma * c.Sigma / 2, Cost: seconds / count},
			MinBlocks: firstBlocks,
		}, true
	}
	if count == 0 || df == 0 {
		return stats.Workload{}, false
	}
	within := squares / df
	perTrial := repetitions / count
	timed := repetitionCost / count
	start := seconds/count - timed*(perTrial+float64(p.Warmup))
	return stats.Workload{
		Repetition: stats.Stratum{Variance: within, Cost: timed},
		Trial: stats.Stratum{
			Variance: max(0, c.Sigma*c.Sigma/2-within/perTrial),
			Cost:     max(start, 0.01) + timed*float64(p.Warmup),
		},
		MinBlocks: firstBlocks,
	}, true
}

// repetitionSeconds is how long one repetition of all the trial's tests takes.
func repetitionSeconds(t *record.Trial) float64 {
	var sum float64
	for _, m := range t.Measurements {
		if test, err := record.ParseTest(m.Metric); err == nil {
			sum += float64(test.Tokens()) / stats.Median(m.Values)
		}
	}
	return sum
}
