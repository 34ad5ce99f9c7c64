package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"gonum.org/v1/gonum/stat/distuv"
)

// nights makes sessions of one arm whose means differ by sd, the last of them
// changed by change.
func nights(n, cells int, sd, change float64, seed uint64) (past []Selection, head Selection) {
	rng := rand.New(rand.NewPCG(seed, 2))
	for i := range n + 1 {
		s := session{arms: []string{"main"}, blocks: 6, noise: 0.005, cells: cells, seed: seed + uint64(i)}
		run := s.run()
		byCell := make(map[string]float64)
		for _, c := range run.Cells {
			byCell[c.Key] = math.Exp(sd * rng.NormFloat64())
			if i == n {
				byCell[c.Key] *= 1 + change
			}
		}
		for _, trial := range run.Trials {
			multiply(trial.Measurements[0].Values, byCell[trial.Cell])
		}
		if i == n {
			return past, Selection{run, "main"}
		}
		past = append(past, Selection{run, "main"})
	}
	panic("unreachable")
}

func TestHistory(t *testing.T) {
	tests := []struct {
		name            string
		sessions, cells int
		sd, change      float64
		verdict         Verdict
		reason          ReasonCode
	}{
		{"a tenth lost over twelve quiet nights", 12, 1, 0.01, -0.10, Inconclusive, SuspectedByHistory},
		{"a tenth won", 12, 1, 0.01, 0.10, Improvement, ""},
		{"nothing changed", 12, 1, 0.004, 0, Equivalent, ""},
		{"nights as noisy as the change", 12, 1, 0.10, -0.05, Inconclusive, TooNoisy},
		{"three nights", 3, 1, 0.01, -0.30, Inconclusive, BaselineTooYoung},
		{"five nights of one cell", 5, 1, 0.01, -0.30, Inconclusive, BaselineTooYoung},
		{"five nights of twelve cells, which help one another", 5, 12, 0.01, -0.30, Inconclusive, SuspectedByHistory},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			past, head := nights(tt.sessions, tt.cells, tt.sd, tt.change, 31)
			for _, c := range History(past, head, DefaultPolicy()).Comparisons {
				checkVerdict(t, c, tt.verdict, tt.reason)
				if c.Replicates != tt.sessions {
					t.Errorf("%d sessions counted, want %d", c.Replicates, tt.sessions)
				}
			}
		})
	}
}

func TestHistoryLeavesOtherMachinesOut(t *testing.T) {
	past, head := nights(12, 1, 0.004, 0, 41)
	head.Run.Host.Hard = map[string]string{"cpu": "EPYC"}
	for i, p := range past {
		p.Run.Host.Hard = map[string]string{"cpu": "EPYC"}
		if i < 4 {
			p.Run.Host.Hard["cpu"] = "Xeon"
		}
	}
	if c := History(past, head, DefaultPolicy()).Comparisons[0]; c.Replicates != 8 {
		t.Errorf("%d sessions counted, want the 8 of this machine", c.Replicates)
	}
	head.Run.Host.Hard = map[string]string{"cpu": "M4"}
	checkVerdict(t, History(past, head, DefaultPolicy()).Comparisons[0], Inconclusive, EnvironmentMixed)
	checkVerdict(t, History(nil, head, DefaultPolicy()).Comparisons[0], Inconclusive, NoBaseline)
}

// At the edge of the margin a suspicion is an error; it must stay near the
// level of a single comparison although sessions are few.
func TestHistoryFalseSuspicions(t *testing.T) {
	const runs = 400
	suspected := 0
	for seed := range uint64(runs) {
		past, head := nights(10, 1, 0.03, -0.0291, 1000+100*seed)
		if c := History(past, head, DefaultPolicy()).Comparisons[0]; c.Reason != nil && c.Reason.Code == SuspectedByHistory {
			suspected++
		}
	}
	// 2.5 % of 400 is 10; 20 or more has a chance below 0.3 %.
	if suspected >= 20 {
		t.Errorf("%d of %d sessions at the edge of the margin were suspected", suspected, runs)
	}
}

// rateNights makes sessions of one arm that serve 6 trials of 50 requests each,
// the last with another rate; the rates of sessions, and again of the trials of
// a session, scatter around it by a beta distribution.
func rateNights(n int, rate, last float64, seed uint64) (past []Selection, head Selection) {
	rng := rand.New(rand.NewPCG(seed, 3))
	around := func(p, correlation float64) float64 {
		if p <= 0 || p >= 1 || correlation == 0 {
			return p
		}
		size := 1/correlation - 1
		return distuv.Beta{Alpha: p * size, Beta: (1 - p) * size, Src: rng}.Rand()
	}
	for i := range n + 1 {
		if i == n {
			rate = last
		}
		night := around(rate, 0.01)
		counts := make([]int, 6)
		for b := range counts {
			p := around(night, 0.02)
			for range 50 {
				if rng.Float64() < p {
					counts[b]++
				}
			}
		}
		run := rates(50, counts, counts)
		run.ID = fmt.Sprint("night", i)
		past = append(past, Selection{run, "base"})
	}
	return past[:n], past[n]
}

