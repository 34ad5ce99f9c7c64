package record

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

// A file is asked for on the disk before it gets its name: the null device takes
// what is written and cannot be asked.
func TestFilesAreSynced(t *testing.T) {
	f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := fill(f, func(f *os.File) error { _, err := f.Write([]byte("x")); return err }); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("%v, want what the kernel says to fsync", err)
	}
}
