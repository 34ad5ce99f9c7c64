package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/fixtures/fakeprogram"
)

func gitPlace(t *testing.T) (remote string, s *gitStore) {
	remote = bareRepository(t)
	return remote, open(t, "git:"+remote+"#perf-data", Options{Cache: t.TempDir()}).(*gitStore)
}

// hook makes the remote run a script.
func hook(t *testing.T, remote, name, script string) {
	t.Helper()
	path := filepath.Join(remote, "hooks", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := fakeprogram.WriteScript(path, "#!/bin/sh\n"+script+"\n"); err != nil {
		t.Fatal(err)
	}
}

// Someone pushes between our look at the branch and our push: the push is
// refused, and done again on top of theirs.
func TestGitNonFastForward(t *testing.T) {
	t.Parallel()
	remote, s := gitPlace(t)
	put(t, s, "runs/a.json", "a")
	other := open(t, "git:"+remote+"#perf-data", Options{Cache: t.TempDir()})
	tries := 0
	blob, err := s.git(context.Background(), []byte("ours"), "hash-object", "-w", "--stdin")
	if err != nil {
		t.Fatal(err)
	}
	err = s.change(context.Background(), "add", func(string) (string, error) {
		if tries++; tries < 4 {
			put(t, other, "runs/theirs"+strings.Repeat("x", tries)+".json", "theirs")
		}
		return "100644 " + strings.TrimSpace(string(blob)) + "\truns/ours.json\x00", nil
	})
	if err != nil || tries != 4 {
		t.Errorf("%d tries, %v", tries, err)
	}
	want := "runs/a.json\nruns/ours.json\nruns/theirsx.json\nruns/theirsxx.json\nruns/theirsxxx.json"
	if got := runGit(t, remote, "ls-tree", "-r", "--name-only", "perf-data"); got != want {
		t.Errorf("the branch holds\n%s", got)
	}
	if n := runGit(t, remote, "rev-list", "--count", "perf-data"); n != "5" {
		t.Errorf("%s commits, want 5 in one line", n)
	}
}

// The branch is what it is now: what someone took out stays out, and what is
// added is added to that.
func TestGitRewrittenBranch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	remote, s := gitPlace(t)
	for _, key := range []string{"runs/a.json", "runs/b.json", "runs/c.json"} {
		put(t, s, key, key)
	}
	work := filepath.Join(t.TempDir(), "work")
	runGit(t, "", "clone", "--quiet", "--branch", "perf-data", remote, work)
	runGit(t, work, "checkout", "--quiet", "--orphan", "fresh")
	runGit(t, work, "rm", "--quiet", "--cached", "runs/b.json")
	runGit(t, work, "commit", "--quiet", "-m", "smaller")
	runGit(t, work, "push", "--quiet", "--force", "origin", "fresh:perf-data")

	listing := func() (keys []string) {
		objects, err := s.List(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			keys = append(keys, o.Key)
		}
		return keys
	}
	if diff := cmp.Diff([]string{"runs/a.json", "runs/c.json"}, listing()); diff != "" {
		t.Error(diff)
	}
	put(t, s, "runs/d.json", "d")
	if n := runGit(t, remote, "rev-list", "--count", "perf-data"); n != "2" {
		t.Errorf("%s commits, want one on top of the rewritten one", n)
	}

	runGit(t, remote, "update-ref", "-d", "refs/heads/perf-data")
	if diff := cmp.Diff([]string(nil), listing()); diff != "" {
		t.Error(diff)
	}
	put(t, s, "runs/e.json", "e")
	if diff := cmp.Diff([]string{"runs/e.json"}, listing()); diff != "" {
		t.Error(diff)
	}
}

