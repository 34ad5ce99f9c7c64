package quickstart

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
)

// No limit of quickstart is so short that the slower backend reaches it because
// the machine is busy: a trial takes two seconds on a quiet one and took more
// than 60 beside 15 other programs. A failed trial is no regression.
func TestQuickstartLimits(t *testing.T) {
	t.Setenv("LLAMA_REGRESS_CACHE", t.TempDir())
	a := &cli.App{Streams: cli.Streams{Err: t.Output(), Getenv: os.Getenv}}
	cfg, err := quickstartConfig(context.Background(), a, &provision.Llama{Dir: "bin"}, measure.Flags{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if least := config.Default().Sampling.Timeout; cfg.Sampling.Timeout < least {
		t.Errorf("a trial may take %v, in every other run %v", cfg.Sampling.Timeout, least)
	}
	for what, limit := range map[string]time.Duration{"request": cfg.Serve.RequestTimeout, "start of a server": cfg.Serve.Server.StartTimeout} {
		if limit < 5*time.Minute || limit > cfg.Sampling.Timeout {
			t.Errorf("a %s may take %v, want at least 5 minutes and no more than its trial, %v", what, limit, cfg.Sampling.Timeout)
		}
	}
}

// The two arms differ several times. Where the slower one converts 16-bit floats
// in software, and is up to 40 times slower, the larger model is left out: with it
// the job would take half an hour.
func TestQuickstartArms(t *testing.T) {
	for best, want := range map[string]string{
		"sapphirerapids": "sapphirerapids haswell tiny,small-q4_k_m tiny,small",
		"haswell":        "haswell sandybridge tiny-q4_k_m tiny",
		"ivybridge":      "ivybridge sandybridge tiny-q4_k_m tiny",
		"x64":            "2-threads 1-thread tiny,small-q4_k_m tiny,small",
	} {
		all := []string{"sapphirerapids", "skylakex", "haswell", "ivybridge", "sandybridge", "sse42", "x64"}
		var fast []provision.Backend
		for _, name := range all[slices.Index(all, best):] {
			fast = append(fast, provision.Backend{Name: name, Dir: name})
		}
		arms := quickstartArms("bin", fast)
		got := arms[0].Name + " " + arms[1].Name
		for _, quantises := range []bool{true, false} {
			var names []string
			for _, m := range models(arms, quantises) {
				names = append(names, strings.TrimSuffix(m.Preset+"-"+m.Type, "-"))
			}
			got += " " + strings.Join(names, ",")
		}
		if len(arms) != 2 || got != want {
			t.Errorf("%s: %s, want %s", best, got, want)
		}
	}
}

// What valgrind cannot run is not counted: the fastest two backends that it can are.
func TestCountable(t *testing.T) {
	all := []string{"sapphirerapids", "zen4", "haswell", "ivybridge", "sandybridge", "sse42", "x64"}
	for best, want := range map[string]string{
		"sapphirerapids": "haswell ivybridge pp16",
		"haswell":        "haswell sandybridge pp4",
		"x64":            "2-threads 1-thread pp16",
	} {
		var fast []provision.Backend
		for _, name := range all[slices.Index(all, best):] {
			fast = append(fast, provision.Backend{Name: name, Dir: name})
		}
		timed := quickstartArms("bin", fast)
		cfg := countConfig(&config.Config{Models: []config.Model{{Name: "tiny", Path: "/tiny.gguf"}}, Sampling: config.Default().Sampling}, countable(timed, fast))
		if got := cfg.Arms[0].Name + " " + cfg.Arms[1].Name + " " + cfg.Count.Tests[0].Name(); got != want {
			t.Errorf("%s: %s, want %s", best, got, want)
		}
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", best, err)
		}
		if why := whyCount(timed, cfg.Arms); strings.Contains(why, "valgrind") != (best == "sapphirerapids") {
			t.Errorf("%s: %s", best, why)
		}
	}
}

// Without valgrind the second act is left out in a sentence, and nothing fails.
func TestSecondActWithoutValgrind(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("LLAMA_REGRESS_CACHE", t.TempDir())
	a := &cli.App{Streams: cli.Streams{Err: t.Output(), Getenv: os.Getenv}}
	cfg, err := quickstartConfig(context.Background(), a, &provision.Llama{Dir: "bin"}, measure.Flags{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	if err := secondAct(t.Context(), a, &said, &provision.Llama{Dir: "bin"}, cfg, measure.Flags{Dir: t.TempDir()}, output.Flags{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said.String(), "left out, because") || !strings.Contains(said.String(), "valgrind") {
		t.Errorf("%q", said.String())
	}
}
