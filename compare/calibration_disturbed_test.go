package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// A busyMachine disturbs so great a share of each arm's trials, and says so: it
// slows them down by the absolute value of a normal of standard deviation 10 %.
type busyMachine struct {
	name       string
	base, head float64
}

func (m busyMachine) disturb(run *record.Run, rng *rand.Rand) *record.Run {
	for i := range run.Trials {
		trial, share := &run.Trials[i], m.base
		if trial.Arm == "head" {
			share = m.head
		}
		if rng.Float64() >= share {
			continue
		}
		trial.Contaminated = []string{"a busy machine"}
		slower := math.Exp(-0.1 * math.Abs(rng.NormFloat64()))
		for k := range trial.Measurements[0].Values {
			trial.Measurements[0].Values[k] *= slower
		}
	}
	return run
}

// contaminated, CC: what conditions spoilt does not make a loss of just the
// margin a regression, however unevenly they met the arms. Where few trials were
// spoilt, a loss of 10 % is found; and where so few that they were left out, which
// conditions alone decide, the interval holds the truth.
func contaminated(t *testing.T, b *book) {
	tab := table{title: "Contaminated trials", text: "16 blocks; trials and repetitions vary by 1 % each. Share of sessions in which a loss is called, and in which the 95 % interval holds a loss of 5 %; " +
		"and the same of those in which the spoilt trials were left out. Where too many were spoilt for that, all count, and the interval tells of the machine too.",
		head: []string{"trials spoilt, base and head", "margin's edge (−2.91 %)", "−6 %", "−10 %", "coverage", "left out", "coverage then"}}
	for _, m := range []busyMachine{{"none", 0, 0}, {"both arms alike", 0.15, 0.15}, {"mostly the contender", 0.05, 0.30}, {"nearly all", 0.80, 0.80}, {"busiest with one arm", 0.60, 0.90}} {
		called := func(lost float64, draws int) int {
			s := simulation{shape: shapes[0], within: within, between: within, blocks: 16, change: always(lost)}
			return count(fmt.Sprint("CC ", m, lost), draws, func(rng *rand.Rand) bool {
				return judgeOne(m.disturb(s.session(rng), rng), defaults).Verdict == compare.Regression
			})
		}
		edge, six, tenth := called(-lambda, b.cells), called(loss(-0.06), b.matrices), called(loss(-0.10), b.matrices)
		s := simulation{shape: shapes[0], within: within, between: within, blocks: 16, change: always(loss(-0.05))}
		type judged struct{ covered, clean bool }
		all := simulate(fmt.Sprint("CC coverage ", m), b.cells, func(rng *rand.Rand) judged {
			c := judgeOne(m.disturb(s.session(rng), rng), at95())
			return judged{covers(c.Interval, -0.05), c.Baseline.Contaminated+c.Contender.Contaminated == 0 || warns(c, compare.ContaminatedLeftOut)}
		})
		covered, clean := howMany(all, func(j judged) bool { return j.covered }), howMany(all, func(j judged) bool { return j.clean })
		both := howMany(all, func(j judged) bool { return j.covered && j.clean })
		b.hold(t, finding{gate: "CC", name: "edge of the margin: " + m.name, hits: edge, draws: b.cells, limit: defaults.Alpha / 2, nominal: true})
		if m.head < 0.5 {
			b.hold(t, finding{gate: "CC", name: "a loss of 10 %: " + m.name, hits: tenth, draws: b.matrices, limit: 0.80, atLeast: true})
			b.hold(t, finding{gate: "CC", name: "interval: " + m.name, hits: both, draws: clean, limit: 0.94, atLeast: true})
		}
		then := "none left out"
		if clean > 0 {
			then = share(both, clean)
		}
		tab.rows = append(tab.rows, []string{fmt.Sprintf("%s: %g %%, %g %%", m.name, 100*m.base, 100*m.head),
			share(edge, b.cells), share(six, b.matrices), share(tenth, b.matrices), share(covered, b.cells), share(clean, b.cells), then})
	}
	b.tables = append(b.tables, tab)
}

func warns(c compare.Comparison, code compare.WarningCode) bool {
	return slices.ContainsFunc(c.Warnings, func(w compare.Warning) bool { return w.Code == code })
}

var outputTPS = record.Metric{Name: record.OutputTPS, Kind: record.Throughput, Unit: "tok/s", Better: record.Higher}

// withThroughput adds to a session of success counts what was measured of the
// requests that were answered: head's differs by change.
func withThroughput(run *record.Run, rng *rand.Rand, change float64) *record.Run {
	run.Cells[0].Metrics = append(run.Cells[0].Metrics, outputTPS)
	for i := range run.Trials {
		trial := &run.Trials[i]
		speed := within * rng.NormFloat64()
		if trial.Arm == "head" {
			speed += change
		}
		trial.Measurements = append(trial.Measurements, record.Measurement{Metric: outputTPS.Name, Values: []float64{100 * math.Exp(speed)}})
	}
	return run
}

// survivors, CS: a contender that fails a tenth of its requests, and is the
// faster for it with the rest, is not said to be faster or as fast, in 95 % of
// sessions; that it is slower is still seen.
func survivors(t *testing.T, b *book) {
	tab := table{title: "What survivors prove", text: "10 trials of 50 requests, of which 1 % of the baseline's fail. Share of sessions in which the throughput of the answered requests is said to be " +
		"equivalent or better although more requests fail, and in which it is said to be worse where it is, by 10 %.",
		head: []string{"requests that fail more", "correlation", "as fast: called so", "10 % faster: called so", "10 % slower: called so"}}
	for _, more := range []float64{0, 0.05, 0.10, 0.20} {
		for _, correlation := range []float64{0, 0.05, 0.2} {
			s := service{base: 0.99, head: 0.99 - more, correlation: correlation, trials: 10, requests: 50}
			name := fmt.Sprintf("%g %% fail more, correlation %g", 100*more, correlation)
			said := func(change float64, verdicts ...compare.Verdict) int {
				return count(fmt.Sprint("CS ", name, change), b.matrices, func(rng *rand.Rand) bool {
					return slices.Contains(verdicts, compare.Run(withThroughput(s.session(rng), rng, change), defaults).Comparisons[1].Verdict)
				})
			}
			same, faster := said(0, compare.Equivalent, compare.Improvement), said(0.1, compare.Equivalent, compare.Improvement)
			slower := said(loss(-0.1), compare.Regression)
			if more >= 0.10 {
				b.hold(t, finding{gate: "CS", name: "as fast: " + name, hits: same, draws: b.matrices, limit: 0.05, nominal: true})
				b.hold(t, finding{gate: "CS", name: "faster: " + name, hits: faster, draws: b.matrices, limit: 0.05, nominal: true})
			}
			b.hold(t, finding{gate: "CS", name: "slower: " + name, hits: slower, draws: b.matrices, limit: 0.80, atLeast: true})
			tab.rows = append(tab.rows, []string{fmt.Sprintf("%g %%", 100*more), fmt.Sprint(correlation), share(same, b.matrices), share(faster, b.matrices), share(slower, b.matrices)})
		}
	}
	b.tables = append(b.tables, tab)
}
