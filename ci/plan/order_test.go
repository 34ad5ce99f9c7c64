package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
)

// TestOrderOfRandomPlans holds every rule about the order against plans of all
// shapes.
func TestOrderOfRandomPlans(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		c := study()
		c.Arms = nil
		for i := range 1 + rng.IntN(4) {
			c.Arms = append(c.Arms, config.Arm{Name: fmt.Sprintf("arm%d", i), Bin: "b"})
		}
		c.Baseline = c.Arms[rng.IntN(len(c.Arms))].Name
		c.Matrix.Params["threads"] = []string{"1", "2", "3", "4"}[:1+rng.IntN(4)]
		c.Sampling.Blocks = 1 + rng.IntN(9)
		c.Sampling.Seed = rng.Uint64()
		c.Sampling.Control = []config.Control{config.ControlNone, config.ControlOne, config.ControlAll}[rng.IntN(3)]
		p := expand(t, c)
		checkTrials(t, p, c.Sampling.Control)
		checkBlocks(t, p)
		checkTurns(t, p)
		if again := expand(t, c); encode(t, again) != encode(t, p) {
			t.Fatal("the same configuration and seed give other bytes")
		}
	}
}

// checkTrials: every arm that belongs to a cell runs in every block, once.
func checkTrials(t *testing.T, p *plan.Plan, control config.Control) {
	t.Helper()
	seen := map[[3]int]bool{}
	ids := map[string]bool{}
	for i, trial := range p.Trials {
		key := [3]int{trial.Arm, trial.Cell, trial.Block}
		if seen[key] || ids[trial.ID] {
			t.Fatalf("%s runs twice", trial.ID)
		}
		seen[key], ids[trial.ID] = true, true
		if want := fmt.Sprintf("b%02d.c%04d.%s", trial.Block, trial.Cell, p.Arms[trial.Arm].Name); trial.ID != want {
			t.Fatalf("ID %q, want %q", trial.ID, want)
		}
		if trial.Order != i {
			t.Fatalf("%s is in place %d and says %d", trial.ID, i, trial.Order)
		}
	}
	for a, arm := range p.Arms {
		isControl := strings.HasSuffix(arm.Name, plan.ControlSuffix)
		if isControl != (arm.ControlOf != "") || isControl && arm.ControlOf != p.Baseline {
			t.Fatalf("arm %+v", arm)
		}
		for c := range p.Cells {
			for b := range p.Blocks {
				want := !isControl || control == config.ControlAll || control == config.ControlOne && c == 0
				if seen[[3]int{a, c, b}] != want {
					t.Fatalf("%s in cell %d, block %d: %v, want %v", arm.Name, c, b, !want, want)
				}
			}
		}
	}
}

// checkBlocks: blocks come one after the other, and within a block a cell's
// arms back to back.
func checkBlocks(t *testing.T, p *plan.Plan) {
	t.Helper()
	left := map[[2]int]bool{} // cells of a block that were left for another
	for i := 1; i < len(p.Trials); i++ {
		was, is := p.Trials[i-1], p.Trials[i]
		if is.Block < was.Block {
			t.Fatalf("%s comes after %s", is.ID, was.ID)
		}
		if is.Block != was.Block || is.Cell != was.Cell {
			left[[2]int{was.Block, was.Cell}] = true
		}
		if left[[2]int{is.Block, is.Cell}] {
			t.Fatalf("%s: another cell came between its arms", is.ID)
		}
	}
}

// checkTurns: from block to block a cell's arms change their order to the
// reverse. So over two blocks no arm has a better mean place than another, and
// with two arms each has had every place.
func checkTurns(t *testing.T, p *plan.Plan) {
	t.Helper()
	turns := map[[2]int][]int{} // arms in order, by cell and block
	for _, trial := range p.Trials {
		key := [2]int{trial.Cell, trial.Block}
		turns[key] = append(turns[key], trial.Arm)
	}
	for c := range p.Cells {
		for b := 1; b < p.Blocks; b++ {
			before, now := turns[[2]int{c, b - 1}], turns[[2]int{c, b}]
			reversed := slices.Clone(now)
			slices.Reverse(reversed)
			if !slices.Equal(before, reversed) {
				t.Fatalf("cell %d: block %d has %v after %v", c, b, now, before)
			}
			checkNeighbours(t, p, now)
			for _, arm := range now {
				if sum := slices.Index(before, arm) + slices.Index(now, arm); sum != len(now)-1 {
					t.Fatalf("cell %d: arm %d has a mean place of %v/2 in blocks %d and %d", c, arm, sum, b-1, b)
				}
			}
		}
	}
}

