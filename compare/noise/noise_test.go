package noise_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/noise"
)

// A machine varies by these standard deviations of logs.
type machine struct {
	session, block, process, repetition float64
	sessions, blocks, repetitions       int
	control                             bool
}

// runs are sessions of two cells with a test each; a trial takes 2 s to start
// and 512/1000 s a repetition.
func (m machine) runs(seed uint64) []*record.Run {
	rng := rand.New(rand.NewPCG(seed, 1))
	var runs []*record.Run
	for i := range m.sessions {
		run := &record.Run{
			Schema: record.Schema, ID: fmt.Sprintf("run-%d", i), Baseline: "build",
			Host: record.Host{Name: "bench1", Hard: map[string]string{"cpu": "a processor"}},
			Plan: record.Plan{Blocks: m.blocks, Repetitions: m.repetitions},
			Arms: []record.Arm{{Name: "build", Build: record.Build{Commit: "abc"}}},
		}
		if m.control {
			run.Arms = append(run.Arms, record.Arm{Name: "build~control", ControlOf: "build", Build: record.Build{Commit: "abc"}})
		}
		for c := range 2 {
			params := map[string]string{"threads": fmt.Sprint(c + 1)}
			cell := record.Cell{
				Key: record.CellKey("bench", "tiny", params), Workload: "bench", Model: "tiny", Params: params,
				Metrics: []record.Metric{record.Test{Prompt: 512}.Metric()},
			}
			run.Cells = append(run.Cells, cell)
			session := m.session * rng.NormFloat64()
			for b := range m.blocks {
				block := m.block * rng.NormFloat64()
				for _, arm := range run.Arms {
					process := m.process * rng.NormFloat64()
					var values []float64
					for range m.repetitions {
						values = append(values, 1000*math.Exp(session+block+process+m.repetition*rng.NormFloat64()))
					}
					run.Trials = append(run.Trials, record.Trial{
						ID: fmt.Sprintf("b%d.c%d.%s", b, c, arm.Name), Arm: arm.Name, Cell: cell.Key, Block: b, Order: len(run.Trials), Outcome: record.OK,
						Seconds: 2 + float64(m.repetitions)*0.512, Measurements: []record.Measurement{{Metric: "pp512", Values: values}},
					})
				}
			}
		}
		runs = append(runs, run)
	}
	return runs
}

func near(t *testing.T, what string, got, want, by float64) {
	t.Helper()
	if !(math.Abs(got-want) <= by) {
		t.Errorf("%s is %.4f, want %.4f within %.4f", what, got, want, by)
	}
}

// What went into simulated sessions comes out again.
func TestComponentsOfAKnownMachine(t *testing.T) {
	m := machine{session: 0.03, block: 0.01, process: 0.008, repetition: 0.005, sessions: 60, blocks: 20, repetitions: 5, control: true}
	r, err := noise.Of(m.runs(1), noise.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Series) != 2 || r.Trials != 2*60*20*2 || r.Machine != "bench1" || len(r.Builds) != 1 {
		t.Fatalf("%d series of %d trials on %s, builds %v", len(r.Series), r.Trials, r.Machine, r.Builds)
	}
	for _, s := range r.Series {
		near(t, "session", s.Session, 0.03, 0.009) // 59 degrees of freedom
		near(t, "process", s.Process, math.Hypot(0.01, 0.008), 0.0012)
		near(t, "repetition", s.Repetition, 0.005, 0.0003)
		// The blocks' own spread falls out of the pairs. Of five normal values the
		// median varies more than the mean, by 1.198 in the standard deviation.
		near(t, "pair", s.Pair, math.Sqrt2*math.Hypot(0.008, 1.198*0.005/math.Sqrt(5)), 0.0008)
		near(t, "start", s.Start, 2, 0.05)
		near(t, "pass", s.Pass, 0.512, 0.03)
		if s.KaliberaJones != 2 { // √(2/0.512) · 0.005/0.008 = 1.24
			t.Errorf("Kalibera and Jones's rule gives %d repetitions, want 2", s.KaliberaJones)
		}
		if s.Level < 900 || s.Level > 1100 || s.SessionDF != 59 || s.PairDF != 60*19 {
			t.Errorf("%+v", s)
		}
	}
}

