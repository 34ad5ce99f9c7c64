package compare_test

import (
	"math/rand/v2"
	"slices"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// A layout is a way to lay out the blocks of a matrix.
type layout struct {
	name     string
	sampling config.Sampling
	held     bool // to mostTime and the power of the fixed blocks
}

func layouts() []layout {
	with := func(blocks, adaptive, confirm int) config.Sampling {
		s := config.Default().Sampling
		s.Blocks, s.Adaptive, s.ConfirmBlocks = blocks, adaptive, confirm
		return s
	}
	return []layout{
		{"20 blocks of every cell", with(fixedBlocks, 0, 0), false},
		{"adaptive, one stage: looks at 6, 10, 15, 20", with(6, fixedBlocks, 0), false},
		{"two stages, 6 and 12 fresh", with(6, 0, 12), false},
		{"two stages, 6 and 20 fresh (the default)", with(6, 0, config.AutoConfirm), true},
		{"two stages, adaptive: 6 and up to 20 fresh", with(6, fixedBlocks, config.AutoConfirm), true},
	}
}

// twoStages is the default layout of a large matrix.
func twoStages() layout { return layouts()[3] }

// used are the layouts that users get without asking for numbers of blocks.
func used() []layout { return slices.Delete(layouts(), 2, 3) }

// measure draws a matrix and measures it as a runner would, in one record: it
// asks the decider at every interim analysis and measures no more of what stopped.
// It returns what is said of the record, and the trials of all arms. The null
// control in the first cell costs its trials and is not drawn.
func (l layout) measure(policy compare.Policy, s simulation, rng *rand.Rand) (*compare.Result, int) {
	stages := l.sampling.Stages(s.cells, 1)
	var at []int // blocks by which the decider is asked; the last is the end
	if stages.Screen > 0 {
		at = append(at, stages.Screen)
	}
	for _, n := range stages.Interims {
		at = append(at, stages.Screen+n)
	}
	if len(at) == 0 || at[len(at)-1] < stages.Blocks {
		at = append(at, stages.Blocks)
	}
	run := emptySession(s.cells, throughput)
	run.Plan.Screen, run.Plan.Interims = stages.Screen, stages.Interims
	run.Trials = make([]record.Trial, 0, 2*s.cells*stages.Blocks)
	open := make([]int, s.cells) // by their index
	due := make([]record.Interim, s.cells)
	for c := range open {
		open[c] = c
	}
	trials, measured := 0, 0
	for _, end := range at {
		control := 1
		if !slices.Contains(open, 0) {
			control = 2 // and its baseline
		}
		trials += (end - measured) * (2*len(open) + control)
		s.extend(run, open, measured, end, rng)
		if measured = end; end == stages.Blocks {
			break
		}
		due = due[:len(open)]
		for i, c := range open {
			due[i] = record.Interim{Cell: run.Cells[c].Key, Blocks: end}
		}
		var left []int
		for i, look := range (compare.Decider{Policy: policy}).Interim(run, due) {
			if look.Stop == "" {
				left = append(left, open[i])
			}
		}
		if open = left; len(open) == 0 {
			break
		}
	}
	return compare.Run(run, policy), trials
}
