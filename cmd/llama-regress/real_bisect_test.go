package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// These name a checkout of llama.cpp and the ends of a range in which something got
// slower; First may name the commit that did it. CMake, a compiler and up to an hour
// are needed.
const (
	repoVariable  = "LLAMA_REGRESS_LLAMA_REPO"
	goodVariable  = "LLAMA_REGRESS_LLAMA_GOOD"
	badVariable   = "LLAMA_REGRESS_LLAMA_BAD"
	firstVariable = "LLAMA_REGRESS_LLAMA_FIRST"
)

// A real range of llama.cpp is bisected, and its ends are gated, with the builds that
// the bisection left. The checkout stays as it was.
func TestRealBisection(t *testing.T) {
	repo, good, bad := os.Getenv(repoVariable), os.Getenv(goodVariable), os.Getenv(badVariable)
	if repo == "" || good == "" || bad == "" {
		t.Skipf("no range of llama.cpp: set %s, %s and %s", repoVariable, goodVariable, badVariable)
	}
	dir := t.TempDir()
	t.Setenv("LLAMA_REGRESS_CACHE", filepath.Join(dir, "cache"))
	model := filepath.Join(dir, "tiny.gguf")
	shape, _ := gguf.Preset("tiny")
	if _, err := gguf.WriteFile(t.Context(), model, shape, 1); err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-C", repo}, args...)...).Output()
		if err != nil {
			t.Fatalf("git %v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	state := func() string {
		return git("status", "--porcelain") + git("rev-parse", "HEAD") + git("for-each-ref") + git("worktree", "list")
	}
	before := state()
	llama := func(want int, args ...string) string {
		t.Helper()
		begun := time.Now()
		var stdout, stderr bytes.Buffer
		args = append(args, "--repo", repo, "--model", model, "--tests", "tg64", "--threads", "1", "--repetitions", "3", "--wait", "2h")
		code := execute(t.Context(), args, cli.Streams{Out: &stdout, Err: &stderr, Getenv: os.Getenv})
		t.Logf("%s: exit %d after %v\n%s\n%s", args[0], code, time.Since(begun).Round(time.Second), &stdout, &stderr)
		if code != want {
			t.Fatalf("%s: exit %d, want %d", args[0], code, want)
		}
		return stderr.String()
	}
	out := filepath.Join(dir, "bisect")
	llama(cli.ExitPass, "bisect", "--good", good, "--bad", bad, "--dir", out)
	var log struct {
		First *struct{ Commit, Subject string }
	}
	data, err := os.ReadFile(filepath.Join(out, "bisect.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &log); err != nil || log.First == nil {
		t.Fatalf("no first bad commit: %v", err)
	}
	if rev := os.Getenv(firstVariable); rev != "" && git("rev-parse", rev+"^{commit}") != log.First.Commit {
		t.Errorf("found %s %s, want %s", log.First.Commit, log.First.Subject, rev)
	}
	// Its parent against it, as the bisection measured them last: nothing is built.
	said := llama(cli.ExitRegression, "gate", "--base", log.First.Commit+"^", "--head", log.First.Commit, "--dir", filepath.Join(dir, "gate"))
	if strings.Contains(said, "\nbuilding ") {
		t.Error("what the bisection built is built again")
	}
	if after := state(); after != before {
		t.Errorf("the checkout was\n%s\nand is\n%s", before, after)
	}
}
