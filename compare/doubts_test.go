package compare_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// Doubts follow from the differences alone: not from levels, units or the direction that
// is good, and what both trials of a block share does not matter.
func TestDoubtsFollowFromDifferences(t *testing.T) {
	u := unlike{draw: resembling(0.6)}
	first := compare.Run(u.session(generator("doubts", 0), 24, 12, 0), defaults).Doubts()
	if len(first) != 1 || first[0].Code != compare.ResemblingBlocks || first[0].Candidate != "head" || first[0].Cells != 24 || !(first[0].Number > 0.3 && first[0].Number < 0.9) {
		t.Fatalf("%+v", first)
	}
	moved := u.session(generator("doubts", 0), 24, 12, 0)
	for i := range moved.Trials {
		trial := &moved.Trials[i]
		trial.Measurements[0].Values[0] *= 8 * float64(1+trial.Block*trial.Block) // exact, and shared by the block
	}
	again := compare.Run(moved, defaults).Doubts()
	if len(again) != 1 || again[0].Code != first[0].Code || again[0].Cells != 24 || !(again[0].Number-first[0].Number < 1e-6 && first[0].Number-again[0].Number < 1e-6) {
		t.Errorf("%+v, then %+v", first, again)
	}
	if same := compare.Run(u.session(generator("doubts", 0), 24, 12, 0), defaults).Doubts(); !reflect.DeepEqual(first, same) {
		t.Errorf("%+v, then %+v", first, same)
	}
}

// Sessions without shape raise no doubt and no panic: none, one trial, constants, few
// blocks, cells that lack blocks.
func TestNoDoubts(t *testing.T) {
	none := unlike{draw: independent(func(*rand.Rand) float64 { return 0 }, func(*rand.Rand) float64 { return 0 })}
	holes := unlike{draw: alike(normal)}.session(generator("holes", 0), 24, 8, 0)
	var kept []record.Trial
	for i, trial := range holes.Trials {
		if i%7 != 0 {
			kept = append(kept, trial)
		}
	}
	holes.Trials = kept
	for name, run := range map[string]*record.Run{
		"empty":     emptySession(1, throughput),
		"one block": unlike{draw: resembling(0.6)}.session(generator("one", 0), 24, 1, 0),
		"3 blocks":  unlike{draw: resembling(0.6)}.session(generator("three", 0), 24, 3, 0),
		"constant":  none.session(generator("constant", 0), 24, 12, 0),
		"holes":     holes,
	} {
		if ds := compare.Run(run, defaults).Doubts(); len(ds) > 0 {
			t.Errorf("%s: %+v", name, ds)
		}
	}
}