// The push arrives and the answer does not: what is there is ours.
func TestGitLostAnswer(t *testing.T) {
	t.Parallel()
	remote, s := gitPlace(t)
	hook(t, remote, "post-receive", `mkdir was-here 2>/dev/null && kill -9 $PPID; exit 0`)
	put(t, s, "runs/a.json", "a")
	if n := runGit(t, remote, "rev-list", "--count", "perf-data"); n != "1" {
		t.Errorf("%s commits", n)
	}
	if _, err := os.Stat(filepath.Join(remote, "was-here")); err != nil {
		t.Error("the answer was not lost: the test tests nothing")
	}
	if err := s.Put(context.Background(), "runs/a.json", []byte("a")); !errors.Is(err, ErrExists) {
		t.Errorf("a second put of the same bytes: %v", err)
	}
}

func TestGitRefusals(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	remote, s := gitPlace(t)
	put(t, s, "runs/a.json", "a")
	hook(t, remote, "pre-receive", `echo "GH006: \033[2JProtected branch update failed" >&2; exit 1`)
	err := s.Put(ctx, "runs/b.json", []byte("b"))
	wantError(t, err, s.String(), "GH006", "nothing was stored")
	if strings.ContainsAny(err.Error(), "\x1b\n") {
		t.Errorf("%q cannot be printed", err)
	}
	if objects, err := s.List(ctx, ""); err != nil || len(objects) != 1 {
		t.Errorf("the store became unusable: %v, %v", objects, err)
	}
	gone := open(t, "git:"+filepath.Join(t.TempDir(), "gone.git")+"#x", Options{Cache: t.TempDir()})
	_, err = gone.List(ctx, "")
	wantError(t, err, "gone.git")
	wantError(t, gone.Put(ctx, "runs/a.json", nil), "gone.git")
}

