package compare_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/stats"
)

var (
	defaults = compare.DefaultPolicy()
	margin   = defaults.Margins[record.Throughput]
	lambda   = margin.Lambda()
)

const within = 0.01

// judgeOne is the product's decision on a session of one cell.
func judgeOne(run *record.Run, policy compare.Policy) compare.Comparison {
	return compare.Run(run, policy).Comparisons[0]
}

// noMargin asks whether there is any change at all.
func noMargin() compare.Policy {
	p := compare.DefaultPolicy()
	p.Margins = map[string]compare.Margin{record.Throughput: {Value: 1e-9}}
	return p
}

// eachNoise calls f for every shape of noise and ratio of its two levels.
func (b *book) eachNoise(f func(name string, s simulation)) {
	for _, shape := range shapes {
		for _, ratio := range b.ratios {
			f(fmt.Sprintf("%s, between/within %g", shape.name, ratio),
				simulation{shape: shape, within: within, between: ratio * within})
		}
	}
}

// noChange, C1: two arms that are the same are hardly ever told apart, and with
// the margin never in practice.
func noChange(t *testing.T, b *book) {
	b.eachNoise(func(noise string, s simulation) {
		for _, s.blocks = range []int{6, 10, 20} {
			name := fmt.Sprintf("%s, %d blocks", noise, s.blocks)
			type alarms struct{ any, beyond bool }
			found := simulate("C1 "+name, b.cells, func(rng *rand.Rand) alarms {
				run := s.session(rng)
				return alarms{any: changed(judgeOne(run, noMargin())), beyond: changed(judgeOne(run, defaults))}
			})
			b.hold(t, finding{gate: "C1", name: "any change: " + name, hits: howMany(found, func(a alarms) bool { return a.any }),
				draws: b.cells, limit: defaults.Alpha, nominal: true})
			b.hold(t, finding{gate: "C1", name: "beyond the margin: " + name, hits: howMany(found, func(a alarms) bool { return a.beyond }),
				draws: b.cells, limit: 0.005})
		}
	})
}

func changed(c compare.Comparison) bool {
	return c.Verdict == compare.Regression || c.Verdict == compare.Improvement
}

// edgeOfMargin, C2: a loss of exactly the margin, the least favourable truth
// that is none, is called a regression no more often than promised: 5 % by its
// p-value, half of that by the verdict of a single cell, at once or over the
// looks of a plan. All three are levels, so all are held to what as many draws as
// were made can tell from the level.
func edgeOfMargin(t *testing.T, b *book) {
	plan := newLooks()
	var all finding // narrow where a single case has few draws
	b.eachNoise(func(noise string, s simulation) {
		s.change = always(-lambda)
		for _, s.blocks = range []int{defaults.MinTrials, 6, 10, 20} {
			name := fmt.Sprintf("%s, %d blocks", noise, s.blocks)
			type judged struct{ small, called bool }
			b.holdDrawnAgain(t, b.cells, func(draws int) []finding {
				found := simulate("C2 "+name, draws, func(rng *rand.Rand) judged {
					c := judgeOne(s.session(rng), defaults)
					return judged{small: c.P.Regression <= defaults.Alpha, called: c.Verdict == compare.Regression}
				})
				if draws == b.cells {
					all.hits, all.draws = all.hits+howMany(found, func(j judged) bool { return j.called }), all.draws+draws
				}
				return []finding{
					{gate: "C2", name: "p <= 0.05: " + name, hits: howMany(found, func(j judged) bool { return j.small }), draws: draws, limit: defaults.Alpha, nominal: true},
					{gate: "C2", name: "verdict: " + name, hits: howMany(found, func(j judged) bool { return j.called }), draws: draws, limit: defaults.Alpha / 2, nominal: true},
				}
			})
		}
		s.blocks = plan.last()
		called := count("C2 looks "+noise, b.cells, func(rng *rand.Rand) bool {
			verdict, _ := plan.decide(s.session(rng))
			return verdict == compare.Regression
		})
		b.hold(t, finding{gate: "C2", name: "4 looks: " + noise, hits: called, draws: b.cells, limit: defaults.Alpha / 2, nominal: true})
	})
	b.hold(t, finding{gate: "C2", name: "verdict: all cases together", hits: all.hits, draws: all.draws, limit: defaults.Alpha / 2, nominal: true})
}

// looks are a plan of interim analyses, applied to the product's p-values.
type looks struct {
	blocks []int
	levels []float64 // nominal p at each
}

func newLooks() looks {
	blocks := []int{6, 10, 15, 20}
	l, planned := looks{blocks: blocks}, stats.NewInterimAnalyses(blocks)
	for k := range blocks {
		l.levels = append(l.levels, planned.Level(k, compare.DefaultPolicy().Alpha/2))
	}
	return l
}

func (l looks) last() int { return l.blocks[len(l.blocks)-1] }

// decide looks at a session while it grows, and stops as soon as one claim is
// shown; at is the index of the last look.
func (l looks) decide(run *record.Run) (v compare.Verdict, at int) {
	for i, n := range l.blocks {
		at = i
		p := judgeOne(upTo(run, n), compare.DefaultPolicy()).P
		switch level := l.levels[i]; {
		case p.Regression <= level:
			return compare.Regression, i
		case p.Improvement <= level:
			return compare.Improvement, i
		case p.Equivalence <= level:
			return compare.Equivalent, i
		}
	}
	return compare.Inconclusive, at
}

// equivalence, C6: with a spread of half the margin and 12 blocks, no change is
// shown to be none; a loss of the margin is not.
func equivalence(t *testing.T, b *book) {
	for _, truth := range []struct {
		name    string
		change  float64
		limit   float64
		atLeast bool
	}{{"no change", 0, 0.80, true}, {"a loss of the margin", -lambda, 0.05, false}} {
		s := exactly(lambda/2, 12)
		s.change = always(truth.change)
		shown := count("C6 "+truth.name, b.cells, func(rng *rand.Rand) bool {
			return judgeOne(s.session(rng), defaults).Verdict == compare.Equivalent
		})
		b.hold(t, finding{gate: "C6", name: truth.name, hits: shown, draws: b.cells, limit: truth.limit, atLeast: truth.atLeast, nominal: !truth.atLeast})
	}
}
