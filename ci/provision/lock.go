package provision

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// lock takes the cache folder's lock, waiting for whoever has it and saying
// whom it waits for. Closing the file gives the lock back. The file stays: to
// remove it would let two processes lock two files of the same name.
func (f *finder) lock(ctx context.Context) (*os.File, error) {
	if err := os.MkdirAll(f.CacheDir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the cache folder: %w; set LLAMA_REGRESS_CACHE to a folder that can be written", err)
	}
	path := filepath.Join(f.CacheDir, "provision.lock")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the cache folder: %w; set LLAMA_REGRESS_CACHE to a folder that can be written", err)
	}
	if err := f.waitFor(ctx, file); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	host, _ := os.Hostname()
	holder := fmt.Sprintf("process %d on %s since %s\n", os.Getpid(), host, time.Now().Format(time.RFC3339))
	if err := file.Truncate(0); err == nil {
		file.WriteAt([]byte(holder), 0) // who holds it is for people to read; the lock is held either way
	}
	return file, nil
}

func (f *finder) waitFor(ctx context.Context, file *os.File) error {
	start, told := time.Now(), time.Time{}
	for {
		err := proc.TryLock(file)
		if !errors.Is(err, proc.ErrLocked) {
			if err == nil && !told.IsZero() {
				f.logf("waited %s for the lock", time.Since(start).Round(100*time.Millisecond))
			}
			return err
		}
		if time.Since(told) > 30*time.Second {
			told = time.Now()
			f.logf("waiting for the cache folder, locked by %s (or what it started)", holder(file))
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func holder(file *os.File) string {
	text, _ := io.ReadAll(io.NewSectionReader(file, 0, 200))
	if who := strings.TrimSpace(string(text)); who != "" {
		return who
	}
	return "another process"
}
