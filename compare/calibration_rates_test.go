package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"gonum.org/v1/gonum/stat/distuv"
)

var successRate = record.Metric{Name: "success_rate", Kind: "success_rate", Unit: "1", Better: record.Higher}

// A service is one whose requests fail together: the rate of a trial is drawn
// from a beta distribution around the true rate.
type service struct {
	base, head  float64 // true success rates
	correlation float64 // of two requests of one trial
	trials      int     // an arm
	requests    int     // a trial
}

func (s service) session(rng *rand.Rand) *record.Run {
	run := emptySession(1, successRate)
	for b := range s.trials {
		for a, rate := range []float64{s.base, s.head} {
			k := s.succeeded(rng, rate)
			addTrial(run, run.Arms[a].Name, run.Cells[0], b, record.Measurement{Metric: successRate.Name,
				Values: []float64{float64(k) / float64(s.requests)},
				Count:  &record.Count{Succeeded: k, Total: s.requests}})
		}
	}
	return run
}

func (s service) succeeded(rng *rand.Rand, rate float64) int {
	if s.correlation > 0 && rate > 0 && rate < 1 {
		size := 1/s.correlation - 1
		rate = distuv.Beta{Alpha: rate * size, Beta: (1 - rate) * size, Src: rng}.Rand()
	}
	k := 0
	for range s.requests {
		if rng.Float64() < rate {
			k++
		}
	}
	return k
}

// eachService calls f for trials, requests, rates and correlations as they occur.
func (b *book) eachService(f func(name string, s service)) {
	for _, trials := range b.trials {
		for _, requests := range []int{20, 50} {
			for _, rate := range []float64{0.95, 0.99} {
				for _, correlation := range b.correlations {
					f(fmt.Sprintf("%d trials of %d, rate %g, correlation %g", trials, requests, rate, correlation),
						service{rate, rate, correlation, trials, requests})
				}
			}
		}
	}
}

// successRates, C7: neither the p-value of "worse at all" where nothing changed,
// nor that of "worse than the margin" at its edge, nor the verdict is wrong more
// often than promised although requests of a trial fail together.
func successRates(t *testing.T, b *book) {
	points := defaults.Margins[successRate.Name].Value
	b.eachService(func(name string, s service) {
		type judged struct{ worse, regression bool }
		found := simulate("C7 "+name, b.cells, func(rng *rand.Rand) judged {
			c := judgeOne(s.session(rng), defaults)
			return judged{worse: c.P.Worse <= defaults.Alpha, regression: c.Verdict == compare.Regression}
		})
		b.hold(t, finding{gate: "C7", name: "p of worse at all: " + name, hits: howMany(found, func(j judged) bool { return j.worse }), draws: b.cells, limit: 0.065})
		b.hold(t, finding{gate: "C7", name: "verdict: " + name, hits: howMany(found, func(j judged) bool { return j.regression }), draws: b.cells, limit: 0.065})
		s.head = math.Round((s.base-points)*1e9) / 1e9
		edge := count("C7 edge "+name, b.cells, func(rng *rand.Rand) bool {
			return judgeOne(s.session(rng), defaults).P.Regression <= defaults.Alpha
		})
		b.hold(t, finding{gate: "C7", name: "p at the edge: " + name, hits: edge, draws: b.cells, limit: 0.065})
	})
}
