package stats

import "math"

// mostReplicates bounds the repetitions of a trial and the trials of a block
// that a plan may ask for.
const mostReplicates = 100

// A Stratum is one level of a hierarchical measurement, such as repetition,
// trial or block.
type Stratum struct {
	Variance float64 // >= 0, that this level adds on its own: Kalibera and Jones's T²
	Cost     float64 // > 0, time that each unit of this level adds on its own, seconds
}

// Replicates returns how many units of each level but the highest to measure
// within one of the level above, so that a given time buys the smallest
// variance of the mean: ceil(√(c(i+1)/c(i) · T²(i)/T²(i+1))) for levels given
// from the lowest up (Kalibera and Jones, ISMM 2013). What time is left goes into
// the highest level. The result has one entry less than levels, each from 1 to
// 100, and 100 where the level above adds no variance and this one does.
// It panics unless variances are finite and not negative, and costs finite and
// positive.
func Replicates(levels []Stratum) []int {
	for _, l := range levels {
		checkLevel("Replicates", l)
	}
	var replicates []int
	for i := range max(0, len(levels)-1) {
		low, high := levels[i], levels[i+1]
		n := 1.0
		switch {
		case low.Variance == 0:
		case high.Variance == 0:
			n = mostReplicates
		default:
			n = math.Ceil(math.Sqrt(high.Cost/low.Cost) * math.Sqrt(low.Variance/high.Variance))
		}
		replicates = append(replicates, int(max(1, min(n, mostReplicates))))
	}
	return replicates
}

// A Workload says what one cell costs and how it varies when two arms are
// compared in blocks. Each block runs both arms, each for the same number of
// trials of the same number of repetitions.
type Workload struct {
	Repetition Stratum // one timed pass; the zero value where a trial has one value and no repetitions to choose
	Trial      Stratum // one process: start, load and warm-up, without its timed passes
	Block      Stratum // one block: what an arm varies from block to block beyond its trials; Cost for the block as a whole, may be 0
	MostTrials int     // most trials of an arm in a block; 0 means 1, the ordinary design
	MinBlocks  int     // fewest blocks that may be planned; below 2 means 2
	MostBlocks int     // most blocks that may be planned; 0 means about a million
}

// An Allocation is a plan for one cell and what it can be expected to show.
type Allocation struct {
	Repetitions int     // per trial
	Trials      int     // per arm and block
	Blocks      int     //
	Time        float64 // of all of it, seconds
	SD          float64 // of one block's difference between the arms
	HalfWidth   float64 // of the two-sided interval at confidence 1 - 2·Alpha
	MDE         float64 // true loss found with the target's power; see MDE
}

// Allocate returns the repetitions, trials and blocks that give the narrowest
// interval within budget seconds, the cheapest of equals. The standard deviation
// of one block's difference is √(2·(σb² + σt²/k + σr²/(k·r))), and the half
// width t(B-1, 1-Alpha)·SD/√B, so unlike Replicates it counts what few blocks
// cost in degrees of freedom. It returns false if the budget does not allow
// MinBlocks of one repetition.
//
// It panics if target is not valid, a variance is not finite and not negative, a
// cost not finite and positive (Block.Cost may be 0, and Repetition the zero value), budget is NaN, or a number
// is negative.
func Allocate(w Workload, target Target, budget float64) (Allocation, bool) {
	target.check("Allocate")
	w.check()
	if math.IsNaN(budget) {
		panic("stats: Allocate: budget must not be NaN")
	}
	mostRepetitions := mostReplicates
	if w.Repetition == (Stratum{}) {
		mostRepetitions = 1
	}
	best, found := Allocation{HalfWidth: math.Inf(1)}, false
	for trials := 1; trials <= max(1, min(w.MostTrials, mostReplicates)); trials++ {
		for repetitions := 1; repetitions <= mostRepetitions; repetitions++ {
			a := w.fill(trials, repetitions, budget)
			if a.Blocks < max(2, w.MinBlocks) {
				break // more repetitions leave time for fewer blocks still
			}
			a.HalfWidth = Estimate{SE: a.SD / math.Sqrt(float64(a.Blocks)), DF: float64(a.Blocks - 1)}.Interval(1 - 2*target.Alpha).High
			if !found || a.HalfWidth < best.HalfWidth*(1-1e-9) {
				best, found = a, true
			}
		}
	}
	if !found {
		return Allocation{}, false
	}
	best.MDE = MDE(target, best.SD, best.Blocks)
	return best, true
}

// fill returns the plan with as many blocks as the budget allows.
func (w Workload) fill(trials, repetitions int, budget float64) Allocation {
	k, r := float64(trials), float64(repetitions)
	cost := w.Block.Cost + 2*k*(w.Trial.Cost+r*w.Repetition.Cost)
	blocks := min(math.Floor(budget/cost), maxSampleSize)
	if w.MostBlocks > 0 {
		blocks = min(blocks, float64(w.MostBlocks))
	}
	return Allocation{
		Repetitions: repetitions,
		Trials:      trials,
		Blocks:      int(blocks),
		Time:        blocks * cost,
		SD:          math.Sqrt(2 * (w.Block.Variance + w.Trial.Variance/k + w.Repetition.Variance/(k*r))),
	}
}

func (w Workload) check() {
	if w.Repetition != (Stratum{}) {
		checkLevel("Allocate", w.Repetition)
	}
	checkLevel("Allocate", w.Trial)
	if w.Block.Cost == 0 {
		w.Block.Cost = 1
	}
	checkLevel("Allocate", w.Block)
	if w.MostTrials < 0 || w.MinBlocks < 0 || w.MostBlocks < 0 {
		panic("stats: Allocate: numbers of trials and blocks must not be negative")
	}
}

func checkLevel(caller string, l Stratum) {
	if !(l.Variance >= 0) || math.IsInf(l.Variance, 1) {
		panic("stats: " + caller + ": variances must be finite and not negative")
	}
	if !(l.Cost > 0) || math.IsInf(l.Cost, 1) {
		panic("stats: " + caller + ": costs must be finite and positive")
	}
}
