package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/quickstart"
	"github.com/llama-regress/llama-regress/stats"
)

// freshVariable is how many steps TestRealFreshCandidate makes.
const freshVariable = "LLAMA_REGRESS_FRESH_STEPS"

// A candidate whose files were written a moment ago, as those of each step of a
// bisection, is as fast as the same code that has been there for a while. Each step
// copies the whole build and measures it in turns with the original. What matters is
// the mean over all steps: a lean of half a percent would decide no bisection.
func TestRealFreshCandidate(t *testing.T) {
	steps, err := strconv.Atoi(os.Getenv(freshVariable))
	if err != nil || steps < 2 {
		t.Skipf("set %s to the number of steps, such as 40: each takes about 12 trials", freshVariable)
	}
	found := realLlama(t)
	model := filepath.Join(t.TempDir(), "tiny.gguf")
	shape, _ := gguf.Preset("tiny")
	if _, err := gguf.WriteFile(t.Context(), model, shape, 1); err != nil {
		t.Fatal(err)
	}
	bin := quickstart.Usable(found)[0].Dir
	top, err := filepath.EvalSymlinks(filepath.Dir(filepath.Dir(bin))) // the programs and, beside bin, their libraries
	if err != nil {
		t.Fatal(err)
	}
	below, err := filepath.Rel(top, bin)
	if err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(t.TempDir(), "good")
	if err := os.CopyFS(good, os.DirFS(top)); err != nil {
		t.Fatal(err)
	}
	changes := make(map[string][]float64) // logarithms of candidate / good, by metric
	for step := range steps {
		candidate := filepath.Join(t.TempDir(), "next")
		if err := os.CopyFS(candidate, os.DirFS(top)); err != nil {
			t.Fatal(err)
		}
		cfg := config.Default()
		cfg.Arms = []config.Arm{{Name: "good", Bin: filepath.Join(good, below)}, {Name: "candidate", Bin: filepath.Join(candidate, below)}}
		cfg.Baseline = "good"
		cfg.Models = []config.Model{{Name: "tiny", Path: model}}
		cfg.Matrix.Params = map[string][]string{"threads": {"1"}}
		cfg.Bench = config.Bench{Tests: []record.Test{{Prompt: 64}, {Gen: 32}}, Repetitions: 3}
		cfg.Sampling.Blocks, cfg.Sampling.Seed, cfg.Sampling.Control = 6, uint64(step+1), config.ControlNone
		for _, c := range measureHere(t, cfg).Comparisons {
			if c.Change != nil {
				changes[c.Metric.Name] = append(changes[c.Metric.Name], math.Log1p(*c.Change))
			}
		}
		if err := os.RemoveAll(candidate); err != nil {
			t.Fatal(err)
		}
	}
	if len(changes) != 2 {
		t.Fatalf("measured %d metrics, want 2", len(changes))
	}
	for metric, logs := range changes {
		iv := stats.PairedT(logs).Interval(0.99)
		text := fmt.Sprintf("%s: the fresh copy differs by %+.2f%%, 99%% interval %+.2f%% to %+.2f%%, mean of %d steps", metric, 100*math.Expm1(iv.Estimate), 100*math.Expm1(iv.Low), 100*math.Expm1(iv.High), len(logs))
		t.Log(text)
		if iv.High < -0.005 || iv.Low > 0.005 {
			t.Error(text)
		}
	}
}
