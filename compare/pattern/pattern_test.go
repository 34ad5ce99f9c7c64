package pattern

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// A load makes up the requests of a trial, all successful, as a closed loop
// sends them: workers at once, every prompt and duration at random.
func load(trial string, n, workers int, rng *rand.Rand) []record.Request {
	rows := make([]record.Request, n)
	for i := range rows {
		slot := rng.IntN(4)
		rows[i] = record.Request{
			Trial: trial, Index: i, Prompt: fmt.Sprintf("%s-%d", trial, i), PromptTokens: 20 + rng.IntN(2000),
			Sent: float64(i/workers) + 0.1*rng.Float64(), Elapsed: 0.5 + rng.Float64(), InFlight: 1 + min(i, rng.IntN(workers)),
			Attempts: 1, Slot: &slot,
		}
	}
	return rows
}

func fail(r *record.Request, class record.RequestFailureClass) {
	r.Failure = &record.RequestFailure{Class: class}
}

// pooled is what a client that keeps its connections meets: a worker's first
// request succeeds, the next finds the connection closed and fails at once.
func pooled(trial string, n, workers int, rng *rand.Rand) []record.Request {
	rows := load(trial, n, workers, rng)
	open := make([]bool, workers)
	for i := range rows {
		worker := i % workers
		if open[worker] {
			rows[i].Connection = record.Connection{Reused: true, Age: 1 + rng.Float64(), Idle: 0.001 * rng.Float64()}
			rows[i].Elapsed = 0.001 * rng.Float64()
			fail(&rows[i], record.StaleConnection)
		}
		open[worker] = !open[worker]
	}
	return rows
}

