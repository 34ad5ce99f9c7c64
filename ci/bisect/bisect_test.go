package bisect

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/build"
)

// repository makes one of n commits, each with a tag cN.
func repository(t *testing.T, n int) *build.Repository {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo")
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@x", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@x")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	run("init", "-q", "-b", "main", dir)
	for i := 1; i <= n; i++ {
		run("-C", dir, "commit", "-q", "--allow-empty", "-m", fmt.Sprint("commit ", i))
		run("-C", dir, "tag", fmt.Sprint("c", i))
	}
	repo, err := build.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return repo
}

// walk bisects nine commits, Good before first and Bad from it on, of which some
// cannot be told, and returns how it ended and which commits were asked for.
func walk(t *testing.T, repo *build.Repository, first int, skipped ...int) (State, []string) {
	t.Helper()
	ctx := context.Background()
	good, bad, between, err := Range(ctx, repo, "c1", "main")
	if err != nil || between != 8 {
		t.Fatal(between, err)
	}
	dir := filepath.Join(t.TempDir(), "search")
	search, state, err := Begin(ctx, repo, dir, good, bad)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for !state.Over() {
		asked = append(asked, state.Next.Subject)
		if len(asked) > 9 {
			t.Fatalf("goes round in circles: %v", asked)
		}
		var n int
		fmt.Sscanf(state.Next.Subject, "commit %d", &n)
		mark := Good
		switch {
		case slices.Contains(skipped, n):
			mark = Skip
		case n >= first:
			mark = Bad
		}
		if state, err = search.Mark(ctx, state.Next.SHA, mark); err != nil {
			t.Fatal(err)
		}
	}
	if err := search.End(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("left behind: %v", err)
	}
	refs, err := exec.Command("git", "-C", repo.Dir, "for-each-ref", "refs/bisect").Output()
	if err != nil || len(refs) > 0 {
		t.Errorf("the repository has marks: %q, %v", refs, err)
	}
	return state, asked
}

// Every place of the first bad commit is found.
func TestSearch(t *testing.T) {
	repo := repository(t, 9)
	for first := 2; first <= 9; first++ {
		state, asked := walk(t, repo, first)
		if want := fmt.Sprint("commit ", first); state.First.Subject != want || len(state.Candidates) > 0 {
			t.Errorf("found %q, want %q", state.First.Subject, want)
		}
		if len(asked) > 3 {
			t.Errorf("%d steps for 8 commits: %v", len(asked), asked)
		}
	}
}

func TestSearchSkips(t *testing.T) {
	repo := repository(t, 9)
	if state, _ := walk(t, repo, 3, 5, 6); state.First.Subject != "commit 3" {
		t.Errorf("found %q beside commits that cannot be told", state.First.Subject)
	}
	// The first bad one is among those that cannot be told, or right behind.
	state, _ := walk(t, repo, 6, 5, 6)
	var names []string
	for _, c := range state.Candidates {
		names = append(names, c.Subject)
	}
	if want := []string{"commit 5", "commit 6", "commit 7"}; !slices.Equal(names, want) || state.First.SHA != "" {
		t.Errorf("left %v, want %v", names, want)
	}
}

func TestRangeRefuses(t *testing.T) {
	repo := repository(t, 3)
	for _, tt := range []struct{ good, bad, want string }{
		{"c3", "c1", "no ancestor"},
		{"c1", "c1", "same commit"},
		{"none", "c1", `no commit "none"`},
		{"--help", "c1", `no commit "--help"`},
		{"c1", "c9", `no commit "c9"`},
	} {
		if _, _, _, err := Range(t.Context(), repo, tt.good, tt.bad); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s to %s: %v, want %q", tt.good, tt.bad, err, tt.want)
		}
	}
}
