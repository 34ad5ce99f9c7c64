package sharegpt

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

const (
	maxPlain      = 8 << 30  // bytes after decompression
	maxZstdWindow = 16 << 20 // bytes; zstd's levels up to 19 use 8 MiB
	blockSize     = 256 << 10
)

// A source is an open dataset: Read gives its text, decompressed.
type source struct {
	io.Reader
	suffix string // of the format: "", "+gzip" or "+zstd"
	stored *stored
	close  func() error
}

// open opens the dataset, whichever way it is compressed.
func open(ctx context.Context, path string) (*source, error) {
	info, err := os.Stat(path) // before opening, which waits at a pipe
	switch {
	case err != nil:
		return nil, errors.Unwrap(err) // which would name the path a second time
	case info.IsDir():
		return nil, errors.New("is a folder; name the file in it")
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file; write it to one first, since it may have to be read twice")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	s := &source{stored: &stored{ctx: ctx, r: f, hash: sha256.New()}, close: f.Close}
	if err := s.decompress(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *source) decompress() error {
	r := bufio.NewReaderSize(s.stored, blockSize)
	head, err := r.Peek(8)
	if err != nil && err != io.EOF {
		return err
	}
	if err := recognise(head); err != nil {
		return err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		if err != nil {
			return fmt.Errorf("gzip: %w", err)
		}
		s.Reader, s.suffix = &bounded{r: z, left: maxPlain, what: "gzip: "}, "+gzip"
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecoderMaxMemory(maxPlain))
		if err != nil {
			return fmt.Errorf("zstd: %w", err)
		}
		file := s.close
		s.close = func() error { z.Close(); return file() }
		s.Reader, s.suffix = &bounded{r: z, left: maxPlain, what: "zstd: "}, "+zstd"
	default:
		s.Reader = &bounded{r: r, left: maxPlain}
	}
	return nil
}

// recognise names files that are brought here by mistake.
func recognise(head []byte) error {
	for magic, what := range map[string]string{
		"PK\x03\x04":       "is a zip archive; unpack it first",
		"BZh":              "is compressed with bzip2; decompress it, or use gzip or zstd",
		"\xfd7zXZ":         "is compressed with xz; decompress it, or use gzip or zstd",
		"PAR1":             "is a Parquet file; write it as JSON lines (pandas: read_parquet, then to_json with orient=\"records\" and lines=True)",
		"\xff\xfe":         "is in UTF-16; convert it to UTF-8",
		"\xfe\xff":         "is in UTF-16; convert it to UTF-8",
		"version ":         "is a Git LFS pointer, not the file it points to; fetch that one",
		"<":                "is a web page or XML, not JSON; download the file itself, not the page about it",
		"GGUF":             "is a model, not a dataset",
		"SQLite f":         "is an SQLite database; export it as JSON lines",
		"\x00\x00\x00\x00": "begins with zero bytes: not JSON, or a download that never arrived",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return errors.New(what)
		}
	}
	return nil
}

func (s *source) Close() error { return s.close() }

// sum returns the SHA-256 and the size of the file as stored, once Read has come
// to the end.
func (s *source) sum() (string, int64) {
	return hex.EncodeToString(s.stored.hash.Sum(nil)), s.stored.n
}

// stored reads the file as it lies on the disk, and hashes it on the way.
type stored struct {
	ctx  context.Context
	r    io.Reader
	hash hash.Hash
	n    int64
}

func (s *stored) Read(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	n, err := s.r.Read(p)
	s.hash.Write(p[:n])
	s.n += int64(n)
	return n, err
}

// bounded ends in an error, not in EOF, where the text is longer than left: some
// kilobytes can decompress to more than any disk holds.
type bounded struct {
	r    io.Reader
	left int64
	what string // decompresses: starts its errors
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	switch b.left -= int64(n); {
	case b.left < 0:
		return 0, fmt.Errorf("%slonger than %d GiB of text; split it", b.what, maxPlain>>30)
	case err == nil || err == io.EOF:
		return n, err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, fmt.Errorf("%sthe file ends too early, it is truncated; copy or download it again", b.what)
	}
	return n, fmt.Errorf("%s%w", b.what, err)
}
