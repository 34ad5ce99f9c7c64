package history

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
)

// steadyNights are nights of a machine that never moves, whose sentinel measures so
// many cells; each night resembles the one before.
func steadyNights(nights, cells int, r, sd float64, seed uint64) (sessions []*store.Session) {
	rng := rand.New(rand.NewPCG(seed, 5))
	list := make([]record.Cell, cells)
	state := make([]float64, cells)
	for i := range list {
		list[i] = record.Cell{Key: fmt.Sprint("c", i), Workload: "bench", Model: "m", Metrics: []record.Metric{{Name: "tg128", Kind: record.Throughput, Unit: "tok/s", Better: record.Higher}}}
		state[i] = rng.NormFloat64()
	}
	first := time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)
	for n := range nights {
		s := &store.Session{Run: record.Run{Started: first.AddDate(0, 0, n), Sentinel: &record.Sentinel{Cells: list}}}
		for i := range list {
			state[i] = r*state[i] + math.Sqrt(1-r*r)*rng.NormFloat64()
			s.Sentinel = append(s.Sentinel, store.Sample{Cell: int32(i), Values: []float64{100 * math.Exp(sd*state[i])}})
		}
		sessions = append(sessions, s)
	}
	return sessions
}

// A machine that never moves is said to in about one night of a hundred, also where
// nights resemble each other and where the sentinel measures many cells. Of 40 000
// nights each, with sessions of 2 %: 0.92, 1.00 and 0.98 % for one cell at an
// autocorrelation of 0, 0.5 and 0.7, and 0.95, 0.84 and 0.74 % for 24 cells; of the
// first 40 nights alone up to 1.8 % (one cell, 0.7). New levels that are none: 0.005,
// 0.05 and 0.12 % of the nights for one cell, at most 0.03 % for 24.
func TestSteadySentinelsThatResemble(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		r, settled float64
		cells      int
	}{{0, 0.0005, 1}, {0.5, 0.001, 1}, {0.7, 0.002, 1}, {0, 0.0005, 24}, {0.5, 0.0005, 24}, {0.7, 0.001, 24}} {
		moved, settled, nights := 0.0, 0.0, 0.0
		for seed := range uint64(40) {
			for _, x := range readSentinels(steadyNights(200, c.cells, c.r, 0.02, seed), compare.DefaultPolicy()) {
				nights++
				switch x.State {
				case SentinelMoved:
					moved++
				case SentinelSettled:
					settled++
				}
			}
		}
		t.Logf("autocorrelation %.1f, %d cells: moved %.2f %%, settled %.3f %% of %.0f nights", c.r, c.cells, 100*moved/nights, 100*settled/nights, nights)
		if moved/nights > 0.0125 || settled/nights > c.settled {
			t.Errorf("autocorrelation %.1f, %d cells: moved in %.2f %%, settled in %.3f %% of the nights", c.r, c.cells, 100*moved/nights, 100*settled/nights)
		}
	}
}

// A machine that loses 4 % is told in the same night, although nights resemble each
// other: what is allowed for them costs little.
func TestSentinelsThatResembleMove(t *testing.T) {
	t.Parallel()
	for _, r := range []float64{0, 0.5, 0.7} {
		told := 0
		for seed := range uint64(100) {
			nights := steadyNights(61, 2, r, 0.006, seed)
			for i := range nights[60].Sentinel {
				nights[60].Sentinel[i].Values[0] *= 0.96
			}
			if readSentinels(nights, compare.DefaultPolicy())[60].State == SentinelMoved {
				told++
			}
		}
		t.Logf("autocorrelation %.1f: %d of 100 moves are told", r, told)
		if told < 95 {
			t.Errorf("autocorrelation %.1f: %d of 100 moves of 4 %% are told in their night", r, told)
		}
	}
}
