package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// order lays out the trials: block after block, each block going through all
// cells in an order drawn for it, and in each cell through its arms, back to
// back. The arms of a cell are in an order drawn once and reversed from block to
// block, AB BA AB BA: over two blocks each arm's mean position is the same, so a
// machine that slowly heats up or slows down favours none. The baseline is in the
// middle: see around.
//
// Loading a scheduler takes seconds and disturbs, so where trials ask for
// several a block goes through the schedulers, and under each through the cells
// with their arms of that scheduler: each is loaded once a block. The arms of a
// cell are then apart by the time that the block takes at most.
//
// arms lists each cell's arms. PCG is specified down to the bit, so one seed
// gives one order on every machine. The names of the trials count the cells from
// first, their number in the whole plan.
func order(p *Plan, arms [][]int, first int) []Trial {
	rng := rand.New(rand.NewPCG(p.Seed, 0))
	turn := make([][]int, len(arms)) // each cell's arms in the order of the block at hand
	for c := range arms {
		turn[c] = p.around(arms[c], rng)
	}
	schedulers := p.rota(arms, rng.Shuffle)
	var trials []Trial
	for b := range p.Blocks {
		cells := rng.Perm(len(p.Cells))
		for _, s := range schedulers {
			for _, c := range cells {
				if b >= p.blocksOf(c) {
					continue
				}
				for _, a := range turn[c] {
					if p.schedulerOf(c, a) != s {
						continue
					}
					trials = append(trials, Trial{
						ID:    fmt.Sprintf("b%02d.c%04d.%s", b, first+c, p.Arms[a].Name),
						Arm:   a,
						Cell:  c,
						Block: b,
						Order: len(trials),
					})
				}
			}
		}
		for c := range turn {
			slices.Reverse(turn[c])
		}
		slices.Reverse(schedulers)
	}
	return trials
}

// around draws an order of a cell's arms with the baseline in the middle: control, base,
// head and, in the next block, head, base, control. What the machine does changes from
// trial to trial, so that neighbours differ least: every comparison is with the baseline,
// and no null control stands between a candidate and it. Two candidates stand on both
// sides of the baseline, and the control at an end.
func (p *Plan) around(arms []int, rng *rand.Rand) []int {
	if len(arms) < 3 {
		turn := slices.Clone(arms)
		rng.Shuffle(len(turn), func(i, j int) { turn[i], turn[j] = turn[j], turn[i] })
		return turn
	}
	base, control := -1, -1
	var candidates []int
	for _, a := range arms {
		switch arm := p.Arms[a]; {
		case arm.Name == p.Baseline:
			base = a
		case arm.ControlOf != "":
			control = a
		default:
			candidates = append(candidates, a)
		}
	}
	rng.Shuffle(len(candidates), func(i, j int) { candidates[i], candidates[j] = candidates[j], candidates[i] })
	half := len(candidates) / 2
	turn := candidates[:half:half]
	if control >= 0 {
		turn = append([]int{control}, turn...) // at the end with fewer candidates
	}
	if base >= 0 {
		turn = append(turn, base)
	}
	turn = append(turn, candidates[half:]...)
	if rng.IntN(2) == 1 {
		slices.Reverse(turn)
	}
	return turn
}

// mostPadding is a page of memory: what a stack can be moved by and still be
// aligned otherwise.
const mostPadding = 4096

// Padding is by how many bytes, 0 to 4095, the environment of a trial's process
// is made longer, drawn from the plan's seed. Where the stack begins can change
// speed by a percent or more; drawn anew for each trial that is noise, which a
// verdict reckons with, instead of a difference between two builds.
func (p *Plan) Padding(t Trial) int {
	return rand.New(rand.NewPCG(p.Seed, 1+uint64(t.Order))).IntN(mostPadding)
}
