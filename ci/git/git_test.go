package git

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// repository makes one with a commit, whose hooks and settings would leave a
// file behind if git ran them.
func repository(t *testing.T) (dir, trace string) {
	t.Helper()
	dir, trace = t.TempDir(), filepath.Join(t.TempDir(), "trace")
	run(t, dir, "init", "--quiet", "--initial-branch=main", "--template=")
	script := filepath.Join(dir, ".git", "leave-a-trace")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"$0\" >>'"+trace+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, hook := range []string{"pre-commit", "post-commit", "post-checkout", "reference-transaction", "post-index-change"} {
		if err := os.MkdirAll(filepath.Join(dir, ".git", "hooks"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(script, filepath.Join(dir, ".git", "hooks", hook)); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "config", "core.fsmonitor", script)
	write(t, filepath.Join(dir, "file"), "text\n")
	run(t, dir, "add", "file")
	run(t, dir, "commit", "--quiet", "-m", "first")
	return dir, trace
}

func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := Command{Dir: dir, Env: []string{"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@x", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@x"}}.Line(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A repository is only data: nothing that it names runs.
func TestNothingOfARepositoryRuns(t *testing.T) {
	dir, trace := repository(t)
	run(t, dir, "status", "--short")
	run(t, dir, "checkout", "--quiet", "--detach", "HEAD")
	if text, err := os.ReadFile(trace); err == nil {
		t.Errorf("git ran\n%s", text)
	}
}

// Variables that name another repository, a pager or an editor play no part;
// who commits and settings do, and secrets that are left out are not there.
func TestEnvironment(t *testing.T) {
	dir, _ := repository(t)
	for _, name := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_CEILING_DIRECTORIES"} {
		t.Setenv(name, filepath.Join(t.TempDir(), "elsewhere"))
	}
	for _, name := range []string{"GIT_PAGER", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR", "GIT_EXTERNAL_DIFF"} {
		t.Setenv(name, "false")
	}
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "alias.secret")
	t.Setenv("GIT_CONFIG_VALUE_0", "!echo $A_TOKEN.$GIT_AUTHOR_NAME")
	t.Setenv("A_TOKEN", "not-for-git")
	t.Setenv("GIT_AUTHOR_NAME", "Ada")
	if got, err := (Command{Dir: dir}).Line(t.Context(), "log", "-p", "--format=%s", "-n1"); err != nil || !strings.HasPrefix(got, "first") || !strings.Contains(got, "+text") {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := (Command{Dir: dir, Without: []string{"A_TOKEN"}}).Line(t.Context(), "secret"); err != nil || got != ".Ada" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestErrors(t *testing.T) {
	dir, _ := repository(t)
	_, err := Command{Dir: dir}.Run(t.Context(), "rev-parse", "--verify", "no\x1bne")
	var refused *Error
	if !errors.As(err, &refused) || refused.Status != 128 || !strings.HasPrefix(refused.Said, "fatal: ") || strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("a revision that is not there: %v", err)
	}
	if _, err := (Command{Dir: dir + "/none"}).Run(t.Context(), "status"); !errors.As(err, &refused) || !strings.Contains(err.Error(), "none") {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := (Command{Dir: dir, Most: 3}).Run(t.Context(), "rev-parse", "HEAD"); !errors.Is(err, ErrTooMuch) {
		t.Errorf("more than allowed: %v", err)
	}
	waits := []string{"-c", "alias.wait=!sleep 600 & sleep 600", "wait"}
	if _, err := (Command{Dir: dir, Timeout: 50 * time.Millisecond}).Run(t.Context(), waits...); err == nil || !strings.Contains(err.Error(), "took longer than 50ms") {
		t.Errorf("too slow: %v", err)
	}
	stopped, stop := context.WithCancelCause(t.Context())
	why := errors.New("interrupted")
	stop(why)
	if _, err := (Command{Dir: dir}).Run(stopped, waits...); !errors.Is(err, why) {
		t.Errorf("interrupted: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := (Command{Dir: dir}).Run(t.Context(), "status"); err == nil || !strings.Contains(err.Error(), "git is not installed") {
		t.Errorf("no git: %v", err)
	}
}
