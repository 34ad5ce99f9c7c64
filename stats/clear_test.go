package stats

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// The bound holds wherever permutations can be counted: it is never below the
// share of them that reach the statistic.
func TestClearPIsABound(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 11))
	const permutations = 2000
	used, cases := 0, 0
	for i := 0; i < 60; i += 60 / effort.Draws(60, 15) {
		n := 8 + 3*i
		xs := noise(rng, n, 0)
		for j := n / 2; j < n; j++ {
			xs[j] += float64(i%5) * .7
		}
		if i%3 == 0 {
			xs[n/3] += 25 // one wild value
		}
		search := newSplitSearch(xs)
		_, split := search.best()
		_, _, stretch := search.bestStretch()
		for name, c := range map[string]struct {
			statistic, bound float64
			reaches          func(splitSearch, float64) bool
		}{
			"split":   {split, search.clearP(split), splitSearch.reaches},
			"stretch": {stretch, search.clearStretchP(stretch), splitSearch.stretchReaches},
		} {
			shuffled, reached := newSplitSearch(xs), 0
			for range permutations {
				d := shuffled.deviations
				rng.Shuffle(n, func(i, j int) { d[i], d[j] = d[j], d[i] })
				if c.reaches(shuffled, c.statistic*(1-1e-9)) {
					reached++
				}
			}
			if share := float64(reached) / permutations; c.bound < share-.02 {
				t.Errorf("%s of %d values: bound %v, but %v of permutations reach it", name, n, c.bound, share)
			}
			cases++
			if c.bound < 1e-4 {
				used++
			}
		}
	}
	if used < effort.Draws(10, 1) {
		t.Errorf("the bound says enough in %d of %d cases: of no use", used, cases)
	}
}

// Of steps that are found the range holds the true place about as often as it
// says, and is not all of the series.
func TestStepRange(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 12))
	series := effort.Draws(400, 60)
	for _, c := range []struct{ step, r, covers, width float64 }{{2, 0, .92, 8}, {4, 0, .95, 3}, {3, .3, .92, 8}} {
		found, covered, width := 0, 0, 0
		for i := range series {
			xs := noise(rng, 60, c.r)
			for j := 35; j < 60; j++ {
				xs[j] += c.step
			}
			changes := ChangePoints(xs, ChangeRule{Alpha: .01, Seed: uint64(i)})
			if len(changes) != 1 {
				continue
			}
			found++
			width += changes[0].Last - changes[0].First + 1
			if changes[0].First <= 35 && 35 <= changes[0].Last {
				covered++
			}
		}
		if share := float64(covered) / float64(found); share < c.covers || found < series*3/4 || float64(width)/float64(found) > c.width {
			t.Errorf("step of %v, autocorrelation %v: found %d, covered %v, %v places wide on average", c.step, c.r, found, share, float64(width)/float64(found))
		}
	}
}

// The longest history that is expected: a thousand nights. With steps, and of
// pure noise, at the level of four false alarms a year among 100 cells.
func BenchmarkThousandNights(b *testing.B) {
	for name, steps := range map[string]int{"noise": 0, "5 steps": 5} {
		b.Run(name, func(b *testing.B) {
			rng := rand.New(rand.NewPCG(9, 13))
			for i := 0; b.Loop(); i++ {
				xs := noise(rng, 1000, 0)
				for s := range steps {
					for j := 150 * (s + 1); j < 1000; j++ {
						xs[j] -= 3
					}
				}
				if got := len(ChangePoints(xs, ChangeRule{Alpha: 4. / 36500, Seed: uint64(i)})); got < steps {
					b.Fatalf("%d of %d steps", got, steps)
				}
			}
		})
	}
}

// Levels that come, go and come again do not pass for autocorrelation, which
// would hide all of them.
func TestStepsThatComeAndGo(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 14))
	for i := range effort.Draws(40, 6) {
		xs := noise(rng, 160, 0)
		for j := range xs {
			if j >= 50 && j < 80 || j >= 120 {
				xs[j] -= 10
			}
		}
		if got := positions(ChangePoints(xs, ChangeRule{Alpha: .002, Margin: 3, Seed: uint64(i)})); !slices.Equal(got, []int{50, 80, 120}) {
			t.Errorf("series %d: have %v", i, got)
		}
	}
}
