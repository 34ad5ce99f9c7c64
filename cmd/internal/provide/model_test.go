package provide_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/provide"
)

func synthetic(t *testing.T, dir, typ string) (string, error) {
	t.Helper()
	a := &cli.App{Streams: cli.Streams{Err: t.Output(), Getenv: os.Getenv}}
	of := provide.ModelOf{Preset: "tiny-moe", Type: typ, Seed: 1}
	return provide.Model(t.Context(), a, of, provide.Flags{Options: provision.Options{LlamaDir: dir}}, "", false)
}

// What llama-quantize makes is looked at before it is a model: it appears whole, in
// the type that was asked for, or not at all.
func TestQuantiserThatFails(t *testing.T) {
	for script, want := range map[string]string{
		"echo 'main: failed to quantize model' >&2; exit 1": "failed to quantize model",
		"exit 0":                "wrote no file",
		"echo nonsense > $2":    "wrote what is no model",
		"cp \"$1\" \"$2\"":      "wrote a model of type F16, asked for q4_0",
		"kill -SEGV $$":         "segmentation fault",
		"echo half > $2; false": "exit status 1",
	} {
		t.Setenv("LLAMA_REGRESS_CACHE", t.TempDir())
		dir := t.TempDir()
		for name, text := range map[string]string{
			"llama-bench":    "echo 'usage: llama-bench [options]'; echo '  -n, --n-gen <n>'",
			"llama-quantize": script,
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		path, err := synthetic(t, dir, "q4_0")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", script, err, want)
		}
		if files, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*q4_0*")); len(files) > 0 {
			t.Errorf("%s: left %v", script, files)
		}
	}
}

func TestModelTypes(t *testing.T) {
	t.Setenv("LLAMA_REGRESS_CACHE", t.TempDir())
	if _, err := synthetic(t, t.TempDir(), "q3_k_s"); err == nil || !strings.Contains(err.Error(), "want one of f16, q8_0, q4_0, q4_k_m") {
		t.Errorf("%v", err)
	}
}

// The real llama-quantize makes every type, of a mixture of experts too, once.
func TestRealQuantise(t *testing.T) {
	dir := os.Getenv("LLAMA_REGRESS_LLAMA_DIR")
	if dir == "" {
		if os.Getenv("LLAMA_REGRESS_REQUIRE_LLAMA") == "1" {
			t.Fatal("LLAMA_REGRESS_LLAMA_DIR does not name a folder with llama-quantize")
		}
		t.Skip("LLAMA_REGRESS_LLAMA_DIR does not name a folder with llama-quantize")
	}
	t.Setenv("LLAMA_REGRESS_CACHE", t.TempDir())
	for _, typ := range provide.ModelTypes {
		path, err := synthetic(t, dir, typ)
		if err != nil {
			t.Fatal(err)
		}
		h, err := gguf.Inspect(path)
		if err != nil || !strings.EqualFold(h.FileType, typ) {
			t.Errorf("%s: %s, %v", typ, h.FileType, err)
		}
		before, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := synthetic(t, "nowhere", typ); err != nil {
			t.Errorf("%s a second time: %v", typ, err)
		}
		if after, err := os.Stat(path); err != nil || !after.ModTime().Equal(before.ModTime()) {
			t.Errorf("%s was made twice: %v", typ, err)
		}
	}
}
