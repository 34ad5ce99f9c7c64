package compare

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A session makes run records of one cell with known truth.
type session struct {
	arms   []string // the first is the baseline; "control" repeats it
	blocks int
	change map[string]float64 // true change of an arm, −0.10 for a tenth slower
	common float64            // sd of what the trials of a block share, as a share
	noise  float64            // sd of a trial, as a share
	metric record.Metric
	cells  int
	seed   uint64
}

func (s session) run() *record.Run {
	rng := rand.New(rand.NewPCG(s.seed, 1))
	if s.metric.Name == "" {
		s.metric = record.Test{Prompt: 512}.Metric()
	}
	run := &record.Run{Schema: record.Schema, ID: fmt.Sprint("run", s.seed), Baseline: s.arms[0], Started: time.Unix(0, 0)}
	for _, name := range s.arms {
		arm := record.Arm{Name: name}
		if name == "control" {
			arm.ControlOf = run.Baseline
		}
		run.Arms = append(run.Arms, arm)
	}
	for c := range max(1, s.cells) {
		params := map[string]string{"threads": fmt.Sprint(c + 1)}
		cell := record.Cell{Key: record.CellKey("bench", "tiny", params), Workload: "bench", Model: "tiny", Params: params, Metrics: []record.Metric{s.metric}}
		run.Cells = append(run.Cells, cell)
		for b := range s.blocks {
			shared := s.common * rng.NormFloat64()
			for _, arm := range s.arms {
				truth := 1000 * (1 + s.change[arm]) * math.Exp(shared)
				var values []float64
				for range 5 {
					values = append(values, truth*math.Exp(s.noise*rng.NormFloat64()))
				}
				order := len(run.Trials)
				run.Trials = append(run.Trials, record.Trial{
					ID: fmt.Sprint("t", order), Arm: arm, Cell: cell.Key, Block: b, Order: order, Outcome: record.OK,
					Measurements: []record.Measurement{{Metric: s.metric.Name, Values: values}},
				})
			}
		}
	}
	return run
}

// raw splits a session's arms into what two llama-bench files would hold.
func (s session) raw(arm string) *record.Run {
	run := s.run()
	run.ID += arm
	run.Baseline = arm
	run.Arms = []record.Arm{{Name: arm}}
	var trials []record.Trial
	for _, t := range run.Trials {
		if t.Arm == arm {
			t.Block = record.NoBlock
			trials = append(trials, t)
		}
	}
	run.Trials = trials
	return run
}

func TestVerdicts(t *testing.T) {
	latency := record.Metric{Name: "ttft_p50", Kind: "ttft_p50", Unit: "s", Better: record.Lower}
	two := []string{"base", "head"}
	tests := []struct {
		name    string
		session session
		verdict Verdict
		reason  ReasonCode
	}{
		{"a tenth slower", session{arms: two, blocks: 8, change: map[string]float64{"head": -0.10}, common: 0.08, noise: 0.01}, Regression, ""},
		{"a tenth faster", session{arms: two, blocks: 8, change: map[string]float64{"head": 0.10}, common: 0.08, noise: 0.01}, Improvement, ""},
		{"the same, though blocks differ by 8 %", session{arms: two, blocks: 8, common: 0.08, noise: 0.01}, Equivalent, ""},
		{"a latency a tenth higher", session{arms: two, blocks: 8, change: map[string]float64{"head": 0.10}, noise: 0.01, metric: latency}, Regression, ""},
		{"a latency a tenth lower", session{arms: two, blocks: 8, change: map[string]float64{"head": -0.10}, noise: 0.01, metric: latency}, Improvement, ""},
		{"noise as large as the margin", session{arms: two, blocks: 6, noise: 0.15}, Inconclusive, TooNoisy},
		{"one block", session{arms: two, blocks: 1, change: map[string]float64{"head": -0.5}, noise: 0.01}, Inconclusive, TooFewTrials},
		{"three blocks", session{arms: two, blocks: 3, change: map[string]float64{"head": -0.5}, noise: 0.01}, Inconclusive, TooFewTrials},
		{"no noise at all", session{arms: two, blocks: 6}, Equivalent, ""},
		{"no noise and a loss just within the margin", session{arms: two, blocks: 6, change: map[string]float64{"head": -0.029}}, Equivalent, ""},
		{"no noise and a loss just beyond the margin", session{arms: two, blocks: 6, change: map[string]float64{"head": -0.0292}}, Regression, ""},
		{"an unknown metric", session{arms: two, blocks: 6, metric: record.Metric{Name: "joules", Kind: "energy", Unit: "J", Better: record.Lower}}, Inconclusive, NoMargin},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.session.seed = 7
			res := Run(tt.session.run(), DefaultPolicy())
			if len(res.Comparisons) != 1 {
				t.Fatalf("%d comparisons, want 1", len(res.Comparisons))
			}
			checkVerdict(t, res.Comparisons[0], tt.verdict, tt.reason)
		})
	}
}

