package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/quickstart"
)

// The real llama-batched-bench and test-backend-ops, the whole way: the slowest CPU
// backend of the build against the fastest is a regression, named by batch and by
// operator.
func TestRealToolsGate(t *testing.T) {
	found := realLlama(t)
	backends := quickstart.Usable(found)
	missing := ""
	for _, program := range []string{"llama-batched-bench", "test-backend-ops"} {
		if _, err := found.Program(program); err != nil {
			missing = err.Error()
		}
	}
	if len(backends) < 2 {
		missing = found.Dir + " has no second CPU backend that could be slower"
	}
	if missing != "" && os.Getenv("LLAMA_REGRESS_REQUIRE_LLAMA") == "1" {
		t.Fatal(missing)
	}
	if missing != "" {
		t.Skip(missing)
	}
	dir := t.TempDir()
	model := filepath.Join(dir, "tiny.gguf")
	shape, _ := gguf.Preset("tiny")
	shape.Type = gguf.Q4_0
	if _, err := gguf.WriteFile(t.Context(), model, shape, 1); err != nil {
		t.Fatal(err)
	}
	for section, want := range map[string]string{
		"batched: {npp: [64], ntg: [4], npl: [1, 4]}\nmatrix: {threads: 1}": "b4_pp",
		"ops: {ops: [MUL_MAT], shapes: 'type_a=q4_0.*,n=1,k'}":              "MUL_MAT(type_a=q4_0",
	} {
		config, out := filepath.Join(dir, "c.yaml"), filepath.Join(dir, "out-"+want[:2])
		text := fmt.Sprintf("version: 1\narms: [{name: base, bin: %q}, {name: head, bin: %q}]\nmodels: [{path: %q}]\n%s\nsampling: {blocks: 6, control: none}\n", backends[0].Dir, backends[len(backends)-1].Dir, model, section)
		if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		code := execute(t.Context(), []string{"gate", "-c", config, "-d", out, "--repetitions", "2", "--format", "json"}, cli.Streams{Out: &stdout, Err: &stderr, Getenv: os.Getenv})
		if code != cli.ExitRegression || !strings.Contains(stdout.String(), want) {
			t.Errorf("%s: exit %d, want %d\n%s\n%.4000s", section, code, cli.ExitRegression, &stderr, &stdout)
		}
	}
}
