package runner

import "github.com/llama-regress/llama-regress/ci/plan"

// durations are how long trials have taken: it foretells how long those to come
// will take. The zero value knows nothing.
type durations struct {
	pair map[[2]int]mean // by cell and arm
	cell map[int]mean
	all  mean
}

type mean struct{ sum, n float64 }

func (m mean) plus(x float64) mean { return mean{m.sum + x, m.n + 1} }

// add takes in a trial that took so many seconds.
func (d *durations) add(t plan.Trial, seconds float64) {
	if d.pair == nil {
		d.pair, d.cell = make(map[[2]int]mean), make(map[int]mean)
	}
	pair := [2]int{t.Cell, t.Arm}
	d.pair[pair] = d.pair[pair].plus(seconds)
	d.cell[t.Cell] = d.cell[t.Cell].plus(seconds)
	d.all = d.all.plus(seconds)
}

// of is how many seconds t will take: the mean of its cell and arm so far,
// else of its cell, else of everything, else 0.
func (d *durations) of(t plan.Trial) float64 {
	for _, m := range []mean{d.pair[[2]int{t.Cell, t.Arm}], d.cell[t.Cell], d.all} {
		if m.n > 0 {
			return m.sum / m.n
		}
	}
	return 0
}
