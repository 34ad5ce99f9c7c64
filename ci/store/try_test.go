package store

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Trying changes nothing of what is kept, in an empty store and in one that is in use,
// once and again.
func TestTry(t *testing.T) {
	t.Parallel()
	for _, p := range places(t) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			s := p.open(t)
			for _, when := range []string{"empty", "again", "in use"} {
				if when == "in use" {
					put(t, s, "runs/a.json", "a")
				}
				before, err := p.open(t).List(ctx, runsFolder)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Try(ctx); err != nil {
					t.Errorf("%s: %v", when, err)
				}
				after, err := p.open(t).List(ctx, runsFolder)
				if err != nil || len(after) != len(before) || len(after) > 0 && after[0] != before[0] {
					t.Errorf("%s: %v before, %v after, %v", when, before, after, err)
				}
			}
			put(t, s, "runs/b.json", "b")
		})
	}
}

// A branch that does not exist is not made, and the remote gets no commit.
func TestTryGitLeavesNothing(t *testing.T) {
	t.Parallel()
	remote, s := gitPlace(t)
	if err := s.Try(context.Background()); err != nil {
		t.Fatal(err)
	}
	if refs := runGit(t, remote, "for-each-ref"); refs != "" {
		t.Errorf("the remote got %s", refs)
	}
}

// A remote that is gone, one that cannot be pushed to, and a name that is none are told
// before anything is measured.
func TestTryGitRefusals(t *testing.T) {
	ctx := context.Background()
	gone := open(t, "git:"+filepath.Join(t.TempDir(), "gone.git")+"#x", Options{Cache: t.TempDir()})
	wantError(t, gone.Try(ctx), "gone.git")

	// It can be read and not pushed to.
	remote := bareRepository(t)
	work := filepath.Join(t.TempDir(), "work")
	runGit(t, "", "init", "--quiet", work)
	runGit(t, work, "remote", "add", "origin", remote)
	runGit(t, work, "remote", "set-url", "--push", "origin", filepath.Join(t.TempDir(), "read-only.git"))
	t.Chdir(work)
	s := open(t, "git:origin#perf-data", Options{})
	if _, err := s.List(ctx, ""); err != nil {
		t.Fatal(err)
	}
	wantError(t, s.Try(ctx), "cannot be pushed to", "read-only.git")
	wantError(t, open(t, "git:upstream#perf-data", Options{}).Try(ctx), "no remote named upstream")
	stopped, stop := context.WithCancel(ctx)
	stop()
	if err := s.Try(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// A bucket that may be read and not written to, one that is not there, and a server
// that is not, are told; where one may write and not remove, nothing is removed.
func TestTryS3(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, c := range map[string]struct {
		refused func(r *http.Request) bool
		status  int
		code    string
		want    []string
	}{
		"read only": {func(r *http.Request) bool { return r.Method == http.MethodPut }, 403, "AccessDenied", []string{"cannot be written to", "see AWS_ACCESS_KEY_ID"}},
		"no bucket": {func(r *http.Request) bool { return true }, 404, "NoSuchBucket", []string{"make the bucket bench first"}},
		"no reader": {func(r *http.Request) bool { return r.Method == http.MethodGet }, 403, "AccessDenied", []string{"see AWS_ACCESS_KEY_ID"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeS3(t)
			f.set(&f.fault, func(w http.ResponseWriter, r *http.Request) bool {
				if c.refused(r) {
					s3Fault(w, c.status, c.code)
				}
				return c.refused(r)
			})
			wantError(t, f.open(t, few).Try(ctx), c.want...)
			if len(f.objects) > 0 {
				t.Errorf("something was stored: %v", f.objects)
			}
		})
	}
	f := newFakeS3(t)
	f.set(&f.fault, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			t.Error("something was removed")
		}
		return false
	})
	s := f.open(t, few)
	for range 3 {
		if err := s.Try(ctx); err != nil {
			t.Error(err)
		}
	}
	if f.puts != 1 {
		t.Errorf("%d objects were written in three tries, want one", f.puts)
	}
	f.Close()
	wantError(t, f.open(t, few).Try(ctx), "127.0.0.1")
}

// A folder below a file cannot be made, and a folder that is there gets nothing.
func TestTryFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	wantError(t, open(t, "dir:"+filepath.Join(file, "store"), Options{}).Try(context.Background()), "file")
	dir := filepath.Join(t.TempDir(), "new")
	if err := open(t, "dir:"+dir, Options{}).Try(context.Background()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if err != nil || len(names) > 0 {
		t.Errorf("left behind: %s, %v", strings.Join(names, ", "), err)
	}
}
