package runner_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// makePlan is a plan of arms base and head, two models, one cell each and so
// many blocks. Its files are in dir, the same for the same dir.
func makePlan(tb helper, dir string, blocks int) *plan.Plan {
	tb.Helper()
	p := &plan.Plan{
		ID: "plan-" + strconv.Itoa(blocks), ConfigSHA: "c0ffee", Seed: 7, Baseline: "base",
		Blocks: blocks, Warmup: 1, Repetitions: 3, Timeout: time.Minute,
	}
	for _, name := range []string{"base", "head"} {
		p.Arms = append(p.Arms, record.Arm{Name: name, Bin: filepath.Join(dir, name)})
		writeFile(tb, filepath.Join(dir, name, "llama-bench"), "program "+name)
	}
	for _, name := range []string{"tiny", "small"} {
		path := filepath.Join(dir, name+".gguf")
		writeFile(tb, path, "GGUF"+name)
		tests := []record.Test{{Prompt: 512}, {Gen: 128}}
		params := map[string]string{"threads": "2"}
		p.Models = append(p.Models, plan.Model{Name: name, Path: path})
		p.Cells = append(p.Cells, plan.Cell{
			Cell: record.Cell{
				Key: record.CellKey("bench", name, params), Workload: "bench", Model: name, Params: params,
				Metrics: []record.Metric{tests[0].Metric(), tests[1].Metric()},
			},
			ModelPath: path,
			Tests:     tests,
		})
	}
	for b := range blocks {
		for c := range p.Cells {
			for i := range p.Arms {
				arm := (i + b) % 2
				p.Trials = append(p.Trials, plan.Trial{
					ID:  fmt.Sprintf("b%02d.c%04d.%s", b, c, p.Arms[arm].Name),
					Arm: arm, Cell: c, Block: b, Order: len(p.Trials),
				})
			}
		}
	}
	return p
}

// A helper is a testing.TB, or a process that a test started.
type helper interface {
	Helper()
	Fatal(args ...any)
}

func writeFile(tb helper, path, text string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// A fakeBench measures numbers that follow from the trial alone.
type fakeBench struct {
	before   func(ctx context.Context, t plan.Trial)                  // called as a trial begins; may be nil
	change   func(t plan.Trial, r record.Trial) (record.Trial, error) // has the last word; may be nil
	identify func(arm record.Arm) (record.Build, error)               // may be nil

	mu       sync.Mutex
	measured []string // IDs, in order
	asked    []string // arms identified, in order
}

func (f *fakeBench) Identify(_ context.Context, arm record.Arm) (record.Build, error) {
	f.mu.Lock()
	f.asked = append(f.asked, arm.Name)
	f.mu.Unlock()
	if f.identify != nil {
		return f.identify(arm)
	}
	path := filepath.Join(arm.Bin, "llama-bench")
	program, err := os.ReadFile(path)
	if err != nil {
		return record.Build{}, fmt.Errorf("arm %s: %w", arm.Name, err)
	}
	return record.Build{Program: path, SHA256: fmt.Sprintf("%x", sha256.Sum256(program))}, nil
}

func (f *fakeBench) Measure(ctx context.Context, p *plan.Plan, t plan.Trial) (record.Trial, error) {
	f.mu.Lock()
	f.measured = append(f.measured, t.ID)
	f.mu.Unlock()
	if f.before != nil {
		f.before(ctx, t)
	}
	if ctx.Err() != nil {
		return record.Trial{}, ctx.Err()
	}
	r := result(p, t)
	if f.change != nil {
		return f.change(t, r)
	}
	return r, nil
}

// result is an OK trial with all that llama-bench tells.
func result(p *plan.Plan, t plan.Trial) record.Trial {
	r := record.Trial{
		Outcome: record.OK,
		Command: []string{filepath.Join(p.Arms[t.Arm].Bin, "llama-bench"), "-m", p.Cells[t.Cell].ModelPath, "-o", "jsonl"},
		Echo: map[string]string{
			"build_commit": "abc" + p.Arms[t.Arm].Name, "build_number": "6000", "backends": "CPU", "cpu_info": "a processor",
			"model_type": "llama " + p.Cells[t.Cell].Cell.Model, "model_size": "1234", "model_n_params": "42",
		},
		Resources: &record.Resources{UserSeconds: 1, MaxRSSBytes: 1 << 20},
	}
	for i, m := range p.Cells[t.Cell].Cell.Metrics {
		speed := float64(1000*(i+1) + 10*t.Order)
		r.Measurements = append(r.Measurements, record.Measurement{
			Metric: m.Name, Values: []float64{speed, speed + 1, speed + 2}, Warmup: []float64{speed / 2},
		})
	}
	return r
}

func fail(class record.FailureClass, message string) record.Trial {
	return record.Trial{Outcome: record.Failed, Failure: &record.Failure{Class: class, Message: message}}
}

// A clock ticks one second each time it is read.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(time.Second)
	return c.t
}

func options(dir string) runner.Options {
	return runner.Options{
		Dir:  dir,
		Host: record.Host{Name: "bench1", Hard: map[string]string{"cpu": "a processor"}, Soft: map[string]string{"microcode": "1"}},
		Tool: record.Tool{Version: "v0.1.0"},

		Temperature: func() (float64, bool) { return 0, false }, // this machine's would differ from run to run
	}
}
