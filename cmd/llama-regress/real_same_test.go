package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/quickstart"
	"github.com/llama-regress/llama-regress/compare"
)

// longVariable asks for the tests that take half an hour: CI's nightly profile.
const longVariable = "LLAMA_REGRESS_LONG"

// A build measured against itself is no regression, and one that really is slower
// is called each time.
//
// Every night 20 runs of eight cells have to hold, with a slower CPU backend of
// the same build and, where there are cores, one thread fewer as candidates
// beside. Otherwise one run of two cells of the build against itself has to, on a
// machine that may do a lot else: there a false alarm has its 5 % (statistics
// reference, 7.6), so only one that fresh trials confirm fails; TestRealGate has
// the slower backend.
func TestRealSameBuild(t *testing.T) {
	found := realLlama(t)
	model := filepath.Join(t.TempDir(), "tiny.gguf")
	shape, _ := gguf.Preset("tiny")
	if _, err := gguf.WriteFile(t.Context(), model, shape, 1); err != nil {
		t.Fatal(err)
	}
	if os.Getenv(longVariable) != "1" {
		cfg := sameBuild(found, model)
		cfg.Matrix.Params = map[string][]string{"threads": {"1"}, "flash_attn": {"on", "off"}}
		first := falseAlarms(t, measureHere(t, cfg))
		if len(first) == 0 {
			return
		}
		t.Logf("once: %v", first)
		cfg.Sampling.Seed = 2
		for _, again := range falseAlarms(t, measureHere(t, cfg)) {
			for _, before := range first {
				if again == before {
					t.Errorf("%s: the build is called slower than itself, twice", again)
				}
			}
		}
		return
	}

	cfg := sameBuild(found, model)
	backends := quickstart.Usable(found)
	if len(backends) < 2 {
		t.Fatalf("%s has no second CPU backend that could be slower", found)
	}
	cfg.Arms = append(cfg.Arms, config.Arm{Name: "slow-backend", Bin: backends[len(backends)-1].Dir})
	slow := []string{"slow-backend"}
	if cores := host.PhysicalCores(); cores > 1 {
		delete(cfg.Matrix.Params, "threads")
		for i := range cfg.Arms {
			cfg.Arms[i].Params = map[string]string{"threads": fmt.Sprint(cores)}
		}
		fewer := cfg.Arms[0]
		fewer.Name, fewer.Params = "fewer-threads", map[string]string{"threads": fmt.Sprint(cores - 1)}
		cfg.Arms, slow = append(cfg.Arms, fewer), append(slow, "fewer-threads")
	}
	for i := range 20 {
		cfg.Sampling.Seed = uint64(i + 1)
		res := measureHere(t, cfg)
		for _, alarm := range falseAlarms(t, res) {
			t.Errorf("run %d: %s: the build is called slower than itself", i+1, alarm)
		}
		for _, arm := range slow {
			n := 0
			for _, c := range res.Comparisons {
				if c.Candidate.Arm == arm && c.Verdict == compare.Regression {
					n++
				}
			}
			t.Logf("run %d: %s is slower in %d comparisons", i+1, arm, n)
			if n == 0 {
				t.Errorf("run %d: that %s is slower was not called", i+1, arm)
			}
		}
	}
}

// sameBuild has the fastest backend of a build twice, in eight cells.
func sameBuild(found *provision.Llama, model string) *config.Config {
	bin := quickstart.Usable(found)[0].Dir
	cfg := config.Default()
	cfg.Arms = []config.Arm{{Name: "base", Bin: bin}, {Name: "same", Bin: bin}}
	cfg.Baseline = "base"
	cfg.Models = []config.Model{{Name: "tiny", Path: model}}
	cfg.Matrix.Params = map[string][]string{"threads": {"1"}, "batch": {"64", "128"}, "flash_attn": {"on", "off"}, "mmap": {"on", "off"}}
	cfg.Bench = config.Bench{Tests: []record.Test{{Prompt: 64}, {Gen: 8}}, Repetitions: 3}
	return cfg
}

// measureHere runs a configuration in this process and compares.
func measureHere(t *testing.T, cfg *config.Config) *compare.Result {
	t.Helper()
	p, err := plan.Expand(cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := 1
	for _, values := range cfg.Matrix.Params {
		want *= len(values)
	}
	if len(p.Cells) != want {
		t.Fatalf("%d cells, want %d", len(p.Cells), want)
	}
	dir := t.TempDir()
	run, err := runner.Run(context.WithoutCancel(t.Context()), p, measure.Benches(p, dir, new(llama.Links), nil, nil), runner.Options{Dir: dir, Tool: cli.Tool(), Host: host.Describe(t.Context(), nil), Repeat: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, trial := range run.Trials {
		if trial.Outcome != record.OK {
			t.Fatalf("trial %s: %+v", trial.ID, trial.Failure)
		}
	}
	return compare.Run(run, compare.DefaultPolicy())
}

// falseAlarms lists where an arm that is the baseline's own build is called
// slower than it.
func falseAlarms(t *testing.T, res *compare.Result) (alarms []string) {
	t.Helper()
	judged, cells := 0, make(map[string]bool)
	for _, c := range res.Comparisons {
		if c.Candidate.Arm != "same" || record.IsResource(c.Metric.Name) {
			continue
		}
		judged++
		cells[c.Cell] = true
		if c.Verdict == compare.Regression {
			alarms = append(alarms, c.Cell+" "+c.Metric.Name)
		}
	}
	if judged == 0 || judged != 2*len(cells) {
		t.Errorf("%d comparisons of the build with itself, want two in each of %d cells", judged, len(cells))
	}
	return alarms
}
