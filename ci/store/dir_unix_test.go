//go:build unix

package store

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Neither a link nor a pipe under a record's name is read: the one may lead to
// another record, the other waits for a writer.
func TestDirReadsPlainFilesAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, "dir:"+dir, Options{})
	put(t, s, "runs/a.json", "{}")
	runs := filepath.Join(dir, "runs")
	if err := os.Symlink("a.json", filepath.Join(runs, "link.json")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(runs, "pipe.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(runs, "folder.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"runs/link.json", "runs/pipe.json", "runs/folder.json"} {
		opened, err := os.OpenFile(filepath.Join(dir, key), os.O_RDWR|syscall.O_NONBLOCK, 0) // or a reader of the pipe would wait
		if err == nil {
			defer opened.Close()
			if key == "runs/pipe.json" {
				opened.WriteString("{}")
			}
		}
		done := make(chan error, 1)
		go func() { _, err := s.Get(t.Context(), key); done <- err }()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), "no regular file") {
				t.Errorf("%s: %v", key, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s: it waits", key)
		}
	}
}
