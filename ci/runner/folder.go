package runner

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// A folder is the output folder of one run, held against every other.
type folder struct {
	dir  string
	lock *os.File
}

// openFolder creates dir when it is missing and locks it. The system lets go
// of the lock when this process ends, however it ends.
func openFolder(dir string) (*folder, error) {
	if dir == "" {
		return nil, errors.New("no output folder is given")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("output folder: %w; choose one that can be written to", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("output folder: %w; choose one that can be written to", err)
	}
	if err := proc.TryLock(lock); err != nil {
		defer lock.Close()
		if errors.Is(err, proc.ErrLocked) {
			return nil, fmt.Errorf("output folder %s is in use by another run (%s): wait for it to end, or choose another folder", dir, holder(lock))
		}
		return nil, fmt.Errorf("output folder %s cannot be locked: %w; choose one on a local disk", dir, err)
	}
	f := &folder{dir, lock}
	if err := errors.Join(lock.Truncate(0), writeAll(lock, fmt.Sprintf("pid %d\n", os.Getpid()))); err != nil {
		f.close()
		return nil, fmt.Errorf("output folder: %w", err)
	}
	f.sweep()
	return f, nil
}

func writeAll(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// holder is who holds the lock, as its holder wrote it.
func holder(lock *os.File) string {
	text, _ := io.ReadAll(io.LimitReader(lock, 40))
	if who := printable(strings.TrimSpace(string(text))); who != "" {
		return who
	}
	return "just started"
}

// sweep removes what a killed run left half-written.
func (f *folder) sweep() {
	for _, name := range []string{RecordFile, JournalFile} {
		halves, _ := filepath.Glob(filepath.Join(escapeGlob(f.dir), "."+name+".*"))
		for _, half := range halves {
			os.Remove(half)
		}
	}
}

// escapeGlob keeps a folder's name from being read as a pattern.
func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f *folder) has(name string) (bool, error) {
	_, err := os.Lstat(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// close lets go of the lock. The file stays: removing it would let a third run
// lock a new one while a second still waits for the old.
func (f *folder) close() { f.lock.Close() }
