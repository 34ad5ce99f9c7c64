package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
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
	crashes     float64 // share of the candidate's trials in which its server dies at a uniform moment
	trials      int     // an arm
	requests    int     // a trial
}

func (s service) session(rng *rand.Rand) *record.Run {
	run := emptySession(1, successRate)
	for b := range s.trials {
		for a, rate := range []float64{s.base, s.head} {
			k := s.succeeded(rng, rate)
			if a == 1 && s.crashes > 0 && rng.Float64() < s.crashes {
				k = int(rng.Float64() * float64(k+1)) // those before the crash
			}
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
						service{base: rate, head: rate, correlation: correlation, trials: trials, requests: requests})
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

// night judges a session of a service against so many stored ones, of one trial
// each.
func (s service) night(rng *rand.Rand, stored int, policy compare.Policy) compare.Comparison {
	session := func(id int, rate float64) compare.Selection {
		run := emptySession(1, successRate)
		run.ID = strconv.Itoa(id)
		k := s.succeeded(rng, rate)
		addTrial(run, "base", run.Cells[0], 0, record.Measurement{Metric: successRate.Name,
			Values: []float64{float64(k) / float64(s.requests)},
			Count:  &record.Count{Succeeded: k, Total: s.requests}})
		return compare.Selection{Run: run, Arm: "base"}
	}
	past := make([]compare.Selection, stored)
	for i := range past {
		past[i] = session(i, s.base)
	}
	return compare.History(past, session(stored, s.head), policy).Comparisons[0]
}

// rateSuspicions, CH: success rates of a night against stored ones, sessions
// taking the place of trials. The gate is that of C7, for nights without a
// change and such that lost just the margin, and the interval holds the truth,
// up to a correlation of 0.02. Beyond that one night by itself is more skewed than
// the interval allows for, and both are missed narrowly; what is suspected is
// measured again.
func rateSuspicions(t *testing.T, b *book) {
	points := defaults.Margins[successRate.Name].Value
	tab := table{title: "History mode: success rates", text: "Share of nights of 200 requests in which a cell is suspected, by the true loss in points, and in which the 95 % interval holds a loss of 10 points. Gate CH holds edge and interval up to a correlation of 0.02: beyond that, one night is more skewed than the interval allows for.",
		head: []string{"stored sessions", "rate", "correlation", "no change", "margin's edge (−2)", "−10", "−20", "coverage"}}
	for _, stored := range []int{8, 20} {
		for _, rate := range []float64{0.95, 0.99} {
			for _, correlation := range []float64{0, 0.02, 0.05} {
				s := service{base: rate, correlation: correlation, requests: 200}
				name := fmt.Sprintf("%d sessions, rate %g, correlation %g", stored, rate, correlation)
				suspect := func(lost float64, draws int) int {
					s.head = math.Round((rate-lost)*1e9) / 1e9
					return count(fmt.Sprint("CH rates ", name, lost), draws, func(rng *rand.Rand) bool { return suspected(s.night(rng, stored, defaults)) })
				}
				none, edge, tenth, fifth := suspect(0, b.cells), suspect(points, b.cells), suspect(0.10, b.matrices), suspect(0.20, b.matrices)
				s.head = rate - 0.10
				held := count("CH rates interval "+name, b.cells, func(rng *rand.Rand) bool { return covers(s.night(rng, stored, at95()).Interval, s.head-s.base) })
				b.hold(t, finding{gate: "CH", name: "success rate, no change: " + name, hits: none, draws: b.cells, limit: 0.065})
				if correlation <= 0.02 {
					b.hold(t, finding{gate: "CH", name: "success rate at the edge: " + name, hits: edge, draws: b.cells, limit: 0.065})
					b.hold(t, finding{gate: "CH", name: "success rate, interval: " + name, hits: held, draws: b.cells, limit: 0.94, atLeast: true})
				}
				tab.rows = append(tab.rows, []string{fmt.Sprint(stored), fmt.Sprint(rate), fmt.Sprint(correlation), share(none, b.cells), share(edge, b.cells),
					share(tenth, b.matrices), share(fifth, b.matrices), share(held, b.cells)})
			}
		}
	}
	b.tables = append(b.tables, tab)
}

// rateEquivalence, C6: success rates are falsely called equivalent in at most the
// nominal share, by how failures come together: the candidate's server dies at a
// uniform moment of a trial and the rest of its requests fail, beside failures of
// both arms that are independent or none, or failures of a trial are correlated.
func rateEquivalence(t *testing.T, b *book) {
	points := defaults.Margins[successRate.Name].Value
	draws := max(1, b.cells/10)
	if *full {
		draws = 5_000
	}
	tab := table{title: "Success rates: false equivalence", text: fmt.Sprintf("Share of %d draws (of 80 trials a fifth of that) in which a success rate is called equivalent although the candidate lost at least the margin, or although nothing changed (true), and regression.", draws),
		head: []string{"trials", "baseline's rate", "failures", "lost, points", "equivalent", "regression"}}
	study := func(s service, how string, lost float64) {
		name := fmt.Sprintf("%d trials of %d, rate %g, %s, %g points lost", s.trials, s.requests, s.base, how, 100*lost)
		found := simulate("C6 rates "+name, draws, func(rng *rand.Rand) compare.Verdict { return judgeOne(s.session(rng), defaults).Verdict })
		share := func(v compare.Verdict) int { return howMany(found, func(x compare.Verdict) bool { return x == v }) }
		if lost > 0 {
			b.hold(t, finding{gate: "C6", name: "success rate, false equivalence: " + name, hits: share(compare.Equivalent), draws: draws, limit: 0.05, nominal: true})
		}
		tab.rows = append(tab.rows, []string{fmt.Sprintf("%d x %d", s.trials, s.requests), fmt.Sprint(s.base), how, fmt.Sprint(100 * lost),
			fmt.Sprintf("%.3f", float64(share(compare.Equivalent))/float64(draws)), fmt.Sprintf("%.3f", float64(share(compare.Regression))/float64(draws))})
	}
	for _, size := range [][2]int{{6, 48}, {10, 50}, {10, 100}} {
		for _, rate := range []float64{1, 0.99} {
			s := service{base: rate, head: rate, trials: size[0], requests: size[1]}
			study(s, "independent", 0)
			for _, lost := range []float64{points, 0.05, 0.10} {
				s.crashes = 2 * lost / rate
				study(s, "crashes", lost)
			}
			for _, correlation := range []float64{0.1, 0.3, 0.7} {
				study(service{base: rate, head: rate - points, correlation: correlation, trials: size[0], requests: size[1]}, fmt.Sprintf("correlation %g", correlation), points)
			}
		}
	}
	// Failures of every day beside crashes: of many trials nearly all have one, and
	// say nothing of the crash that costs the margin.
	many := service{base: 0.98, head: 0.98, trials: 80, requests: 50, crashes: 2 * points / 0.98}
	draws = max(1, draws/5)
	study(many, "independent failures and crashes", points)
	b.tables = append(b.tables, tab)
}