func checkVerdict(t *testing.T, c Comparison, want Verdict, reason ReasonCode) {
	t.Helper()
	if c.Verdict != want {
		t.Errorf("verdict %v (reason %+v, blocks %d, interval %+v), want %v", c.Verdict, c.Reason, c.Replicates, c.Interval, want)
	}
	switch {
	case (c.Verdict == Inconclusive) != (c.Reason != nil):
		t.Errorf("verdict %v with reason %+v: inconclusive alone has a reason", c.Verdict, c.Reason)
	case c.Reason != nil && c.Reason.Code != reason:
		t.Errorf("reason %+v, want %s", *c.Reason, reason)
	}
}

// Raw llama-bench files: what the users try first.
func TestRawFiles(t *testing.T) {
	s := session{arms: []string{"base", "slow"}, change: map[string]float64{"slow": -0.10}, noise: 0.02, seed: 3}
	between := func(blocks int, head string) Comparison {
		s.blocks = blocks
		base := s.raw("base")
		other := s
		other.seed = 4
		return Between(Selection{base, "base"}, Selection{other.raw(head), head}, DefaultPolicy()).Comparisons[0]
	}
	c := between(10, "slow")
	checkVerdict(t, c, Regression, "")
	if c.Method != Unpaired {
		t.Errorf("method %s, want unpaired", c.Method)
	}
	checkVerdict(t, between(10, "base"), Equivalent, "")
	c = between(1, "slow")
	checkVerdict(t, c, Inconclusive, TooFewTrials)
	if c.Interval != nil || c.Reason.Have != 1 || c.Reason.Need != firstBlocks {
		t.Errorf("interval %+v, reason %+v: want none, 1 trial and %d needed", c.Interval, c.Reason, firstBlocks)
	}
}

func TestTwoSessionsGiveNoVerdict(t *testing.T) {
	s := session{arms: []string{"base"}, blocks: 20, noise: 0.001, seed: 1}
	base := s.run()
	s.seed = 2
	s.change = map[string]float64{"base": -0.3}
	c := Between(Selection{base, "base"}, Selection{s.run(), "base"}, DefaultPolicy()).Comparisons[0]
	checkVerdict(t, c, Inconclusive, BaselineTooYoung)
}

func TestOtherMachineIsNotCompared(t *testing.T) {
	s := session{arms: []string{"base"}, blocks: 10, noise: 0.01, seed: 1}
	base, head := s.raw("base"), s.raw("base")
	head.ID = "other"
	base.Host.Hard = map[string]string{"cpu": "EPYC", "os": "linux"}
	head.Host.Hard = map[string]string{"cpu": "Xeon", "os": "linux"}
	res := Between(Selection{base, "base"}, Selection{head, "base"}, DefaultPolicy())
	checkVerdict(t, res.Comparisons[0], Inconclusive, EnvironmentMixed)
	want := []Difference{{Key: "host.cpu", Baseline: "EPYC", Candidate: "Xeon", Arm: "base", Hard: true}}
	if diff := cmp.Diff(want, res.Differences); diff != "" {
		t.Error(diff)
	}
}

func TestFailedAndMissing(t *testing.T) {
	s := session{arms: []string{"base", "head"}, blocks: 6, noise: 0.01, seed: 9, cells: 3}
	run := s.run()
	for i := range run.Trials {
		trial := &run.Trials[i]
		if trial.Arm == "head" && trial.Cell == run.Cells[0].Key {
			trial.Outcome, trial.Failure, trial.Measurements = record.Failed, &record.Failure{Class: record.Crashed}, nil
		}
		if trial.Arm == "head" && trial.Cell == run.Cells[1].Key {
			trial.Arm = "base" // the candidate was never run there
			trial.Block += 6
		}
	}
	res := Run(run, DefaultPolicy())
	if len(res.Comparisons) != 3 || res.Unmeasured() != 1 || len(res.Failures) != 6 {
		t.Fatalf("%d comparisons, %d unmeasured, %d failures; want 3, 1 and 6", len(res.Comparisons), res.Unmeasured(), len(res.Failures))
	}
	if c := res.Comparisons[0]; c.Reason == nil || c.Reason.Code != NotMeasured || c.Candidate.Failed != 6 {
		t.Errorf("cell without a candidate's trial: %+v, %d failed", c.Reason, c.Candidate.Failed)
	}
	checkVerdict(t, res.Comparisons[2], Inconclusive, Lost)
	if c := res.Comparisons[2]; c.Cell != run.Cells[1].Key || len(res.Alone) != 0 {
		t.Errorf("lost is %s, alone are %v", c.Cell, res.Alone)
	}
}