// Known truths: what made the requests fail is the first finding, with all that
// goes along with it dropped.
func TestFindTruth(t *testing.T) {
	type want struct {
		factor   Factor
		cond     Condition // zero: not compared
		with     [4]int    // failures with, without, successes with, without; zero: not compared
		class    record.RequestFailureClass
		findings int // 0: at least one
	}
	tests := map[string]struct {
		rows func(rng *rand.Rand) []record.Request
		want want
	}{
		"30 requests of a pooling client": {
			func(rng *rand.Rand) []record.Request { return pooled("a", 30, 4, rng) },
			want{ConnectionReused, Condition{Op: AtLeast, Value: 1}, [4]int{14, 0, 0, 16}, record.StaleConnection, 1},
		},
		"a pooling client that is lucky in a third of reuses": {
			func(rng *rand.Rand) []record.Request {
				rows := pooled("a", 60, 4, rng)
				for i := range rows {
					if rows[i].Failure != nil && rng.IntN(3) == 0 {
						rows[i].Failure = nil
						rows[i].Elapsed = 1
					}
				}
				return rows
			},
			want{factor: ConnectionReused, class: record.StaleConnection, findings: 1},
		},
		"connections idle for longer than the server keeps them": {
			func(rng *rand.Rand) []record.Request {
				rows := load("a", 60, 4, rng)
				for i := range rows {
					if i < 4 {
						continue
					}
					rows[i].Connection = record.Connection{Reused: true, Idle: 10 * rng.Float64(), Age: 20 * rng.Float64()}
					if rows[i].Connection.Idle > 5 {
						fail(&rows[i], record.StaleConnection)
					}
				}
				return rows
			},
			want{factor: ConnectionIdle, class: record.StaleConnection, findings: 1},
		},
		"prompts beyond the context": {
			func(rng *rand.Rand) []record.Request {
				rows := load("a", 100, 4, rng)
				for i := range rows {
					if rows[i].PromptTokens > 1800 {
						rows[i].Elapsed = 0.01
						fail(&rows[i], record.ContextExceeded)
					}
				}
				return rows
			},
			want{factor: PromptTokens, class: record.ContextExceeded, findings: 1},
		},
		"3 of 30 prompts beyond the context": {
			func(rng *rand.Rand) []record.Request {
				rows := load("a", 30, 4, rng)
				for _, i := range []int{6, 15, 23} {
					rows[i].PromptTokens = 4096
					fail(&rows[i], record.ContextExceeded)
				}
				return rows
			},
			want{PromptTokens, Condition{Op: AtLeast, Value: 4096}, [4]int{3, 0, 0, 27}, record.ContextExceeded, 1},
		},
		"overload": {
			func(rng *rand.Rand) []record.Request {
				rows := load("a", 200, 32, rng)
				for i := range rows {
					if rows[i].InFlight > 16 && rng.IntN(4) > 0 {
						fail(&rows[i], record.Rejected)
					}
				}
				return rows
			},
			want{factor: InFlight, class: record.Rejected, findings: 1},
		},
		"overload until the deadline": {
			func(rng *rand.Rand) []record.Request {
				rows := load("a", 200, 32, rng)
				for i := range rows {
					if rows[i].InFlight > 24 && rng.IntN(4) > 0 {
						rows[i].Elapsed = 60 + 0.01*rng.Float64()
						fail(&rows[i], record.QueueTimeout)
					}
				}
				return rows
			},
			want{factor: InFlight, class: record.QueueTimeout, findings: 2},
		},
		"a slot that fails": {
			func(rng *rand.Rand) []record.Request {
				rows := load("a", 80, 4, rng)
				for i := range rows {
					if *rows[i].Slot == 2 {
						fail(&rows[i], record.EmptyResponse)
					}
				}
				return rows
			},
			want{factor: Slot, cond: Condition{Op: Is, Value: 2}, class: record.EmptyResponse, findings: 1},
		},
		"a server that died": {
			func(rng *rand.Rand) []record.Request {
				rows := load("a", 80, 4, rng)
				for i := 50; i < 80; i++ {
					rows[i].Elapsed = 0.001
					fail(&rows[i], record.ConnectionRefused)
				}
				return rows
			},
			want{Event, Condition{}, [4]int{30, 0, 0, 50}, record.ConnectionRefused, 1}, // one event, of which nothing can be said but that
		},
		"a bad minute": {
			func(rng *rand.Rand) []record.Request {
				rows := load("a", 400, 4, rng)
				for i := range rows {
					if s := rows[i].Sent; s > 40 && s < 60 && rng.IntN(5) > 0 {
						fail(&rows[i], record.HTTP5xx)
					}
				}
				return rows
			},
			want{factor: Window, class: record.HTTP5xx},
		},
		"reuse over six trials": {
			func(rng *rand.Rand) []record.Request {
				var rows []record.Request
				for i := range 6 {
					rows = append(rows, pooled(fmt.Sprint(i), 5, 2, rng)...)
				}
				return rows
			},
			want{ConnectionReused, Condition{Op: AtLeast, Value: 1}, [4]int{12, 0, 0, 18}, record.StaleConnection, 1},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				got := Find(tt.rows(rand.New(rand.NewPCG(seed, 1))), Options{})
				if len(got.Findings) == 0 {
					t.Fatalf("seed %d: nothing found in %d of %d", seed, got.Failures, got.Requests)
				}
				f := got.Findings[0]
				if f.Factor != tt.want.factor || f.Class != tt.want.class {
					t.Errorf("seed %d: %+v, want %s, %s", seed, f, tt.want.factor, tt.want.class)
				}
				if tt.want.cond != (Condition{}) && f.Condition != tt.want.cond {
					t.Errorf("seed %d: condition %+v, want %+v", seed, f.Condition, tt.want.cond)
				}
				counts := [4]int{f.FailuresWith, f.FailuresWithout, f.SuccessesWith, f.SuccessesWithout}
				if tt.want.with != [4]int{} && counts != tt.want.with {
					t.Errorf("seed %d: counts %v, want %v", seed, counts, tt.want.with)
				}
				if tt.want.findings > 0 && len(got.Findings) != tt.want.findings {
					t.Errorf("seed %d: %d findings, want %d: %+v", seed, len(got.Findings), tt.want.findings, got.Findings)
				}
			}
		})
	}
}

// The published study: 30 requests, 13 failed, all of them on reused
// connections: Fisher's p is 1 / (30 choose 13), Holm's over the factors tried.
func TestFindTheStudy(t *testing.T) {
	rows := pooled("a", 30, 4, rand.New(rand.NewPCG(1, 2)))
	last := slices.IndexFunc(rows, func(r record.Request) bool { return r.Failure != nil })
	rows[last].Failure, rows[last].Connection, rows[last].Elapsed = nil, record.Connection{}, 1
	got := Find(rows, Options{})
	if got.Failures != 13 || len(got.Findings) != 1 {
		t.Fatalf("%+v", got)
	}
	want := Finding{
		Factor: ConnectionReused, Condition: Condition{Op: AtLeast, Value: 1},
		FailuresWith: 13, SuccessesWithout: 17, P: float64(len(got.Tried)) / 119759850, Class: record.StaleConnection,
	}
	if f := got.Findings[0]; math.Abs(f.P/want.P-1) > 1e-9 {
		t.Errorf("p = %g, want %g", f.P, want.P)
	} else if f.P = want.P; !cmp.Equal(want, f) {
		t.Errorf("got %+v\nwant %+v", f, want)
	}
	if want := []Factor{PromptTokens, ConnectionReused, ConnectionIdle, ConnectionAge, InFlight, Slot, Index, Window, Event, Elapsed}; !slices.Equal(got.Tried, want) {
		t.Errorf("tried %v, want %v", got.Tried, want)
	}
}

