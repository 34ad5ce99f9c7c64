package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/fixtures/fakebench"
)

// A clone is of somebody's llama.cpp: its speed stands in the file of that
// name, and a cmake in PATH builds it without a compiler.
type clone struct {
	t          *testing.T
	dir        string // of all of it
	path       string // of the clone
	model      string
	base, head string // commits: of main, and of a slower branch that is checked out
}

func newClone(t *testing.T) *clone {
	t.Helper()
	dir := t.TempDir()
	r := &clone{t: t, dir: dir, path: filepath.Join(dir, "repo"), model: filepath.Join(dir, "model.gguf")}
	if _, err := gguf.WriteFile(context.Background(), r.model, scriptModel, 1); err != nil {
		t.Fatal(err)
	}
	programs := filepath.Join(dir, "programs")
	for name, settings := range map[string][]string{"fast": {"FAKE_SD=0.01,0.003"}, "slow": {"FAKE_SD=0.01,0.003", "FAKE_SLOW=1.10"}} {
		if _, err := fakebench.Install(filepath.Join(programs, name), append(settings, "FAKE_LOG="+filepath.Join(dir, name+".log"))...); err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(dir, "bin")
	r.write(filepath.Join(bin, "cmake"), fmt.Sprintf(`#!/bin/sh
set -eu
if [ "$1" = --build ]; then
  mkdir -p "$2/bin"
  cp -R %s/"$(cat "$(cat "$2/source")/speed")"/. "$2/bin"
else # -S SOURCE -B BUILD
  mkdir -p "$4"
  (cd "$2" && pwd) >"$4/source"
fi
`, programs))
	if err := os.Chmod(filepath.Join(bin, "cmake"), 0o755); err != nil {
		t.Fatal(err)
	}
	withProgram(t)
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return r
}

// commits makes both; whatever lies in the clone already is part of the first.
func (r *clone) commits() {
	r.t.Helper()
	r.write(filepath.Join(r.path, "speed"), "fast\n")
	r.git("init", "--quiet")
	r.base = r.commit("as it is")
	r.git("checkout", "--quiet", "-b", "faster")
	r.write(filepath.Join(r.path, "speed"), "slow\n")
	r.head = r.commit("this will be faster")
}

func (r *clone) write(path, text string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *clone) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", r.path, "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit takes up everything; the first one is two days old.
func (r *clone) commit(text string) string {
	r.t.Helper()
	if r.base == "" {
		r.t.Setenv("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
		defer os.Unsetenv("GIT_COMMITTER_DATE")
	}
	r.git("add", "--all")
	r.git("commit", "--quiet", "--message", text)
	return r.git("rev-parse", "HEAD")
}