// Success rates have a history too: of counts, not of logarithms, which a night
// without a success would not have.
func TestHistoryOfRates(t *testing.T) {
	for _, tt := range []struct {
		name       string
		sessions   int
		rate, last float64
		verdict    Verdict
		reason     ReasonCode
	}{
		{"a fifth fails", 12, 1, 0.8, Inconclusive, SuspectedByHistory},
		{"everything fails", 12, 0.99, 0, Inconclusive, SuspectedByHistory},
		{"nothing ever worked", 12, 0, 0, Inconclusive, AllFailed},
		{"three nights", 3, 1, 0.8, Inconclusive, BaselineTooYoung},
		{"five nights", 5, 1, 0.8, Inconclusive, BaselineTooYoung},
	} {
		past, head := rateNights(tt.sessions, tt.rate, tt.last, 7)
		c := History(past, head, DefaultPolicy()).Comparisons[0]
		t.Run(tt.name, func(t *testing.T) { checkVerdict(t, c, tt.verdict, tt.reason) })
		if c.Change == nil || math.Abs(*c.Change-(c.Candidate.Estimate-c.Baseline.Estimate)) > 1e-12 || c.Replicates != tt.sessions {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
	const runs = 400
	suspected := 0
	for seed := range uint64(runs) {
		past, head := rateNights(10, 0.97, 0.95, 1000+seed)
		if c := History(past, head, DefaultPolicy()).Comparisons[0]; c.Reason != nil && c.Reason.Code == SuspectedByHistory {
			suspected++
		}
	}
	if suspected >= 20 { // as TestHistoryFalseSuspicions
		t.Errorf("%d of %d sessions at the edge of the margin were suspected", suspected, runs)
	}
}

// A session of one trial varies more than stored ones of six.
func TestHistoryOfAnotherShape(t *testing.T) {
	const runs = 400
	suspected := 0
	for seed := range uint64(runs) {
		rng := rand.New(rand.NewPCG(seed, 4))
		var sessions []Selection
		for i := range 11 {
			s := session{arms: []string{"main"}, blocks: 6, noise: 0.05, seed: 100*seed + uint64(i)}
			night := math.Exp(0.005 * rng.NormFloat64())
			if i == 10 {
				s.blocks, night = 1, night*math.Exp(-DefaultPolicy().Margins[record.Throughput].Lambda())
			}
			run := s.run()
			for _, trial := range run.Trials {
				multiply(trial.Measurements[0].Values, night)
			}
			sessions = append(sessions, Selection{run, "main"})
		}
		if c := History(sessions[:10], sessions[10], DefaultPolicy()).Comparisons[0]; c.Reason != nil && c.Reason.Code == SuspectedByHistory {
			suspected++
		}
	}
	if suspected >= 20 {
		t.Errorf("%d of %d sessions at the edge of the margin were suspected", suspected, runs)
	}
}

// A stored night without a mean is a missing night; a new one cannot be judged.
func TestHistoryOfCensoredTrials(t *testing.T) {
	censor := func(s Selection) {
		m := &s.Run.Trials[2].Measurements[0]
		m.Values, m.Censored = []float64{60}, true
	}
	past, head := nights(12, 1, 0.004, 0, 51)
	censor(past[3])
	c := History(past, head, DefaultPolicy()).Comparisons[0]
	checkVerdict(t, c, Equivalent, "")
	if c.Replicates != 11 {
		t.Errorf("%d sessions counted, want the 11 that have a mean", c.Replicates)
	}
	censor(head)
	checkVerdict(t, History(past, head, DefaultPolicy()).Comparisons[0], Inconclusive, Censored)
}

// A value of 0 has no logarithm; it must not bring the comparison down.
func TestZeroLatency(t *testing.T) {
	s := session{arms: []string{"base", "head"}, blocks: 6, noise: 0.01, metric: record.Metric{Name: "ttft_p50", Kind: "ttft_p50", Unit: "s", Better: record.Lower}}
	run := s.run()
	for i := range run.Trials[3].Measurements[0].Values {
		run.Trials[3].Measurements[0].Values[i] = 0
	}
	c := Run(run, DefaultPolicy()).Comparisons[0]
	if c.Replicates != 5 || c.Candidate.Failed != 1 {
		t.Error(fmt.Sprint(c.Replicates, " blocks, ", c.Candidate.Failed, " failed: want 5 and 1"))
	}
}

// A session of another compiler is no history, and the key is named.
func TestHistoryOfAnotherCompiler(t *testing.T) {
	var past []Selection
	for i := range 8 {
		run := session{arms: []string{"base"}, blocks: 4, noise: 0.01, seed: uint64(i + 1)}.run()
		run.Arms[0].Build.Compiler = "GNU 13.2.0 for Linux x86_64"
		past = append(past, Selection{run, "base"})
	}
	head := session{arms: []string{"base"}, blocks: 4, noise: 0.01, seed: 99}.run()
	head.Arms[0].Build.Compiler = "GNU 14.1.0 for Linux x86_64"
	c := History(past, Selection{head, "base"}, DefaultPolicy()).Comparisons[0]
	checkVerdict(t, c, Inconclusive, EnvironmentMixed)
	if len(c.Reason.Keys) != 1 || c.Reason.Keys[0] != "build.compiler" {
		t.Errorf("keys %v", c.Reason.Keys)
	}
	head.Arms[0].Build.Compiler = "GNU 13.3.0 for Linux x86_64"
	if c := History(past, Selection{head, "base"}, DefaultPolicy()).Comparisons[0]; c.Reason != nil && c.Reason.Code == EnvironmentMixed {
		t.Errorf("a patch of the compiler: %+v", c.Reason)
	}
}
