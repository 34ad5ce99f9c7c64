package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/config"
)

// TestHostileFiles: what is larger than any configuration is refused before the
// YAML library sees it, whatever that would do with it. Each file is just beyond
// its bound.
func TestHostileFiles(t *testing.T) {
	const mega = 1 << 20
	for _, c := range []struct{ name, text, want string }{
		{"large", strings.Repeat("# \n", mega/3), ":1: larger than 64 KiB"},
		{"blank lines in a block", "a: |\n x" + strings.Repeat("\n", 2000), ":2000: more than 2000 lines"},
		{"carriage returns in a block", "a: |\n x\ry\n", ":2: a carriage return"},
		{"long line", minimal + "x: " + strings.Repeat("y", 4100), ":4: a line of more than 4096 bytes"},
		{"brackets", minimal + "matrix: " + strings.Repeat("[", 17) + strings.Repeat("]", 17), ":4: longer or more deeply nested"},
		{"braces", minimal + strings.Repeat("a: {", 17) + strings.Repeat("}", 17), ":4: longer or more deeply nested"},
		{"tokens", minimal + "matrix: [" + strings.Repeat(strings.Repeat("1,", 1300)+"\n", 8) + "1]", "longer or more deeply nested"},
		{"dashes", minimal + "arms:\n" + strings.Repeat("- x\n", 2000), ":2000: more than 2000 lines"},
		{"an alias", minimal + "a: &a [1]\nmatrix: {threads: *a}\n", ":5: matrix.threads: anchors and aliases are not supported"},
		{"an anchor", minimal + "matrix: &m {threads: 1}\n", ":4: matrix: anchors and aliases"},
	} {
		t.Run(c.name, func(t *testing.T) {
			done := make(chan error, 1)
			go func() {
				_, err := config.Parse([]byte(c.text), "c.yaml")
				done <- err
			}()
			select {
			case err := <-done:
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want one with %q", err, c.want)
				}
			case <-time.After(time.Minute):
				t.Fatal("still busy after a minute")
			}
		})
	}
}

// Just within the bounds, a file is read.
func TestLargestFile(t *testing.T) {
	text := minimal + "matrix: {threads: [" + strings.Repeat("1,", 2000) + "2]}\n" + strings.Repeat("#\n", 1995)
	_, err := config.Parse([]byte(text), "c.yaml")
	if err == nil || !strings.Contains(err.Error(), `c.yaml:4: matrix.threads[1]: "1" comes twice`) {
		t.Errorf("error %.200v", err)
	}
	if _, err := config.Parse([]byte(text+"#\n"), "c.yaml"); err == nil || !strings.Contains(err.Error(), "more than 2000 lines") {
		t.Errorf("one line more: error %.200v", err)
	}
}

// Load stops reading where Parse would stop listening.
func TestLoadOfALargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	if _, err := config.Load(path); err == nil || !strings.Contains(err.Error(), "larger than 64 KiB") {
		t.Errorf("error %v", err)
	}
}
