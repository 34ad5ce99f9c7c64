package record_test

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// The disk fills up half way through a record: this binary, run again under a
// limit on the size of files, stands for it.
func TestWriteFileOnAFullDisk(t *testing.T) {
	if path := os.Getenv("RECORD_TEST_FULL_DISK"); path != "" {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: 4096}); err != nil {
			t.Fatal(err)
		}
		long := example()
		long.Notes = []string{strings.Repeat("x", 1<<16)}
		err := record.WriteFile(path, long)
		if err == nil || !strings.Contains(err.Error(), "file too large") || !strings.Contains(err.Error(), path) {
			t.Fatalf("error %v, want that the file is too large", err)
		}
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "run.json")
	if err := record.WriteFile(path, example()); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestWriteFileOnAFullDisk$")
	child.Env = append(os.Environ(), "RECORD_TEST_FULL_DISK="+path)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	onlyExample(t, dir)
}
