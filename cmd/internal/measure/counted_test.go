package measure

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/fixtures/fakebench"
	"github.com/llama-regress/llama-regress/fixtures/fakevalgrind"
)

var allGates = flag.Bool("count.full", false, "200 gates of each kind instead of 10")

// countNoise are the deviations, in parts in a million, from the mean of the eight counts
// of two gates of llama.cpp 11669 on a machine with a load of 60, and what two counts hours apart
// under two environments differed by.
const countNoise = "0 1 -1 1 -2 2 -2 2 30 -30 130 -130"

// Of gates of the same build none finds a change; of gates of a build with 0.5 % more
// work each finds it, at a margin of a quarter of a percent.
func TestCountedGates(t *testing.T) {
	gates := 10
	if *allGates {
		gates = 200
	}
	dir := t.TempDir()
	if _, err := fakevalgrind.Install(dir, "3.19.0"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	model := filepath.Join(dir, "model.gguf")
	if err := os.WriteFile(model, []byte("GGUF"), 0o644); err != nil {
		t.Fatal(err)
	}
	build := func(name, truth string) string {
		bin := filepath.Join(dir, name)
		if _, err := fakebench.Install(bin); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bin, "llama-bench.count"), []byte(truth+` BASE=63000000 NOISE="`+countNoise+`"`), 0o644); err != nil {
			t.Fatal(err)
		}
		return bin
	}
	base := build("base", "PP=3203363")
	policy := compare.DefaultPolicy()
	policy.Margins["instructions"] = compare.Margin{Value: 0.0025}
	for _, c := range []struct {
		name string
		head string
		want compare.Verdict
	}{
		{"same", build("same", "PP=3203363"), compare.Equivalent},
		{"more", build("more", "PP=3219380"), compare.Regression},
	} {
		for i := range gates {
			cfg := config.Default()
			cfg.Arms = []config.Arm{{Name: "base", Bin: base}, {Name: "head", Bin: c.head}}
			cfg.Baseline, cfg.Models = "base", []config.Model{{Name: "m", Path: model}}
			cfg.Bench.Tests = nil
			count := config.DefaultCount()
			count.Tests = []record.Test{{Prompt: 64}}
			cfg.Count = &count
			p, err := plan.Expand(cfg)
			if err != nil {
				t.Fatal(err)
			}
			run, err := runner.Run(t.Context(), p, runner.Workloads{record.CountWorkload: new(llama.Counter)}, runner.Options{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			res := compare.Run(run, policy)
			if len(res.Comparisons) != 1 || res.Comparisons[0].Verdict != c.want {
				t.Errorf("gate %d of %s: %+v", i, c.name, res.Comparisons)
			}
		}
		t.Logf("%s: %d gates", c.name, gates)
	}
}