// checkNeighbours: the baseline has as many candidates before it as after it, or one
// more on one side, and no null control is between a candidate and it.
func checkNeighbours(t *testing.T, p *plan.Plan, turn []int) {
	t.Helper()
	base := slices.IndexFunc(turn, func(a int) bool { return p.Arms[a].Name == p.Baseline })
	sides := [2]int{}
	for at, a := range turn {
		switch {
		case at == base:
		case p.Arms[a].ControlOf != "":
			if at != 0 && at != len(turn)-1 {
				t.Fatalf("%v: the control stands at %d, the baseline at %d", turn, at, base)
			}
		case at < base:
			sides[0]++
		default:
			sides[1]++
		}
	}
	if d := sides[0] - sides[1]; d < -1 || d > 1 {
		t.Fatalf("%v: %d candidates before the baseline, %d after it", turn, sides[0], sides[1])
	}
	if len(turn) == 3 && sides[0]+sides[1] == 1 && base != 1 {
		t.Fatalf("%v: of three arms the baseline is not in the middle", turn)
	}
}

// TestStartsAreRandom counts over 2000 seeds. The bands are five standard
// deviations wide; the seeds are fixed, so the outcome is.
func TestStartsAreRandom(t *testing.T) {
	const seeds = 2000
	baseFirst := make([]int, 4)  // by cell, in block 0
	cellFirst := make([]int, 16) // by block and cell
	bothStart := 0               // cells 0 and 1 begin with the same arm
	sameOrder := 0               // blocks 0 and 1 visit the cells alike
	c := study()
	c.Sampling.Control = config.ControlNone
	for seed := range uint64(seeds) {
		c.Sampling.Seed = seed + 1
		p := expand(t, c)
		first := make([]int, 4)
		visits := make([][]int, 4)
		for i, trial := range p.Trials {
			if i%2 == 0 { // the first arm of its cell
				visits[trial.Block] = append(visits[trial.Block], trial.Cell)
				if trial.Block == 0 {
					first[trial.Cell] = trial.Arm
				}
			}
		}
		for cell, arm := range first {
			baseFirst[cell] += 1 - arm
		}
		for b, cells := range visits {
			cellFirst[4*b+cells[0]]++
		}
		if first[0] == first[1] {
			bothStart++
		}
		if slices.Equal(visits[0], visits[1]) {
			sameOrder++
		}
	}
	near := func(what string, count int, p float64) {
		t.Helper()
		mean, variance := seeds*p, seeds*p*(1-p)
		if d := float64(count) - mean; d*d > 25*variance {
			t.Errorf("%s: %d of %d, want about %.0f", what, count, seeds, mean)
		}
	}
	for cell, n := range baseFirst {
		near(fmt.Sprintf("base begins cell %d", cell), n, 0.5)
	}
	for i, n := range cellFirst {
		near(fmt.Sprintf("block %d begins with cell %d", i/4, i%4), n, 0.25)
	}
	near("two cells begin with the same arm", bothStart, 0.5)
	near("two blocks visit the cells alike", sameOrder, 1.0/24)
}

func TestSeedsDiffer(t *testing.T) {
	orders := map[string]uint64{}
	for seed := range uint64(100) {
		c := study()
		c.Sampling.Seed = seed + 1
		p := expand(t, c)
		if p.Seed != seed+1 {
			t.Fatalf("seed %d became %d", seed+1, p.Seed)
		}
		order := encode(t, p.Trials)
		if other, ok := orders[order]; ok {
			t.Errorf("seeds %d and %d give the same order", other, seed+1)
		}
		orders[order] = seed + 1
	}
}

// Two arms of a block differ in their padding as any two trials do: padding that
// followed the block would shift both alike, block after block.
func TestPaddingDiffersWithinABlock(t *testing.T) {
	c := study()
	c.Sampling.Blocks = 9
	p := expand(t, c)
	same, pairs := 0, 0
	for i, a := range p.Trials {
		for _, b := range p.Trials[:i] {
			if a.Block == b.Block && a.Cell == b.Cell {
				pairs++
				if p.Padding(a) == p.Padding(b) {
					same++
				}
			}
		}
	}
	if pairs < 9 || 20*same > pairs {
		t.Errorf("%d of %d pairs of one block have one padding", same, pairs)
	}
}
