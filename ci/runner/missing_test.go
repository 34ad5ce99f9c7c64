package runner_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

func TestPathsThatLeadNowhereAreAllNamed(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	p := &plan.Plan{
		Models: []plan.Model{{Name: "tiny", Path: at("tiny.gguf")}},
		Serve:  &plan.Serve{DatasetPath: at("chats.json")},
		Arms: []record.Arm{
			{Name: "base", Bin: at("base")},
			{Name: "head"}, // of PATH
			{Name: "base~control", Bin: at("base"), ControlOf: "base"},
		},
	}
	err := runner.Missing(p)
	if err == nil {
		t.Fatal("nothing is missed")
	}
	for _, want := range []string{"model tiny: " + at("tiny.gguf"), "dataset: " + at("chats.json"), "arm base: " + at("base")} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "\n"); n != 2 {
		t.Errorf("%d lines, want 3: %v", n+1, err)
	}
	for _, name := range []string{"tiny.gguf", "chats.json", "base"} {
		if err := os.WriteFile(at(name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := runner.Missing(p); err != nil {
		t.Errorf("all are there, and: %v", err)
	}
}
