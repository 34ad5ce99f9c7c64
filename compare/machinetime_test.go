package compare_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// How long a machine takes to a correct verdict: adaptive runs and runs in two
// stages against the same number of blocks for every cell, on matrices of known
// truth, by the judgement and the stopping that users get.
var writeMachineTime = flag.Bool("machinetime.full", false, "measure machine time in full and write stats/MACHINE-TIME.md")

const (
	machineTimeDocument = "../stats/MACHINE-TIME.md"
	machineTimeVersions = "Version: "
	matrixCells         = 100
	fixedBlocks         = 20
	lostShare           = -0.04
	mostTime            = 0.45 // of that of the fixed blocks, at the same power and error
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

// An outcomeOf is what became of one simulated matrix.
type outcomeOf struct {
	found, falsely bool // the loss was called; an unchanged cell was
	equivalent     int  // unchanged cells shown to be
	trials         int  // of all arms, the null control among them
}

// measureMatrix draws a matrix and measures it as a runner would: it asks the
// decider at every look and leaves out what stopped. The control in the first
// cell costs its time and is not drawn.
func measureMatrix(l layout, policy compare.Policy, s simulation, rng *rand.Rand) outcomeOf {
	stages := l.sampling.Stages(s.cells, 1)
	s.blocks = stages.Blocks
	whole := s.session(rng)
	whole.Plan.Screen, whole.Plan.Looks = stages.Screen, stages.Looks
	byBlock := make([][]record.Trial, stages.Blocks)
	for _, t := range whole.Trials {
		byBlock[t.Block] = append(byBlock[t.Block], t)
	}
	at := []int{}
	if stages.Screen > 0 {
		at = append(at, stages.Screen)
	}
	for _, n := range stages.Looks {
		at = append(at, stages.Screen+n)
	}
	if len(at) == 0 || at[len(at)-1] < stages.Blocks {
		at = append(at, stages.Blocks)
	}
	run := *whole
	run.Trials = nil
	stopped, open, trials, measured := make(map[string]bool), len(whole.Cells), 0, 0
	for _, end := range at {
		if open == 0 {
			break
		}
		control := 1
		if stopped[whole.Cells[0].Key] {
			control = 2 // and its baseline
		}
		trials += (end - measured) * (2*open + control)
		for ; measured < end; measured++ {
			for _, t := range byBlock[measured] {
				if !stopped[t.Cell] {
					run.Trials = append(run.Trials, t)
				}
			}
		}
		if end == stages.Blocks {
			break
		}
		var due []record.Look
		for _, c := range whole.Cells {
			if !stopped[c.Key] {
				due = append(due, record.Look{Cell: c.Key, Blocks: end})
			}
		}
		for _, look := range (compare.Decider{Policy: policy}).Look(&run, due) {
			if look.Stop != "" {
				stopped[look.Cell] = true
				open--
			}
		}
	}
	o := outcomeOf{trials: trials}
	for i, c := range compare.Run(&run, policy).Comparisons {
		switch {
		case i == 0:
			o.found = c.Verdict == compare.Regression
		case c.Verdict == compare.Regression:
			o.falsely = true
		case c.Verdict == compare.Equivalent:
			o.equivalent++
		}
	}
	return o
}

// TestMachineTime: two stages come to the verdicts that 20 blocks of every cell
// come to, with no more error, in at most 45 % of the time.
func TestMachineTime(t *testing.T) {
	draws, margins, sigmas, edges, ways := 20, []float64{0.03}, []float64{0.01, 0.025}, 0, layouts()
	switch {
	case *writeMachineTime:
		draws, margins, sigmas, edges = 200, []float64{0.03, 0.02}, []float64{0.01, 0.015, 0.025}, 400
	case testing.Short(), raceEnabled:
		draws, sigmas = 6, []float64{0.015}
	}
	if !*writeMachineTime {
		ways = slices.DeleteFunc(ways, func(l layout) bool { return !l.held && l.sampling.Blocks != fixedBlocks })
	}
	var body strings.Builder
	for _, share := range margins {
		policy := compare.DefaultPolicy()
		policy.Margins = map[string]compare.Margin{record.Throughput: {Value: share}}
		tab := table{head: []string{"differences vary by", "blocks", "the loss is called", "an unchanged cell is called lost", "unchanged cells shown to be equivalent", "machine time"}}
		for _, sigma := range sigmas {
			s := exactly(sigma, 0)
			s.cells, s.change = matrixCells, firstCell(loss(lostShare))
			var fixed outcomesOf
			for i, l := range ways {
				got := outcomesOf(simulate(fmt.Sprintf("time %g %g %s", share, sigma, l.name), draws, func(rng *rand.Rand) outcomeOf {
					return measureMatrix(l, policy, s, rng)
				}))
				if i == 0 {
					fixed = got
				}
				time := float64(got.trials()) / float64(fixed.trials())
				tab.rows = append(tab.rows, []string{fmt.Sprintf("%.1f %%", 100*sigma), l.name, percent(got.found()), percent(got.falsely()), percent(got.equivalent()), percent(time)})
				slack := 3 * math.Sqrt(2*0.25/float64(draws))
				if l.held && (time > mostTime || got.found() < fixed.found()-slack) {
					t.Errorf("margin %g, sigma %g, %s: %.1f %% of the time, the loss found in %.3f of runs, with fixed blocks in %.3f", share, sigma, l.name, 100*time, got.found(), fixed.found())
				}
				if worst := (finding{hits: got.falses(), draws: draws, limit: policy.Alpha, nominal: true}); !worst.passes(false) {
					t.Errorf("margin %g, sigma %g, %s: an unchanged cell is called in %d of %d runs", share, sigma, l.name, got.falses(), draws)
				}
			}
		}
		fmt.Fprintf(&body, "## Margin %g %%: one of %d cells lost %g %%\n\n", 100*share, matrixCells, -100*lostShare)
		writeTable(&body, tab)
	}
	if edges > 0 {
		fmt.Fprintf(&body, "## The error where it is largest: every cell lost just the margin of 3 %%\n\nShare of runs in which any of the %d cells is called a regression, which none is; at most 5 %% is promised.\n\n", matrixCells)
		tab := table{head: []string{"differences vary by", "blocks", "some cell is called"}}
		for _, sigma := range []float64{sigmas[0], sigmas[len(sigmas)-1]} {
			for _, l := range ways {
				s := exactly(sigma, 0)
				s.cells, s.change = matrixCells, always(-lambda)
				hits := count(fmt.Sprintf("time edge %g %s", sigma, l.name), edges, func(rng *rand.Rand) bool {
					o := measureMatrix(l, defaults, s, rng)
					return o.found || o.falsely
				})
				f := finding{gate: "machine time", name: l.name, hits: hits, draws: edges, limit: defaults.Alpha, nominal: true}
				if !f.keepsBound() {
					t.Error(f)
				}
				tab.rows = append(tab.rows, []string{fmt.Sprintf("%.1f %%", 100*sigma), l.name, percent(f.rate())})
			}
		}
		writeTable(&body, tab)
	}
	if *writeMachineTime {
		text := fmt.Sprintf(machineTimeIntroduction, runtime.Version(), runtime.GOOS, runtime.GOARCH, draws, edges) + body.String()
		text = "# Machine time\n\n" + machineTimeVersions + fingerprint(text) + "\n\n" + text
		if err := os.WriteFile(machineTimeDocument, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const machineTimeIntroduction = `Generated by
` + "`go test ./compare -run '^TestMachineTime$' -machinetime.full -timeout 2h`" + `; every figure is measured, none is typed.

%s, %s/%s. What adaptive runs and runs in two stages cost, and what they find, beside 20 blocks of every cell: %d simulated
matrices a row, %d where the error is largest, judged and stopped by the code that users get, the default policy but for the
margin. Time counts trials, those of the null control in the first cell included.

- **The loss is called** is the power: how often the one cell that lost is called a regression.
- Two stages screen every cell with 6 blocks. Those without a sign of a loss stop there: what is not shown to be equivalent by
  then stays inconclusive, and is none of the suspicious ones. Where the noise is large beside the margin, that is the price.
- One adaptive stage holds every cell to the error of all its looks. It shows equivalence for most cells at the first or the
  second, and spends its time where that cannot be shown.

`

// Outcomes of several draws.
type outcomesOf []outcomeOf

func (os outcomesOf) found() float64 {
	return float64(howMany(os, func(o outcomeOf) bool { return o.found })) / float64(len(os))
}

func (os outcomesOf) falses() int { return howMany(os, func(o outcomeOf) bool { return o.falsely }) }

func (os outcomesOf) falsely() float64 { return float64(os.falses()) / float64(len(os)) }

func (os outcomesOf) equivalent() float64 {
	n := 0
	for _, o := range os {
		n += o.equivalent
	}
	return float64(n) / float64(len(os)*(matrixCells-1))
}

func (os outcomesOf) trials() int {
	n := 0
	for _, o := range os {
		n += o.trials
	}
	return n
}

func percent(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) }

// The stored document is what the generator wrote.
func TestMachineTimeIsGenerated(t *testing.T) {
	data, err := os.ReadFile(machineTimeDocument)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), machineTimeVersions)
	version, text, _ := strings.Cut(rest, "\n\n")
	if !ok || version != fingerprint(text) {
		t.Errorf("%s says version %q, its text has %q: generate it instead of editing it", machineTimeDocument, version, fingerprint(text))
	}
}
