package bisect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// repository makes one of n commits, each with a tag cN and a build.sh that
// does what the texts say, "" for a build that works.
func repository(t *testing.T, builds ...string) string {
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
	for i, build := range builds {
		script := fmt.Sprintf("echo built >>tracked\n%s\nmkdir -p out && echo %d >out/llama-bench\n", build, i+1)
		for name, text := range map[string]string{"build.sh": script, "tracked": fmt.Sprintln(i)} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		run("-C", dir, "add", ".")
		run("-C", dir, "commit", "-q", "-m", fmt.Sprint("commit ", i+1))
		run("-C", dir, "tag", fmt.Sprint("c", i+1))
	}
	return dir
}

func clone(t *testing.T, repo string) *Clone {
	t.Helper()
	c, err := NewClone(context.Background(), repo, filepath.Join(t.TempDir(), "clone"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// walk bisects with the given marks by number of the commit, Good before first
// and Bad from it on, and returns how it ended and which commits were asked for.
func walk(t *testing.T, builds []string, first int) (State, []string) {
	t.Helper()
	ctx := context.Background()
	c := clone(t, repository(t, builds...))
	good, bad, between, err := c.Range(ctx, "c1", "main")
	if err != nil || between != len(builds)-1 {
		t.Fatal(between, err)
	}
	search, state, err := Begin(ctx, c, good, bad)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	b := Builder{Command: "sh build.sh", Bin: "out", Timeout: time.Minute}
	for !state.Over() {
		asked = append(asked, state.Next.Subject)
		if len(asked) > len(builds) {
			t.Fatalf("goes round in circles: %v", asked)
		}
		var n int
		fmt.Sscanf(state.Next.Subject, "commit %d", &n)
		mark := Good
		if n >= first {
			mark = Bad
		}
		bin, err := b.Build(ctx, c, state.Next, filepath.Join(t.TempDir(), "log"))
		var broken *BuildError
		if errors.As(err, &broken) {
			mark = Skip
		} else if err != nil {
			t.Fatal(err)
		} else if text, err := os.ReadFile(filepath.Join(bin, "llama-bench")); err != nil || strings.TrimSpace(string(text)) != fmt.Sprint(n) {
			t.Fatalf("%s built %q, %v", state.Next.Subject, text, err)
		}
		if state, err = search.Mark(ctx, state.Next.SHA, mark); err != nil {
			t.Fatal(err)
		}
	}
	if err := search.End(ctx); err != nil {
		t.Fatal(err)
	}
	if refs, err := c.git(ctx, "for-each-ref", "refs/bisect/"); err != nil || refs != "" {
		t.Errorf("left behind: %q, %v", refs, err)
	}
	return state, asked
}

// Every place of the first bad commit is found, whatever builds leave behind.
func TestSearch(t *testing.T) {
	for first := 2; first <= 9; first++ {
		state, asked := walk(t, make([]string, 9), first)
		if want := fmt.Sprint("commit ", first); state.First.Subject != want || len(state.Candidates) > 0 {
			t.Errorf("found %q, want %q", state.First.Subject, want)
		}
		if len(asked) > 3 {
			t.Errorf("%d steps for 8 commits: %v", len(asked), asked)
		}
	}
}

func TestSearchSkips(t *testing.T) {
	builds := make([]string, 9)
	builds[4], builds[5] = "echo 'x.c:1: error: no' >&2; exit 1", "exit 0"
	if state, _ := walk(t, builds, 3); state.First.Subject != "commit 3" {
		t.Errorf("found %q beside commits that do not build", state.First.Subject)
	}
	// The first bad one is among those that cannot be built, or right behind.
	state, _ := walk(t, builds, 6)
	var names []string
	for _, c := range state.Candidates {
		names = append(names, c.Subject)
	}
	if want := []string{"commit 5", "commit 6", "commit 7"}; !slices.Equal(names, want) || state.First.SHA != "" {
		t.Errorf("left %v, want %v", names, want)
	}
}

func TestRangeRefuses(t *testing.T) {
	ctx := context.Background()
	repo := repository(t, "", "", "")
	c := clone(t, repo)
	for _, tt := range []struct{ good, bad, want string }{
		{"c3", "c1", "no ancestor"},
		{"c1", "c1", "same commit"},
		{"none", "c1", `no commit "none"`},
		{"--help", "c1", `no commit "--help"`},
		{"c1", "c9", `no commit "c9"`},
	} {
		if _, _, _, err := c.Range(ctx, tt.good, tt.bad); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s to %s: %v, want %q", tt.good, tt.bad, err, tt.want)
		}
	}
	if _, err := NewClone(ctx, t.TempDir(), filepath.Join(t.TempDir(), "x")); err == nil || !strings.Contains(err.Error(), "no git repository") {
		t.Errorf("no repository: %v", err)
	}
}

// What a build does wrong is said in a line, with the place of the rest.
func TestBuildFaults(t *testing.T) {
	ctx := context.Background()
	c := clone(t, repository(t, ""))
	commit, err := c.Commit(ctx, "c1")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, command, want string
		timeout             time.Duration
	}{
		{"compiler", "echo 'a.c:3: error: no such type'; echo make: stop; exit 2", "a.c:3: error: no such type", 0},
		{"silent", "exit 3", "exit status 3", 0},
		{"no program", "mkdir -p elsewhere", "left no llama-bench in out", 0},
		{"endless", "sleep 600 & sleep 600", "not done after 50ms", 50 * time.Millisecond},
		{"chatty", "yes x | head -c 300000; echo the end; exit 1", "the end", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "log")
			_, err := Builder{Command: tt.command, Bin: "out", Timeout: tt.timeout}.Build(ctx, c, commit, log)
			var broken *BuildError
			if !errors.As(err, &broken) || !strings.Contains(broken.Why, tt.want) || broken.Log != log {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := (Builder{Command: "sleep 600", Bin: "out"}).Build(stopped, c, commit, filepath.Join(t.TempDir(), "log")); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// A commit may be anybody's: what it runs while it is built gets no secret.
func TestBuildInheritsNoSecrets(t *testing.T) {
	for _, name := range []string{"GITHUB_TOKEN", "LLAMA_REGRESS_GIT_TOKEN", "ACTIONS_RUNTIME_TOKEN", "GITHUB_ENV"} {
		t.Setenv(name, "not-for-you")
	}
	t.Setenv("A_SETTING", "for-you")
	c := clone(t, repository(t, ""))
	commit, err := c.Commit(t.Context(), "c1")
	if err != nil {
		t.Fatal(err)
	}
	dump := filepath.Join(t.TempDir(), "dump")
	if _, err := (Builder{Command: "env >'" + dump + "'; sh build.sh", Bin: "out"}).Build(t.Context(), c, commit, filepath.Join(t.TempDir(), "log")); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(dump)
	if err != nil || strings.Contains(string(data), "not-for-you") || !strings.Contains(string(data), "A_SETTING=for-you") {
		t.Errorf("%v; the build inherits\n%s", err, data)
	}
}