// Two causes at once are two findings, each with its own class.
func TestFindTwoCauses(t *testing.T) {
	rows := pooled("a", 100, 4, rand.New(rand.NewPCG(3, 3)))
	for i := range rows {
		if rows[i].PromptTokens > 1500 {
			rows[i].Connection = record.Connection{}
			fail(&rows[i], record.ContextExceeded)
		}
	}
	got := Find(rows, Options{}).Findings
	if len(got) != 2 {
		t.Fatalf("%d findings, want 2: %+v", len(got), got)
	}
	classes := map[Factor]record.RequestFailureClass{}
	for _, f := range got {
		classes[f.Factor] = f.Class
	}
	want := map[Factor]record.RequestFailureClass{ConnectionReused: record.StaleConnection, PromptTokens: record.ContextExceeded}
	if diff := cmp.Diff(want, classes); diff != "" {
		t.Error(diff)
	}
}

// Memory is tried where it is known; a server that fails above some size is
// told from one that fails late by trials that grow at different speeds.
func TestFindMemory(t *testing.T) {
	var rows []record.Request
	for i := range 6 {
		rows = append(rows, load(fmt.Sprint(i), 60, 4, rand.New(rand.NewPCG(uint64(i), 4)))...)
	}
	rss := func(trial string, at float64) (int64, bool) {
		var n int64
		fmt.Sscan(trial, &n)
		return 1e9 + (n+1)*int64(at*1e8), trial != "5"
	}
	for i, r := range rows {
		if bytes, _ := rss(r.Trial, r.Sent+r.Elapsed); bytes > 3e9 && r.Trial != "5" {
			fail(&rows[i], record.HTTP5xx)
		}
	}
	got := Find(rows, Options{RSS: rss}).Findings
	if len(got) == 0 || got[0].Factor != RSS || got[0].SuccessesWith != 0 || got[0].Condition.Value < 3e9 {
		t.Errorf("%+v", got)
	}
	for _, f := range Find(rows, Options{}).Findings {
		if f.Factor == RSS {
			t.Errorf("memory found without being known: %+v", f)
		}
	}
}

