package build

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A snapshot is the work tree as it is: what is changed, new, removed or staged, and
// nothing that git ignores. The checkout does not notice.
func TestSnapshot(t *testing.T) {
	repo := checkout(t, "one", "two")
	k := keep(t, repo, t.TempDir(), Builder{Command: "mkdir -p out; ls >out/llama-bench; cat speed >>out/llama-bench", Bin: "out"})
	if s, err := k.Snapshot(t.Context()); err != nil || s.Changed != 0 || s.SHA != s.Parent.SHA {
		t.Fatalf("unchanged, and %+v, %v", s, err)
	}
	write(t, filepath.Join(repo, "speed"), "mine")
	write(t, filepath.Join(repo, "new file"), "")
	write(t, filepath.Join(repo, "x.ignored"), "")
	write(t, filepath.Join(repo, "staged"), "")
	run(t, repo, "add", "staged")
	if err := os.Remove(filepath.Join(repo, "tracked")); err != nil {
		t.Fatal(err)
	}
	before := run(t, repo, "status", "--porcelain")
	objects := run(t, repo, "count-objects", "-v")
	s, err := k.Snapshot(t.Context())
	if err != nil || s.Changed != 4 || s.Parent.Subject != "commit 2" || s.SHA == s.Parent.SHA {
		t.Fatalf("%+v, %v", s, err)
	}
	both, err := k.Pair(t.Context(), s.Parent, s.Commit)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(both[1].Bin, "llama-bench"))
	if want := "build.sh\nnew file\nout\nspeed\nstaged\nmine"; err != nil || string(text) != want {
		t.Errorf("built of %q, %v; want %q", text, err, want)
	}
	if after := run(t, repo, "status", "--porcelain"); after != before {
		t.Errorf("the checkout was\n%s\nand is\n%s", before, after)
	}
	if after := run(t, repo, "count-objects", "-v"); after != objects {
		t.Errorf("the checkout has new objects:\n%s", after)
	}
	// The same files are the same build, others are another.
	again, err := k.Snapshot(t.Context())
	if err != nil || again.SHA != s.SHA || k.holding(again.Commit) == 0 {
		t.Errorf("the same files are %+v, %v", again, err)
	}
	write(t, filepath.Join(repo, "speed"), "mine again")
	if other, err := k.Snapshot(t.Context()); err != nil || other.SHA == s.SHA {
		t.Errorf("other files are the same: %v", err)
	}
}

func TestSnapshotRefuses(t *testing.T) {
	repo := checkout(t, "one")
	k := keep(t, repo, t.TempDir(), script)
	model := filepath.Join(repo, "model.bin")
	write(t, model, "")
	if err := os.Truncate(model, mostNewBytes+1); err != nil { // a hole, which takes no room
		t.Fatal(err)
	}
	if _, err := k.Snapshot(t.Context()); err == nil || !strings.Contains(err.Error(), `such as "model.bin"`) {
		t.Errorf("a model beside the sources: %v", err)
	}
	bare := filepath.Join(t.TempDir(), "bare")
	run(t, ".", "clone", "-q", "--bare", repo, bare)
	if _, err := keep(t, bare, t.TempDir(), script).Snapshot(t.Context()); err == nil || !strings.Contains(err.Error(), "no work tree") {
		t.Errorf("a bare repository: %v", err)
	}
}
