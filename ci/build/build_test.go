package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "protocol.file.allow=always"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@x", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@x")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkout makes a repository of commits whose build copies the file speed to
// llama-bench, dirties a file of git's, and counts itself in a file that stays.
func checkout(t *testing.T, speeds ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "init", "-q", "-b", "main")
	write(t, filepath.Join(dir, "build.sh"), "set -e\necho built >>tracked\nmkdir -p out\necho . >>out/count\ncp speed out/llama-bench\n")
	write(t, filepath.Join(dir, "tracked"), "")
	write(t, filepath.Join(dir, ".gitignore"), "*.ignored\nout\n")
	for i, speed := range speeds {
		write(t, filepath.Join(dir, "speed"), speed)
		run(t, dir, "add", ".")
		run(t, dir, "commit", "-q", "-m", fmt.Sprint("commit ", i+1))
		run(t, dir, "tag", fmt.Sprint("c", i+1))
	}
	return dir
}

var script = Builder{Command: "sh build.sh", Bin: "out", Programs: []string{"llama-bench"}, Timeout: time.Minute}

func keep(t *testing.T, repo, dir string, b Builder) *Kept {
	t.Helper()
	r, err := Open(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	k, err := Keep(t.Context(), r, dir, b)
	if err != nil {
		t.Fatal(err)
	}
	k.Logs = t.TempDir()
	t.Cleanup(func() { k.Close() })
	return k
}

// pair builds two revisions and checks what their programs are.
func pair(t *testing.T, k *Kept, a, b, wantA, wantB string) [2]Build {
	t.Helper()
	var commits [2]Commit
	for i, rev := range []string{a, b} {
		c, err := k.repo.Commit(t.Context(), rev)
		if err != nil {
			t.Fatal(err)
		}
		commits[i] = c
	}
	both, err := k.Pair(t.Context(), commits[0], commits[1])
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{wantA, wantB} {
		if text, err := os.ReadFile(filepath.Join(both[i].Bin, "llama-bench")); err != nil || string(text) != want {
			t.Fatalf("%s is %q, %v; want %q", both[i].Commit.Subject, text, err, want)
		}
	}
	if both[0].Bin == both[1].Bin {
		t.Fatal("one folder for two builds")
	}
	return both
}

// What is kept is not built again, in whatever order it is asked for; another commit
// is built on the one that is not asked for.
func TestKept(t *testing.T) {
	repo, dir := checkout(t, "one", "two", "three"), t.TempDir()
	k := keep(t, repo, dir, script)
	first := pair(t, k, "c1", "c2", "one", "two")
	if !first[0].Fresh || !first[1].Fresh {
		t.Error("found before anything was built")
	}
	for _, rev := range [][2]string{{"c1", "c2"}, {"c2", "c1"}} {
		for _, b := range pair(t, k, rev[0], rev[1], map[string]string{"c1": "one", "c2": "two"}[rev[0]], map[string]string{"c1": "one", "c2": "two"}[rev[1]]) {
			if b.Fresh {
				t.Errorf("%v: %s is built again", rev, b.Commit.Subject)
			}
		}
	}
	k.Close()
	k = keep(t, repo, dir, script) // the next command
	next := pair(t, k, "c3", "c1", "three", "one")
	if next[1].Fresh || !next[0].Fresh || next[0].Bin != first[1].Bin {
		t.Errorf("c1 built again, or c3 not in the place of c2: %+v", next)
	}
	if count, err := os.ReadFile(filepath.Join(next[0].Bin, "count")); err != nil || string(count) != ".\n.\n" {
		t.Errorf("c3 was built from nothing: %q, %v", count, err)
	}
	other := script
	other.Command = "sh build.sh # with another flag"
	if pair(t, keep(t, repo, dir, other), "c1", "c2", "one", "two")[0].Bin == first[0].Bin {
		t.Error("another command, and the same build")
	}
	needs := k.Builder
	needs.Programs = []string{"llama-bench", "llama-server"}
	k.Builder = needs
	if c, _ := k.repo.Commit(t.Context(), "c1"); k.holding(c) != 0 {
		t.Error("a build without llama-server is held for one with it")
	}
	if status := run(t, repo, "status", "--porcelain"); status != "" {
		t.Errorf("the checkout is changed: %s", status)
	}
}

// Two commands do not build in one place at the same time.
func TestKeptIsLocked(t *testing.T) {
	repo, dir := checkout(t, "one"), t.TempDir()
	k := keep(t, repo, dir, script)
	if _, err := Keep(t.Context(), k.repo, dir, script); err == nil || !strings.Contains(err.Error(), "--builds DIR") {
		t.Errorf("got %v", err)
	}
}

// Revisions mean what they mean in the checkout, also those that came after the clones.
func TestRevisionsOfTheCheckout(t *testing.T) {
	upstream := checkout(t, "one", "two")
	fork := filepath.Join(t.TempDir(), "fork")
	run(t, ".", "clone", "-q", "--no-tags", "-o", "upstream", upstream, fork)
	run(t, fork, "checkout", "-q", "-b", "work", "upstream/main")
	run(t, fork, "branch", "-q", "-D", "main")
	dir := t.TempDir()
	k := keep(t, fork, dir, script)
	pair(t, k, "upstream/main~1", "upstream/main", "one", "two")
	if _, err := k.repo.Commit(t.Context(), "c1"); err == nil || !strings.Contains(err.Error(), "git -C "+fork+" fetch --tags") {
		t.Errorf("an unknown tag: %v", err)
	}
	write(t, filepath.Join(upstream, "speed"), "three")
	run(t, upstream, "commit", "-q", "-a", "-m", "commit 3")
	run(t, fork, "fetch", "-q", "--tags", "upstream")
	pair(t, k, "c1", "upstream/main", "one", "three")
	pair(t, k, "HEAD", "c1", "two", "one")
	head, _ := k.repo.Commit(t.Context(), "HEAD")
	write(t, filepath.Join(fork, "speed"), "mine")
	run(t, fork, "commit", "-q", "-a", "-m", "mine")
	mine, _ := k.repo.Commit(t.Context(), "HEAD")
	if base, branch, err := k.repo.ForkPoint(t.Context(), mine); err != nil || base.SHA != head.SHA || branch != "upstream/HEAD" {
		t.Errorf("left %s at %+v, %v", branch, base, err)
	}
}

// A partial clone's files are fetched from where its own git gets them.
func TestPartialClone(t *testing.T) {
	upstream := checkout(t, "one", "two", "three")
	run(t, upstream, "config", "uploadpack.allowFilter", "true")
	run(t, upstream, "config", "uploadpack.allowAnySHA1InWant", "true")
	for _, filter := range []string{"blob:none", "tree:0"} {
		partial := filepath.Join(t.TempDir(), "partial")
		run(t, ".", "clone", "-q", "--filter="+filter, "file://"+upstream, partial)
		pair(t, keep(t, partial, t.TempDir(), script), "c1", "c2", "one", "two")
	}
	partial := filepath.Join(t.TempDir(), "partial")
	run(t, ".", "clone", "-q", "--filter=blob:none", "file://"+upstream, partial)
	run(t, partial, "remote", "set-url", "origin", "file:///nowhere")
	k := keep(t, partial, t.TempDir(), script)
	c, err := k.repo.Commit(t.Context(), "c1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Pair(t.Context(), c, c); err == nil || !strings.Contains(err.Error(), "is a partial clone and lacks") || !strings.Contains(err.Error(), "git -C "+partial+" archive "+c.SHA) {
		t.Errorf("without its remote: %v", err)
	}
}

// A shallow clone that got deeper is as deep for the builds; a repository that was
// made anew in the same folder is cloned anew.
func TestClonesFollow(t *testing.T) {
	upstream := checkout(t, "one", "two", "three")
	shallow := filepath.Join(t.TempDir(), "shallow")
	run(t, ".", "clone", "-q", "--depth", "2", "file://"+upstream, shallow)
	b := script
	b.Command += "; git rev-list --count HEAD >out/llama-bench"
	k := keep(t, shallow, t.TempDir(), b)
	pair(t, k, "HEAD", "HEAD~1", "2\n", "1\n")
	run(t, shallow, "fetch", "-q", "--unshallow")
	pair(t, k, "HEAD", "HEAD~2", "2\n", "1\n") // HEAD was kept
	pair(t, k, "HEAD~1", "HEAD~2", "2\n", "1\n")
	k.Close()

	if err := os.RemoveAll(shallow); err != nil {
		t.Fatal(err)
	}
	again := checkout(t, "four", "five")
	if err := os.Rename(again, shallow); err != nil {
		t.Fatal(err)
	}
	pair(t, keep(t, shallow, filepath.Dir(k.dir), b), "c1", "c2", "1\n", "2\n")
}

// What a build does wrong is said in a line, with the place of the rest.
func TestBuildFaults(t *testing.T) {
	repo := checkout(t, "one", "two")
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
			k := keep(t, repo, t.TempDir(), Builder{Command: tt.command, Bin: "out", Programs: script.Programs, Timeout: tt.timeout})
			c, _ := k.repo.Commit(t.Context(), "c1")
			_, err := k.Pair(t.Context(), c, c)
			var broken *Error
			if !errors.As(err, &broken) || !strings.Contains(broken.Why, tt.want) || broken.Log != filepath.Join(k.Logs, "build-"+c.Short()+".log") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if k.holding(c) != 0 {
				t.Error("what failed is kept")
			}
		})
	}
	// A full disk says nothing about the commit.
	k := keep(t, repo, t.TempDir(), Builder{Command: "echo 'fatal error: error writing to x.o: No space left on device' >&2; exit 1", Bin: "out"})
	c, _ := k.repo.Commit(t.Context(), "c1")
	var broken *Error
	if _, err := k.Pair(t.Context(), c, c); !errors.Is(err, ErrFull) || errors.As(err, &broken) || !strings.Contains(err.Error(), k.dir) {
		t.Errorf("a full disk: %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := k.Pair(stopped, c, c); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if _, err := Open(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "no git repository") {
		t.Errorf("no repository: %v", err)
	}
}

