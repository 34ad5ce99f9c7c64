package stats

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/llama-regress/llama-regress/fixtures/effort"
)

func sessionsOf(n float64, successes ...float64) (sessions [][]Count) {
	for _, k := range successes {
		sessions = append(sessions, []Count{{k, n}})
	}
	return sessions
}

// Bayes factors by scipy 1.17.1, with ev(K, N) = betaln(K+.5, N-K+.5) - betaln(.5, .5):
// P is 1/mean(exp(ev(left)+ev(right)-ev(all))) over the five places, 4.99348e-09,
// and 99.87 % of the evidence is for the step before the seventh session.
func TestRateChanges(t *testing.T) {
	sessions := sessionsOf(20, 20, 20, 19, 20, 20, 20, 14, 12, 15, 13)
	got := RateChanges(sessions, 0, ChangeRule{Alpha: .01, Margin: .02})
	if len(got) != 1 {
		t.Fatalf("have %+v", got)
	}
	c := got[0]
	if c.At != 6 || c.First != 6 || c.Last != 6 || c.Before != (Count{119, 120}) || c.After != (Count{54, 80}) {
		t.Errorf("have %+v", c)
	}
	expectClose(t, "p", []float64{c.P / 4.993482983264387e-09}, []float64{1}, 1e-6)

	// The same requests in trials say the same when they are independent, and
	// less when they are not.
	split := make([][]Count, len(sessions))
	for i, s := range sessions {
		split[i] = []Count{{math.Floor(s[0].K / 2), 10}, {math.Ceil(s[0].K / 2), 10}}
	}
	inTrials := RateChanges(split, 0, ChangeRule{Alpha: .01})
	expectClose(t, "p in trials", []float64{inTrials[0].P / c.P}, []float64{1}, 1e-6)
	if dependent := RateChanges(split, .2, ChangeRule{Alpha: .01}); len(dependent) != 1 || dependent[0].P < 10*c.P {
		t.Errorf("with rho .2: have %+v", dependent)
	}
}

func TestRateChangesThatDoNotCount(t *testing.T) {
	drop := sessionsOf(100, 99, 98, 100, 99, 98, 99, 93, 92, 91, 93, 92)
	if got := RateChanges(drop, 0, ChangeRule{Alpha: .01, Margin: .02}); len(got) != 1 || got[0].At != 6 {
		t.Errorf("a drop of 6 points: have %+v", got)
	}
	if got := RateChanges(drop, 0, ChangeRule{Alpha: .01, Margin: .08}); got != nil {
		t.Errorf("a drop within the margin: have %+v", got)
	}
	if got := RateChanges(drop[:8], 0, ChangeRule{Alpha: .01}); got != nil && got[0].At == 6 {
		t.Errorf("two sessions after: have %+v", got)
	}
	recovered := append(sessionsOf(100, 99, 98, 100, 99, 98, 99, 80, 82, 81), sessionsOf(100, 99, 99, 98, 99)...)
	if got := RateChanges(recovered, 0, ChangeRule{Alpha: .01, Margin: .02}); len(got) != 2 || got[0].At != 6 || got[1].At != 9 {
		t.Errorf("a drop and its repair: have %+v", got)
	}
}

// Without a change, whatever the rate, at most Level of series have an alarm.
func TestRateChangeFalseAlarms(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 1))
	series, alarms := effort.Draws(400, 60), 0
	for range series {
		rate := 1 - .2*rng.Float64()*rng.Float64()
		sessions := make([][]Count, 24)
		for i := range sessions {
			for range 3 {
				sessions[i] = append(sessions[i], Count{K: betaBinomialDraw(rng, 30, rate, .05), N: 30})
			}
		}
		if RateChanges(sessions, .05, ChangeRule{Alpha: .05}) != nil {
			alarms++
		}
	}
	if share := float64(alarms) / float64(series); share > .05+3*math.Sqrt(.05*.95/float64(series)) {
		t.Errorf("alarm in %v of series, want at most .05", share)
	}
}

func TestRateChangesAtTheEdges(t *testing.T) {
	rule := ChangeRule{Alpha: .05}
	for name, sessions := range map[string][][]Count{
		"none":          nil,
		"five":          sessionsOf(20, 20, 20, 0, 0, 0),
		"all succeed":   sessionsOf(20, 20, 20, 20, 20, 20, 20, 20),
		"all fail":      sessionsOf(20, 0, 0, 0, 0, 0, 0, 0),
		"nothing known": make([][]Count, 12),
	} {
		if got := RateChanges(sessions, .01, rule); got != nil {
			t.Errorf("%s: have %+v", name, got)
		}
	}
	got := RateChanges(sessionsOf(20, 20, 20, 20, 0, 0, 0), .01, rule)
	if len(got) != 1 || got[0].At != 3 || !(got[0].P > 0) {
		t.Errorf("from all to none: have %+v", got)
	}
	// A missing session is nowhere.
	gap := append(sessionsOf(20, 20, 20, 20), append([][]Count{nil, nil}, sessionsOf(20, 0, 0, 0)...)...)
	if got := RateChanges(gap, .01, rule); len(got) != 1 || got[0].Before != (Count{60, 60}) || got[0].After != (Count{0, 60}) || got[0].First > 3 || got[0].Last < 5 {
		t.Errorf("with a gap: have %+v", got)
	}
	if !reflect.DeepEqual(RateChanges(gap, .01, rule), RateChanges(gap, .01, ChangeRule{Alpha: .05, Seed: 9})) {
		t.Error("the seed matters")
	}
	const prefix = "stats: RateChanges: "
	expectPanic(t, prefix, func() { RateChanges(nil, -.1, rule) })
	expectPanic(t, prefix, func() { RateChanges(nil, 0, ChangeRule{}) })
	expectPanic(t, prefix, func() { RateChanges(sessionsOf(2, 3), 0, rule) })
	expectPanic(t, prefix, func() { RateChanges(sessionsOf(0, 0), 0, rule) })
	expectPanic(t, prefix, func() { RateChanges(sessionsOf(2, math.NaN()), 0, rule) })
}

// Budget: 100 ms for a year of nights with 6 trials each.
func BenchmarkRateChanges(b *testing.B) {
	rng := rand.New(rand.NewPCG(11, 2))
	sessions := make([][]Count, 365)
	for i := range sessions {
		for range 6 {
			sessions[i] = append(sessions[i], Count{K: betaBinomialDraw(rng, 100, .97, .05), N: 100})
		}
	}
	for b.Loop() {
		RateChanges(sessions, .05, ChangeRule{Alpha: 1e-4, Margin: .02})
	}
}

// betaBinomialDraw draws by the urn of Pólya: each request repeats an earlier
// one with a chance that grows with rho.
func betaBinomialDraw(rng *rand.Rand, n int, rate, rho float64) float64 {
	a, b, k := rate*(1-rho)/rho, (1-rate)*(1-rho)/rho, 0.0
	for i := range n {
		if rng.Float64() < (a+k)/(a+b+float64(i)) {
			k++
		}
	}
	return k
}
