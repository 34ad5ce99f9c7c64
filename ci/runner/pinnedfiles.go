package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// pinnedFiles are the files that must not change during a run, by path: the models.
type pinnedFiles map[string]*pinnedFile

// A pinnedFile is a file as it was when the run began.
type pinnedFile struct {
	sum   string // SHA-256, hexadecimal
	stamp os.FileInfo
}

// add reads and remembers a file, once.
func (p pinnedFiles) add(ctx context.Context, path string) (*pinnedFile, error) {
	if known := p[path]; known != nil {
		return known, nil
	}
	stamp, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !stamp.Mode().IsRegular() { // a pipe would be read for ever
		return nil, fmt.Errorf("%s: not a file", path)
	}
	sum, err := hashFile(ctx, path)
	if err != nil {
		return nil, err
	}
	p[path] = &pinnedFile{sum, stamp}
	return p[path], nil
}

// changed says how a file is no longer what it was, "" when it is. It is read
// again only when its time, size or identity has changed; a file that was never
// added is left alone.
func (p pinnedFiles) changed(ctx context.Context, path string) (string, error) {
	known := p[path]
	if known == nil {
		return "", nil
	}
	stamp, err := os.Stat(path)
	if err != nil {
		return fmt.Sprintf("%v: it was there when the run began; put it back, then resume", err), nil
	}
	if stamp.Size() == known.stamp.Size() && stamp.ModTime().Equal(known.stamp.ModTime()) && os.SameFile(stamp, known.stamp) {
		return "", nil
	}
	sum, err := hashFile(ctx, path)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return fmt.Sprintf("%v: it could be read when the run began", err), nil
	case sum != known.sum:
		return fmt.Sprintf("%s changed since the run began: sha256 was %.12s, is %.12s; put it back, or start over", path, known.sum, sum), nil
	}
	known.stamp = stamp // touched, or copied over itself
	return "", nil
}

// hashFile is the SHA-256 of a file, hexadecimal. It stops when ctx ends:
// models take a minute and more to read.
func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.CopyBuffer(struct{ io.Writer }{hash}, &contextReader{ctx, f}, make([]byte, 1<<20)); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(b []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(b)
}
