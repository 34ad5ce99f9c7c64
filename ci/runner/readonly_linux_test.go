package runner_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/llama-regress/llama-regress/ci/runner"
)

// asNobody runs f with no right to write to root's files; elsewhere than as
// root that is so anyway.
func asNobody(f func()) {
	if os.Getuid() != 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		syscall.Setfsuid(65534)
		f()
	}()
	<-done
}

func TestReadOnlyFolderIsRefused(t *testing.T) {
	root := t.TempDir()
	p := makePlan(t, root, 1)
	for dir := root; dir != os.TempDir() && len(dir) > 1; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cut := options(filepath.Join(root, "cut"))
	cut.Resume = true
	journal := interruptAt(t, p, cut.Dir, 2)
	for _, path := range []string{cut.Dir, root} {
		if err := os.Chmod(path, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(path, 0o755) })
	}
	asNobody(func() {
		refuse(t, p, options(filepath.Join(root, "new")), "output folder", "permission denied", "can be written to")
		refuse(t, p, cut, "output folder", "permission denied", "can be written to")
	})
	if now, err := os.ReadFile(filepath.Join(cut.Dir, runner.JournalFile)); err != nil || string(now) != string(journal) {
		t.Errorf("the journal changed: %v", err)
	}
}