// One block in eight was disturbed: the mean would say regression, the ranks
// know better, and so nobody is told anything.
// The largest and the smallest numbers that a record may hold give a result
// that can be written down.
func TestExtremeNumbers(t *testing.T) {
	for _, metric := range []record.Metric{record.Test{Prompt: 512}.Metric(), {Name: record.TTFTp50, Kind: record.TTFTp50, Unit: "s", Better: record.Lower}, {Name: record.SuccessRate, Kind: record.SuccessRate, Unit: "1", Better: record.Higher}, {Name: "x", Kind: "x", Unit: "1", Better: record.Lower}} {
		for _, blocks := range []int{1, 2, 3, 6, 300} {
			for _, values := range [][2]float64{{1e-60, 1e60}, {1e60, 1e-60}, {1e60, 1e60}, {0, 1e60}, {0, 0}, {-1e60, 1e60}} {
				run := session{arms: []string{"base", "head"}, blocks: blocks, metric: metric}.run()
				for i := range run.Trials {
					t := &run.Trials[i]
					v := values[(i+i/4)%2] // either arm has either number
					if metric.Kind == record.SuccessRate {
						v = max(0, min(v, 1))
					}
					if metric.Kind == record.Throughput {
						v = max(v, 1e-60)
					}
					t.Measurements[0].Values = []float64{v}
				}
				if err := run.Validate(); err != nil {
					t.Fatal(err)
				}
				result := Run(run, DefaultPolicy())
				if _, err := json.Marshal(result); err != nil {
					t.Errorf("%s, %d blocks of %v: %v", metric.Name, blocks, values, err)
				}
			}
		}
	}
}

func TestOneWildBlock(t *testing.T) {
	s := session{arms: []string{"base", "head"}, blocks: 8, noise: 0.005, seed: 11}
	run := s.run()
	for i, trial := range run.Trials {
		if trial.Arm == "head" && trial.Block != 3 {
			multiply(run.Trials[i].Measurements[0].Values, 0.955)
		}
		if trial.Arm == "head" && trial.Block == 3 {
			multiply(run.Trials[i].Measurements[0].Values, 1.30)
		}
	}
	c := Run(run, DefaultPolicy()).Comparisons[0]
	if c.Verdict != Inconclusive {
		t.Errorf("verdict %v, want inconclusive", c.Verdict)
	}
}

func multiply(xs []float64, by float64) {
	for i := range xs {
		xs[i] *= by
	}
}

// Swapping the arms mirrors the verdict, scaling the unit and reordering the
// repetitions change nothing.
func TestSymmetries(t *testing.T) {
	mirror := map[Verdict]Verdict{Regression: Improvement, Improvement: Regression, Equivalent: Equivalent, Inconclusive: Inconclusive}
	seen := make(map[Verdict]int)
	for seed := range uint64(60) {
		change := []float64{-0.08, 0, 0.08, 0.03}[seed%4]
		s := session{arms: []string{"base", "head"}, blocks: 7, noise: 0.03, seed: seed, change: map[string]float64{"head": change}}
		plain := Run(s.run(), DefaultPolicy()).Comparisons[0]
		seen[plain.Verdict]++

		swapped := s.run()
		swapped.Baseline = "head"
		c := Run(swapped, DefaultPolicy()).Comparisons[0]
		if c.Verdict != mirror[plain.Verdict] || math.Abs((1+*c.Change)*(1+*plain.Change)-1) > 1e-12 {
			t.Errorf("seed %d: %v by %v becomes %v by %v", seed, plain.Verdict, *plain.Change, c.Verdict, *c.Change)
		}

		scaled := s.run()
		for _, trial := range scaled.Trials {
			vs := trial.Measurements[0].Values
			multiply(vs, 1000)
			vs[0], vs[4] = vs[4], vs[0]
		}
		c = Run(scaled, DefaultPolicy()).Comparisons[0]
		if c.Verdict != plain.Verdict || math.Abs(*c.Change-*plain.Change) > 1e-12 {
			t.Errorf("seed %d: scaling turns %v by %v into %v by %v", seed, plain.Verdict, *plain.Change, c.Verdict, *c.Change)
		}
	}
	for v := range mirror {
		if seen[v] == 0 {
			t.Errorf("no seed gave %v: the test shows nothing about it (%v)", v, seen)
		}
	}
}

// A hundred cells without any change: the family keeps its word.
func TestFamilyOfNulls(t *testing.T) {
	alarms := 0
	for seed := range uint64(40) {
		s := session{arms: []string{"base", "head"}, blocks: 6, noise: 0.04, cells: 25, seed: seed, change: map[string]float64{"head": -0.0291}}
		if Run(s.run(), DefaultPolicy()).Count(Regression) > 0 {
			alarms++
		}
	}
	// At most 5 % of 40 sessions at the edge of the margin, the least
	// favourable case: 6 or more has a chance below 1.5 %.
	if alarms > 5 {
		t.Errorf("%d of 40 sessions on the edge of the margin raised an alarm", alarms)
	}
}