// A remote that never answers ends in an error.
func TestGitStalledRemote(t *testing.T) {
	t.Setenv("GIT_SSH_COMMAND", "sleep 3;")
	s := open(t, "git:ssh://perf@example.invalid/x.git#perf-data", Options{Cache: t.TempDir(), Timeout: 200 * time.Millisecond})
	_, err := s.List(context.Background(), "")
	wantError(t, err, "took longer than 200ms", "git ls-remote")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.List(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// A branch may hold what others put there. It is left alone.
func TestGitForeignFiles(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	remote, s := gitPlace(t)
	work := filepath.Join(t.TempDir(), "work")
	runGit(t, "", "init", "--quiet", work)
	write := func(name, data string) {
		path := filepath.Join(work, name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("README.md", "our numbers")
	write(".gitattributes", "* text eol=crlf\n")
	write("runs/m/a\x1b\nb.json", "{}")
	if err := os.Symlink("/a/b", filepath.Join(work, "runs", "m", "link.json")); err != nil {
		t.Fatal(err)
	}
	runGit(t, work, "add", ".")
	runGit(t, work, "commit", "--quiet", "-m", "theirs")
	runGit(t, work, "push", "--quiet", remote, "HEAD:refs/heads/perf-data")

	run := testRun(night, 1, 1)
	key := keep(t, s, run)
	c := load(t, s, LoadOptions{})
	if len(c.Sessions) != 1 || len(c.Faults) != 1 || strings.ContainsAny(c.Faults[0].Error(), "\x1b\n") {
		t.Errorf("%d sessions, faults %v", len(c.Sessions), c.Faults)
	}
	if _, err := s.Get(ctx, "runs/m/link.json"); err != nil && strings.Contains(err.Error(), "root:") {
		t.Error("followed a link")
	}
	names := runGit(t, remote, "ls-tree", "-r", "--name-only", "perf-data")
	for _, name := range []string{"README.md", ".gitattributes", "link.json", key} {
		if !strings.Contains(names, name) {
			t.Errorf("%s is gone from %s", name, names)
		}
	}
	if data, err := s.Get(ctx, key); err != nil || strings.Contains(string(data), "\r") {
		t.Errorf("attributes changed the bytes: %v", err)
	}
}

// By the name of a remote, everything passes through the repository we stand
// in, and its work tree never notices.
func TestGitRemoteByName(t *testing.T) {
	remote := bareRepository(t)
	work := filepath.Join(t.TempDir(), "work")
	runGit(t, "", "init", "--quiet", work)
	runGit(t, work, "remote", "add", "origin", remote)
	if err := os.WriteFile(filepath.Join(work, "code.c"), []byte("int x;"), 0o644); err != nil {
		t.Fatal(err)
	}
	runGit(t, work, "add", ".")
	runGit(t, work, "commit", "--quiet", "-m", "code")
	hook(t, filepath.Join(work, ".git"), "pre-push", "echo no >&2; exit 1") // is for people's pushes
	before := runGit(t, work, "status", "--porcelain", "--branch") + runGit(t, work, "for-each-ref", "refs/heads", "refs/tags")
	t.Chdir(work)
	hook(t, filepath.Join(work, ".git"), "reference-transaction", "exit 1")
	t.Setenv("GIT_INDEX_FILE", filepath.Join(t.TempDir(), "of-a-hook")) // as inside a hook
	t.Setenv("GIT_OBJECT_DIRECTORY", t.TempDir())

	s := open(t, "git:origin#perf-data", Options{})
	key := keep(t, s, testRun(night, 1, 1))
	if c := load(t, s, LoadOptions{}); len(c.Sessions) != 1 {
		t.Errorf("%+v", c)
	}
	os.Unsetenv("GIT_INDEX_FILE")
	os.Unsetenv("GIT_OBJECT_DIRECTORY")
	if c := load(t, s, LoadOptions{}); len(c.Sessions) != 1 {
		t.Errorf("outside of the hook: %+v", c)
	}
	after := runGit(t, work, "status", "--porcelain", "--branch") + runGit(t, work, "for-each-ref", "refs/heads", "refs/tags")
	if before != after {
		t.Errorf("the work tree was touched:\n%s\n%s", before, after)
	}
	if got := runGit(t, remote, "ls-tree", "-r", "--name-only", "perf-data"); got != key {
		t.Errorf("the branch holds %q", got)
	}
	if n := runGit(t, remote, "for-each-ref"); strings.Count(n, "\n") != 0 {
		t.Errorf("the remote got more than the branch:\n%s", n)
	}
	_, err := open(t, "git:upstream#perf-data", Options{}).List(context.Background(), "")
	wantError(t, err, "no remote named upstream")
	_, err = open(t, "git:"+remote+"#perf-data", Options{}).List(context.Background(), "")
	wantError(t, err, "need a cache folder")
}

// Relative references of two folders are two stores, and keep apart in the cache.
func TestRelativeReferences(t *testing.T) {
	cache := t.TempDir()
	for i, ref := range []string{"dir:store", "git:store#x", "git:./store#x", "dir:./store"} {
		ids := make(map[string]bool)
		for j := range 2 {
			folder := t.TempDir()
			runGit(t, folder, "init", "--quiet", "--bare", "store")
			t.Chdir(folder)
			s := open(t, ref, Options{Cache: cache})
			keep(t, s, testRun(night.AddDate(0, i, j), 1, 1))
			if c := load(t, s, LoadOptions{Cache: cache}); len(c.Sessions) != 1 {
				t.Errorf("%s: %d sessions", ref, len(c.Sessions))
			}
			ids[identity(s)] = true
		}
		if len(ids) != 2 {
			t.Errorf("%s: %v", ref, ids)
		}
	}
}

// What killed processes leave in the cache keeps nobody from working.
func TestGitLeftovers(t *testing.T) {
	t.Parallel()
	remote, s := gitPlace(t)
	put(t, s, "runs/a.json", "a")
	put(t, open(t, "git:"+remote+"#perf-data", Options{Cache: t.TempDir()}), "runs/b.json", "b")
	lock := filepath.Join(s.dir, filepath.FromSlash(s.tracked())+".lock")
	if err := os.WriteFile(lock, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(lock, old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(filepath.Dir(s.dir), ".new-1", "objects"), 0o755); err != nil {
		t.Fatal(err)
	}
	if objects, err := s.List(context.Background(), ""); err != nil || len(objects) != 2 {
		t.Errorf("%v, %v", objects, err)
	}
	put(t, s, "runs/c.json", "c")
	// A repository of which half is gone is made again.
	if err := os.Remove(filepath.Join(s.dir, "HEAD")); err != nil {
		t.Fatal(err)
	}
	again := open(t, s.String(), s.opts)
	if objects, err := again.List(context.Background(), ""); err != nil || len(objects) != 3 {
		t.Errorf("%v, %v", objects, err)
	}
}

func TestGitReferences(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"git:":                               "want git:REMOTE#BRANCH",
		"git:origin":                         "want git:REMOTE#BRANCH",
		"git:#x":                             "is no git remote",
		"git:--upload-pack=true#x":           "is no git remote",
		"git:ext::sh -c true#x":              "is no git remote",
		"git:a\x1bb#x":                       "is no git remote",
		"git:origin#":                        "is no name of a branch",
		"git:origin#refs/heads/perf-data":    "want the name of a branch alone, such as perf-data",
		"git:origin#-x":                      "is no name of a branch",
		"git:origin#a..b":                    "is no name of a branch",
		"git:origin#a b":                     "is no name of a branch",
		"git:origin#a.lock":                  "is no name of a branch",
		"git:origin#a/../b":                  "is no name of a branch",
		"git:origin#a:refs/heads/main":       "is no name of a branch",
		"git:https://u:secret@example.org#x": "credentials in a URL",
		"git:https://secret@example.org/x#x": "credentials in a URL",
		"git:ssh://u:secret@example.org/x#x": "credentials in a URL",
		"folder":                             "want dir:PATH",
		"https://u:secret@example.org/x":     "want dir:PATH",
		"dir:":                               "want dir:PATH",
	} {
		_, err := Open(ref, Options{})
		wantError(t, err, want)
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q is not fit for a log", err)
		}
	}
	for _, ref := range []string{"git:git@github.com:o/r.git#perf-data", "git:ssh://git@github.com/o/r#perf/data.v1", "git:https://github.com/o/r#x", "git:../other#x"} {
		if _, err := Open(ref, Options{}); err != nil {
			t.Error(err)
		}
	}
}

// The token reaches git by its environment alone, and only for https.
func TestGitToken(t *testing.T) {
	getenv := func(name string) string {
		return map[string]string{TokenVariable: "s3cret", "GIT_CONFIG_COUNT": "2"}[name]
	}
	for remote, want := range map[string]bool{"https://github.com/o/r": true, "ssh://git@github.com/o/r": false, "http://github.com/o/r": false} {
		s, err := Open("git:"+remote+"#x", Options{Getenv: getenv})
		if err != nil {
			t.Fatal(err)
		}
		env := strings.Join(s.(*gitStore).environment(), "\n")
		has := strings.Contains(env, "GIT_CONFIG_COUNT=3\nGIT_CONFIG_KEY_2=http.https://github.com/.extraHeader\nGIT_CONFIG_VALUE_2=Authorization: Basic eC1hY2Nlc3MtdG9rZW46czNjcmV0")
		if has != want || strings.Contains(env, "s3cret") {
			t.Errorf("%s: %v, want %v", remote, has, want)
		}
	}
}

// The lock of another process that is at work stays; that of one that died long
// ago goes.
func TestGitLeavesAFreshLock(t *testing.T) {
	t.Parallel()
	g := &gitStore{remote: "r", branch: "b", dir: t.TempDir()}
	lock := filepath.Join(g.dir, filepath.FromSlash(g.tracked())+".lock")
	if err := os.MkdirAll(filepath.Dir(lock), 0o755); err != nil {
		t.Fatal(err)
	}
	for age, stays := range map[time.Duration]bool{0: true, 5 * time.Minute: true, time.Hour: false} {
		if err := os.WriteFile(lock, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(lock, at, at); err != nil {
			t.Fatal(err)
		}
		g.unlock()
		if _, err := os.Stat(lock); (err == nil) != stays {
			t.Errorf("a lock of %v: it stays %v, want %v", age, err == nil, stays)
		}
	}
}
