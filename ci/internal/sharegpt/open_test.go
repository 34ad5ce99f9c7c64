package sharegpt

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// What cannot be a dataset is refused with what to do about it.
func TestRefusedFiles(t *testing.T) {
	good := []byte(shapes)
	long := bytes.Repeat(many(100), 50)
	corrupt := gzipped(long)
	corrupt[len(corrupt)-6] ^= 1 // its checksum
	tests := map[string]struct {
		content []byte
		want    string
	}{
		"empty":             {nil, "dataset: is empty"},
		"prose":             {[]byte("hello"), "is not a dataset"},
		"web page":          {[]byte("<!DOCTYPE html>"), "is a web page"},
		"git lfs":           {[]byte("version https://git-lfs.github.com/spec/v1\noid sha256:35f0\n"), "Git LFS pointer"},
		"zip":               {[]byte("PK\x03\x04rest"), "unpack it"},
		"xz":                {[]byte("\xfd7zXZ\x00rest"), "xz"},
		"bzip2":             {[]byte("BZh91AY"), "bzip2"},
		"parquet":           {[]byte("PAR1rest"), "Parquet"},
		"utf-16":            {[]byte("\xff\xfe[\x00"), "UTF-16"},
		"zero bytes":        {make([]byte, 5000), "zero bytes"},
		"no records":        {[]byte("[]"), "has no records"},
		"nothing readable":  {[]byte("[1,2]"), "none of its 1 records can be read: record 1 (byte 1): begins with '1'"},
		"truncated":         {good[:len(good)/2], "truncated"},
		"truncated gzip":    {gzipped(long)[:100], "gzip: the file ends too early"},
		"truncated zstd":    {zstded(t, long)[:100], "zstd: the file ends too early"},
		"corrupt gzip":      {corrupt, "gzip: invalid checksum"},
		"gzip head only":    {[]byte{0x1f, 0x8b}, "gzip"},
		"gzip of nothing":   {gzipped(nil), "is empty"},
		"zstd of prose":     {zstded(t, []byte("hello")), "is not a dataset"},
		"zstd large window": {zstdFrame(25), "zstd: window size exceeded"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Sample(t.Context(), file(t, test.content), Selection{Sample: 1}, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// zstdFrame is the start of a frame that wants a window of 2 to the power of log
// bytes (RFC 8878, 3.1.1.1.2).
func zstdFrame(log int) []byte {
	return append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, byte(log-10) << 3}, make([]byte, 20)...)
}

func TestRefusedPlaces(t *testing.T) {
	dir := t.TempDir()
	if _, err := Sample(t.Context(), dir, Selection{Sample: 1}, nil); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("folder: %v", err)
	}
	missing := filepath.Join(dir, "missing")
	if _, err := Sample(t.Context(), missing, Selection{Sample: 1}, nil); !errors.Is(err, os.ErrNotExist) || strings.Count(err.Error(), missing) != 1 {
		t.Errorf("missing: %v", err)
	}
	if _, err := Sample(t.Context(), os.DevNull, Selection{Sample: 1}, nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("device: %v", err)
	}
}

// A few kilobytes that decompress to more than the bound are refused. The bound
// itself would take a minute to reach.
func TestBomb(t *testing.T) {
	content := gzipped(bytes.Repeat([]byte(" "), 2<<20))
	s, err := open(t.Context(), file(t, content))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Reader.(*bounded).left = 1 << 20
	if _, err := newScanner(s); err == nil || !strings.Contains(err.Error(), "gzip: longer than 8 GiB of text") {
		t.Errorf("error %v from %d bytes", err, len(content))
	}
}

// Zstandard's strongest common level still fits the window.
func TestZstdBestLevel(t *testing.T) {
	content := zstded(t, many(1000), zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(8<<20))
	if _, err := Sample(t.Context(), file(t, content), Selection{Sample: 1000}, nil); err != nil {
		t.Error(err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped by the user")
	cancel(stop)
	if _, err := Sample(ctx, file(t, many(10)), Selection{Sample: 1}, nil); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
}

// A file that changes between two passes gives no sample.
func TestChangedFile(t *testing.T) {
	path := file(t, many(1000))
	_, err := Sample(t.Context(), path, Selection{Sample: 100, MinPromptTokens: 1}, changer{path, t})
	if err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("error %v", err)
	}
}

// changer refuses every prompt, so that a second pass is needed, and meanwhile
// changes the file.
type changer struct {
	path string
	t    *testing.T
}

func (c changer) CountTokens(context.Context, string) (int, error) {
	if err := os.WriteFile(c.path, many(1001), 0o644); err != nil {
		c.t.Error(err)
	}
	return 0, nil
}
