package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
	"github.com/llama-regress/llama-regress/cmd/internal/quickstart"
)

// realLlama finds a llama.cpp that this machine has. On a desk its absence is
// a reason to skip; LLAMA_REGRESS_REQUIRE_LLAMA=1 gets one, or fails.
func realLlama(t *testing.T) *provision.Llama {
	t.Helper()
	required := os.Getenv("LLAMA_REGRESS_REQUIRE_LLAMA") == "1"
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	found, err := provision.Find(ctx, provision.Options{Offline: !required, Log: func(line string) { t.Log(line) }})
	if err != nil && required {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("no llama.cpp on this machine; 'llama-regress provision llama' gets one: %v", err)
	}
	return found
}

// The whole job on the real llama-bench: the slowest CPU backend of the build
// against the fastest is a regression, measured and reported.
func TestRealGate(t *testing.T) {
	found := realLlama(t)
	backends := quickstart.Usable(found)
	if len(backends) < 2 && os.Getenv("LLAMA_REGRESS_REQUIRE_LLAMA") == "1" {
		t.Fatalf("%s has no second CPU backend that could be slower", found)
	}
	if len(backends) < 2 {
		t.Skipf("%s has no second CPU backend that could be slower", found)
	}
	dir := t.TempDir()
	model := filepath.Join(dir, "tiny.gguf")
	shape, _ := gguf.Preset("tiny")
	if _, err := gguf.WriteFile(t.Context(), model, shape, 1); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	out := filepath.Join(dir, "out")
	code := execute(t.Context(), []string{
		"gate", "--base", backends[0].Dir, "--head", backends[len(backends)-1].Dir, "--model", model, "--dir", out,
		"--tests", "pp64,tg8", "--threads", "1", "--blocks", "6", "--repetitions", "3", "--control", "none",
	}, cli.Streams{In: nil, Out: &stdout, Err: &stderr, Getenv: os.Getenv})
	if code != cli.ExitRegression {
		t.Fatalf("exit %d, want %d\n%s\n%s", code, cli.ExitRegression, &stdout, &stderr)
	}

	measured, err := record.ReadFile(filepath.Join(out, "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	planned := 0 // on a busy machine some blocks are measured again
	for _, trial := range measured.Trials {
		if trial.Repeats == "" {
			planned++
		}
	}
	if planned != 12 || measured.Interrupted != "" {
		t.Errorf("%d trials without repetitions, interrupted %q; want 12 and all of them", planned, measured.Interrupted)
	}
	for _, trial := range measured.Trials {
		if trial.Outcome != record.OK || len(trial.Measurements) < 3 || len(trial.Measurements[0].Values) != 3 {
			t.Errorf("trial %s: %s, %d measurements", trial.ID, trial.Outcome, len(trial.Measurements))
		}
	}
	for _, arm := range measured.Arms {
		if arm.Build.Backends == "" || arm.Build.SHA256 == "" || arm.Build.Commit == "" {
			t.Errorf("arm %s is not identified: %+v", arm.Name, arm.Build)
		}
	}
	if m := measured.Models[0]; m.Type == "" || m.Parameters != shape.Parameters() {
		t.Errorf("llama-bench calls the model %q with %d parameters, want %d", m.Type, m.Parameters, shape.Parameters())
	}
	for _, kind := range output.Kinds {
		name := kind.File
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