// Nothing can be said, and Find says why.
func TestFindNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	all := load("a", 30, 4, rng)
	for i := range all {
		fail(&all[i], record.ServerCrash)
	}
	one := load("a", 30, 4, rng)
	fail(&one[7], record.HTTP5xx)
	warm := load("a", 30, 4, rng)
	for i := range 10 {
		warm[i].Warmup = true
		fail(&warm[i], record.Rejected)
	}
	for name, tt := range map[string]struct {
		rows []record.Request
		want Result
	}{
		"no rows":                  {nil, Result{}},
		"none failed":              {load("a", 30, 4, rng), Result{Requests: 30}},
		"warm-up failed":           {warm, Result{Requests: 20}},
		"all failed":               {all, Result{Requests: 30, Failures: 30, Class: record.ServerCrash, ClassCount: 30}},
		"one failure of 30":        {one, Result{Requests: 30, Failures: 1, Class: record.HTTP5xx, ClassCount: 1, Tried: []Factor{PromptTokens, InFlight, Slot, Index, Window, Elapsed}}},
		"3 of 5, as the study had": {pooled("a", 5, 2, rng), Result{Requests: 5, Failures: 2, Class: record.StaleConnection, ClassCount: 2, Tried: []Factor{PromptTokens, ConnectionReused, ConnectionIdle, ConnectionAge, InFlight, Slot, Index, Window, Elapsed}}},
	} {
		if diff := cmp.Diff(tt.want, Find(tt.rows, Options{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Requests that fail at random show a pattern no more often than alpha says,
// in one trial and over several of which one is bad.
func TestFindFalseAlarms(t *testing.T) {
	const alpha = 0.05
	runs := effort.Draws(500, 60)
	for name, rates := range map[string][]float64{
		"one trial":     {0.3},
		"few fail":      {0.08},
		"three trials":  {0.1, 0.6, 0.2},
		"one bad trial": {0, 0, 0.9, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alarms := 0
			for run := range runs {
				rng := rand.New(rand.NewPCG(uint64(run), 77))
				var rows []record.Request
				for trial, rate := range rates {
					rows = append(rows, load(fmt.Sprint(trial), 40, 4+20*trial, rng)...)
					for i := len(rows) - 40; i < len(rows); i++ {
						if rng.IntN(2) == 0 {
							rows[i].Connection = record.Connection{Reused: true, Idle: rng.Float64(), Age: rng.Float64()}
						}
						if rng.Float64() < rate {
							fail(&rows[i], record.HTTP5xx)
						}
					}
				}
				// Where trials differ in how much fails, that is no false alarm.
				if r := Find(rows, Options{Alpha: alpha, OddsRatio: 1.0001}); len(r.Findings) > 0 && !(len(rates) > 1 && r.Findings[0].Factor == Trial) {
					alarms++
				}
			}
			rate := float64(alarms) / float64(runs)
			t.Logf("%d alarms in %d runs: %.3f", alarms, runs, rate)
			if limit := alpha + 3*math.Sqrt(alpha*(1-alpha)/float64(runs)); rate > limit {
				t.Errorf("false alarms in %.3f of runs, want at most %.3f", rate, limit)
			}
		})
	}
}

// All failures in one trial say that this went badly, and nothing of why.
func TestFindTrial(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	rows := load("a", 30, 4, rng)
	for i := range rows {
		fail(&rows[i], record.ServerCrash)
	}
	got := Find(append(load("b", 30, 4, rng), rows...), Options{})
	if len(got.Findings) != 1 || got.Findings[0].Factor != Trial || got.Findings[0].Trial != "a" || got.Findings[0].FailuresWith != 30 {
		t.Errorf("%+v", got)
	}
}

// Prompts that fail in each trial are the cause, and one that fails once is none of
// them. The order of the same prompts in each trial cannot be told from them, and
// what is left are both.
func TestFindPrompts(t *testing.T) {
	for _, same := range []bool{false, true} {
		rng := rand.New(rand.NewPCG(3, 9))
		order := rng.Perm(30)
		var rows []record.Request
		for trial := range 6 {
			if !same {
				order = rng.Perm(30)
			}
			for i, r := range load(fmt.Sprint(trial), 30, 4, rng) {
				p := order[i]
				if same {
					p = i
				}
				r.Prompt, r.PromptTokens = fmt.Sprintf("p%02d", p), 20+p*37%30
				if p >= 27 || trial == 3 && p == 5 {
					fail(&r, record.HTTP5xx)
				}
				rows = append(rows, r)
			}
		}
		got := Find(rows, Options{}).Findings
		if len(got) == 0 || got[0].Factor != Prompt || !slices.Equal(got[0].Prompts, []string{"p27", "p28", "p29"}) || got[0].FailuresWith != 18 || got[0].FailuresWithout != 1 {
			t.Fatalf("same order %v: %+v", same, got)
		}
		if alike := got[0].Alike; same != (len(alike) > 0 && alike[0].Factor == Index) {
			t.Errorf("same order %v: alike %+v", same, alike)
		}
	}
}

// The order of rows, the names of prompts and what else says nothing do not
// change the result, and the rows are left alone.
func TestFindInvariance(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 5))
		rows := append(pooled("a", 30, 4, rng), load("b", 50, 8, rng)...)
		for i := range rows {
			if rng.IntN(6) == 0 {
				fail(&rows[i], record.RequestFailureClasses[rng.IntN(3)])
			}
		}
		want := Find(rows, Options{Alpha: 0.5, OddsRatio: 1.1})
		shuffled := slices.Clone(rows)
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for i := range shuffled {
			shuffled[i].Prompt = strings.ToUpper(shuffled[i].Prompt) + "x"
		}
		before := slices.Clone(shuffled)
		if diff := cmp.Diff(want, Find(shuffled, Options{Alpha: 0.5, OddsRatio: 1.1})); diff != "" {
			t.Errorf("seed %d:\n%s", seed, diff)
		}
		if diff := cmp.Diff(before, shuffled); diff != "" {
			t.Errorf("seed %d: rows were changed:\n%s", seed, diff)
		}
	}
}