// The proposal keeps its budget, and at its margins unchanged cells are shown to
// be equal as often as it says.
func TestProposalHolds(t *testing.T) {
	m := machine{block: 0.02, process: 0.01, repetition: 0.02, sessions: 4, blocks: 40, repetitions: 5, control: true}
	r, err := noise.Of(m.runs(2), noise.Options{Budget: 600})
	if err != nil {
		t.Fatal(err)
	}
	p := r.Proposal
	if !p.Fits || p.Seconds > 600 || p.Seconds < 400 || p.Blocks%2 != 0 || p.Repetitions < 2 {
		t.Fatalf("proposal %+v", p)
	}
	if len(p.Margins) != 1 || p.Margins[0].Finds <= p.Margins[0].Margin {
		t.Fatalf("margins %+v", p.Margins)
	}
	longer, err := noise.Of(m.runs(2), noise.Options{Budget: 6000})
	if err != nil || longer.Proposal.Margins[0].Margin >= p.Margins[0].Margin {
		t.Errorf("ten times the time: margins %+v, before %+v", longer.Proposal.Margins, p.Margins)
	}

	margin, shown := p.Margins[0].Margin, 0
	const draws = 300
	for i := range draws {
		m := m
		m.sessions, m.blocks, m.repetitions = 1, p.Blocks, p.Repetitions
		run := m.runs(uint64(100 + i))[0]
		if equivalent(run, margin) {
			shown++
		}
	}
	if share := float64(shown) / draws; share < 0.72 || share > 0.97 { // 80 % and what rounding up and the upper limit add
		t.Errorf("shown to be equal in %.2f of draws", share)
	}
}

// Few blocks that happen to show nothing of the processes are no reason to plan
// for repetitions alone.
func TestProposalOfLittleKnowledge(t *testing.T) {
	few := machine{repetition: 0.02, sessions: 1, blocks: 6, repetitions: 2, control: true}
	many := few
	many.blocks = 400
	a, errA := noise.Of(few.runs(7), noise.Options{})
	b, errB := noise.Of(many.runs(7), noise.Options{})
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if a.Proposal.Margins[0].Margin <= b.Proposal.Margins[0].Margin {
		t.Errorf("6 blocks promise a margin of %v, 400 blocks one of %v", a.Proposal.Margins[0].Margin, b.Proposal.Margins[0].Margin)
	}
}

// Few sessions, few blocks, no budget, spoilt trials: each is said.
func TestWarnings(t *testing.T) {
	m := machine{process: 0.01, repetition: 0.01, sessions: 1, blocks: 3, repetitions: 2, control: true}
	runs := m.runs(3)
	runs[0].Trials[0].Disturbed = []string{"noise"}
	other := m.runs(4)[0]
	other.Arms[0].Build.Commit, other.Host.Hard = "def", map[string]string{"cpu": "another"}
	for _, c := range []struct {
		runs []*record.Run
		want []string
	}{
		{runs, []string{"one session cannot tell", "1 trials were left out", "the budget has no room for 6 blocks", "the spread is hardly known"}},
		{[]*record.Run{runs[0], other}, []string{"different machines: cpu", "measured 2 builds", "2 sessions, all of one time"}},
	} {
		r, err := noise.Of(c.runs, noise.Options{Budget: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(strings.Join(r.Warnings, "\n"), want) {
				t.Errorf("want %q among %q", want, r.Warnings)
			}
		}
	}
	m.blocks, m.control = 1, false
	if r, err := noise.Of(m.runs(5), noise.Options{}); err == nil {
		t.Errorf("one trial tells %+v", r.Series)
	}
	merged := m.runs(5)
	merged[0].Parts = make([]record.Part, 2)
	if _, err := noise.Of(merged, noise.Options{}); err == nil || !strings.Contains(err.Error(), "several machines") {
		t.Errorf("a merged record: %v", err)
	}
}

// Without a control the spread of a trial has to do, blocks included.
func TestWithoutControl(t *testing.T) {
	m := machine{block: 0.02, process: 0.01, repetition: 0.001, sessions: 20, blocks: 20, repetitions: 3}
	r, err := noise.Of(m.runs(6), noise.Options{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "pair", r.Series[0].Pair, math.Sqrt2*math.Hypot(0.02, 0.01), 0.004)
}

// equivalent says what a gate with that margin would.
func equivalent(run *record.Run, margin float64) bool {
	policy := compare.DefaultPolicy()
	policy.Margins[record.Throughput] = compare.Margin{Value: margin}
	return compare.Run(run, policy).Controls[0].Verdict == compare.Equivalent
}
