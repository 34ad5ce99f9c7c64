// Package reporttest builds the results that tests of the report writers
// share: every verdict, every reason, sizes from nothing to thousands of
// cells, and names that attack each medium. All of it is simulated from fixed
// seeds and judged by package compare, so the numbers hang together.
package reporttest

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// start is when every simulated session begins.
var start = time.Date(2026, 11, 14, 9, 30, 0, 0, time.UTC)

// Metrics as the workloads yield them.
var (
	pp512   = record.Metric{Name: "pp512", Kind: record.Throughput, Unit: "tok/s", Better: record.Higher}
	tg128   = record.Metric{Name: "tg128", Kind: record.Throughput, Unit: "tok/s", Better: record.Higher}
	ttft50  = record.Metric{Name: "ttft_p50", Kind: "ttft_p50", Unit: "s", Better: record.Lower}
	ttft95  = record.Metric{Name: "ttft_p95", Kind: "ttft_p95", Unit: "s", Better: record.Lower}
	success = record.Metric{Name: "success_rate", Kind: "success_rate", Unit: "1", Better: record.Higher}
	memory  = record.Metric{Name: "peak_memory", Kind: "peak_memory", Unit: "B", Better: record.Lower}
)

// A series says how one metric of one cell behaves.
type series struct {
	metric record.Metric
	level  float64            // median of the baseline, in the metric's unit
	noise  float64            // sd of the log of a trial; in units for a share
	change map[string]float64 // arm -> change against the baseline, as Comparison.Change; absent means none
}

// A cell is a point of the matrix and what it yields.
type cell struct {
	workload, model string
	params          map[string]string
	series          []series
	fails           func(arm string, block int) *record.Failure // nil: no trial fails
}

// A session is simulated by run.
type session struct {
	seed   uint64
	arms   []record.Arm
	cells  []cell
	blocks int
	raw    bool // trials belong to no block, one metric a trial
}

// run simulates a session. A block has a shift of its own that all its arms
// share; pairing removes it.
func (s session) run() *record.Run {
	rng := rand.New(rand.NewPCG(s.seed, 1))
	run := &record.Run{
		Schema: record.Schema, ID: fmt.Sprintf("20261114T093000Z-%06x", s.seed), Started: start,
		Tool:     record.Tool{Version: "v0.1.0", Commit: "0123456789ab"},
		Host:     host(),
		Plan:     record.Plan{ID: "plan", Seed: s.seed, Blocks: s.blocks, Warmup: 1, Repetitions: 5},
		Baseline: s.arms[0].Name, Arms: s.arms,
	}
	models := make(map[string]bool)
	for _, c := range s.cells {
		rc := record.Cell{Key: record.CellKey(c.workload, c.model, c.params), Workload: c.workload, Model: c.model, Params: c.params}
		for _, x := range c.series {
			rc.Metrics = append(rc.Metrics, x.metric)
		}
		run.Cells = append(run.Cells, rc)
		if !models[c.model] {
			models[c.model] = true
			run.Models = append(run.Models, record.Model{Name: c.model, Path: "models/" + c.model + ".gguf", Bytes: 667081728, Type: "llama 1B Q4_K - Medium"})
		}
	}
	clock := start
	for block := range s.blocks {
		for i, c := range s.cells {
			shift := 0.02 * rng.NormFloat64()
			for k := range s.arms {
				arm := s.arms[(k+block)%len(s.arms)].Name
				t := c.trial(rng, arm, shift)
				t.ID = fmt.Sprintf("b%02d.c%04d.%s", block, i, arm)
				t.Cell, t.Block, t.Order, t.Start = run.Cells[i].Key, block, len(run.Trials), clock
				if c.fails != nil {
					if f := c.fails(arm, block); f != nil {
						t.Outcome, t.Failure, t.Measurements = record.Failed, f, nil
					}
				}
				if s.raw {
					t.Block = record.NoBlock
				}
				run.Trials = append(run.Trials, t)
				clock = clock.Add(time.Duration(t.Seconds * float64(time.Second)))
			}
		}
	}
	run.Plan.Trials = len(run.Trials)
	run.Finished = clock
	return run
}

// trial measures every series of the cell once.
func (c cell) trial(rng *rand.Rand, arm string, shift float64) record.Trial {
	t := record.Trial{Arm: arm, Outcome: record.OK, Seconds: 6}
	for _, x := range c.series {
		value := x.level * (1 + x.change[arm]) * math.Exp(shift+x.noise*rng.NormFloat64())
		if x.metric.InPoints() {
			value = math.Min(1, x.level+x.change[arm]+x.noise*rng.NormFloat64())
		}
		t.Measurements = append(t.Measurements, record.Measurement{Metric: x.metric.Name, Values: []float64{value}})
	}
	return t
}

func host() record.Host {
	return record.Host{
		Name: "bench-epyc-01",
		Hard: map[string]string{"cpu": "AMD EPYC 9554", "kernel": "6.12.9", "os": "linux/amd64"},
		Soft: map[string]string{"microcode": "0xa101148", "memory_total": "405 GB"},
	}
}

// The arms of most cases: what is merged into, what is proposed, and what is
// merged into once more.
func baseArm() record.Arm {
	return record.Arm{Name: "base", Bin: "build-base/bin", Build: build("abc12345", 6990)}
}

func headArm() record.Arm {
	return record.Arm{Name: "head", Bin: "build-head/bin", Build: build("def67890", 6993), Env: map[string]string{"GGML_CUDA": "0", "OMP_WAIT_POLICY": "active"}}
}

func controlArm() record.Arm {
	arm := baseArm()
	arm.Name, arm.ControlOf = "base-again", "base"
	return arm
}

func build(commit string, number int) record.Build {
	return record.Build{Program: "/opt/llama/bin/llama-bench", SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(commit))), Commit: commit, Number: number,
		Version: fmt.Sprintf("version: %d (%s)", number, commit), Backends: "CPU", CPU: "AMD EPYC 9554"}
}