// A commit may be anybody's: what it runs while it is built gets no secret, and no
// repository but its own. The user's language and number of jobs stay.
func TestBuildEnvironment(t *testing.T) {
	for _, name := range []string{"GITHUB_TOKEN", "LLAMA_REGRESS_GIT_TOKEN", "ACTIONS_RUNTIME_TOKEN", "GITHUB_ENV", "GIT_INDEX_FILE"} {
		t.Setenv(name, "not-for-you")
	}
	t.Setenv("A_SETTING", "for-you")
	t.Setenv("LANG", "C.UTF-8")
	os.Unsetenv("LC_ALL")
	dump := filepath.Join(t.TempDir(), "dump")
	b := script
	b.Command = "env >'" + dump + "'; sh build.sh"
	b.Programs = []string{"llama-bench"}
	repo := checkout(t, "one", "two")
	pair(t, keep(t, repo, t.TempDir(), b), "c1", "c2", "one", "two")
	env, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	text := "\n" + string(env)
	for _, want := range []string{"\nA_SETTING=for-you\n", "\nLANG=C.UTF-8\n", "\nLLAMA_REGRESS_TARGETS=llama-bench\n", "\nCMAKE_BUILD_PARALLEL_LEVEL="} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, env)
		}
	}
	for _, no := range []string{"not-for-you", "\nLC_ALL=", "\nLC_MESSAGES="} {
		if strings.Contains(text, no) {
			t.Errorf("%q in\n%s", no, env)
		}
	}
	t.Setenv("CMAKE_BUILD_PARALLEL_LEVEL", "3")
	if env := strings.Join(b.environment("x"), "\n"); strings.Count(env, "CMAKE_BUILD_PARALLEL_LEVEL") != 1 || !strings.Contains(env, "CMAKE_BUILD_PARALLEL_LEVEL=3") {
		t.Errorf("the user's number of jobs is overridden: %s", env)
	}
}
