package sharegpt

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// words counts words: a stand-in for a server's tokenizer.
type words struct {
	counted []string // the texts, as they were asked for
	err     error
}

func (w *words) CountTokens(_ context.Context, text string) (int, error) {
	w.counted = append(w.counted, text)
	return len(strings.Fields(text)), w.err
}

func file(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dataset")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func gzipped(content []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(content)
	z.Close()
	return b.Bytes()
}

func zstded(t testing.TB, content []byte, o ...zstd.EOption) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil, o...)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll(content, nil)
}

func sum(content []byte) string { return fmt.Sprintf("%x", sha256.Sum256(content)) }
