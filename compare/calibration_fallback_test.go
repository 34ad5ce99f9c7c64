package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/stats"
)

// failing are latencies of trials in which requests fail: log-normal, 200 a trial,
// the candidate's longer by a tenth. A failed request is infinitely slow.
type failing struct {
	quantile float64
	share    float64 // of requests that fail, each by itself
	sd       float64 // between trials
	blocks   int
}

const longer = 0.10 // share by which the candidate's latencies are longer

// session reduces each trial as a serve trial is reduced: the Harrell-Davis quantile
// where no request failed, beside the order statistic, else the order statistic alone.
func (f failing) session(rng *rand.Rand) *record.Run {
	name := fmt.Sprintf("ttft_p%g", 100*f.quantile)
	run := emptySession(1, record.Metric{Name: name, Kind: name, Unit: "s", Better: record.Lower})
	requests := make([]float64, 200)
	for b := range f.blocks {
		for a, arm := range run.Arms {
			truth, failed := float64(a)*math.Log1p(longer)+f.sd*rng.NormFloat64(), 0
			for i := range requests {
				requests[i] = math.Exp(truth + 0.5*rng.NormFloat64())
				if rng.Float64() < f.share {
					requests[i] = math.Inf(1)
					failed++
				}
			}
			m := record.Measurement{Metric: name, Quantile: &record.Quantile{Requests: len(requests), Failed: failed}}
			if order := stats.OrderStatistic(requests, f.quantile); !math.IsInf(order, 1) {
				m.Quantile.Order, m.Values, m.Quantile.Estimator = &order, []float64{order}, record.OrderStatistic
			} else {
				m.Censored = true
			}
			if failed == 0 {
				m.Values, m.Quantile.Estimator = []float64{stats.HarrellDavis(requests, f.quantile)}, record.HarrellDavis
			}
			addTrial(run, arm.Name, run.Cells[0], b, m)
		}
	}
	return run
}

// orderStatistics, C4: where requests fail, latencies are compared by the order
// statistic; its interval holds the true change, and the same build is not called
// slower.
func orderStatistics(t *testing.T, b *book) {
	held := b.coverage(t)
	for _, f := range []failing{
		{0.50, 0.01, 0, 6}, {0.50, 0.20, 0.05, 10},
		{0.95, 0.005, 0, 6}, {0.95, 0.01, 0, 6}, {0.95, 0.01, 0.05, 10}, {0.95, 0.01, 0.15, 20},
	} {
		name := fmt.Sprintf("latency among failures: p%g, %g %% fail, %d blocks, trials %g %%", 100*f.quantile, 100*f.share, f.blocks, 100*f.sd)
		byOrder := 0
		held(name, b.cells/2, func(rng *rand.Rand) bool {
			c := judgeOne(f.session(rng), at95())
			return covers(c.Interval, longer)
		})
		for draw := range 20 {
			if judgeOne(f.session(generator(name, draw)), defaults).Baseline.Estimator == record.OrderStatistic {
				byOrder++
			}
		}
		if byOrder < 18 {
			t.Errorf("%s: %d of 20 sessions take the order statistic, which this is about", name, byOrder)
		}
	}
}

// The interval of an order statistic is seen to be wrong where it is: with trials of
// one arm reduced by another estimator it does not hold the truth.
func TestOrderStatisticsCanFail(t *testing.T) {
	f := failing{0.95, 0.01, 0, 10}
	misses := 0
	for draw := range 100 {
		run := f.session(generator("mixed estimators", draw))
		for i := range run.Trials {
			if m := &run.Trials[i].Measurements[0]; run.Trials[i].Arm == "head" {
				m.Values, *m.Quantile.Order = []float64{0.9 * m.Values[0]}, 0.9**m.Quantile.Order
			}
		}
		if !covers(compare.Run(run, at95()).Comparisons[0].Interval, longer) {
			misses++
		}
	}
	if misses < 20 {
		t.Errorf("%d of 100 intervals miss a change that was planted", misses)
	}
}
