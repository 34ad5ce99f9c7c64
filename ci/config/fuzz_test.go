package config_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
)

// FuzzParse: whatever the bytes, Parse ends, and either every message names its
// line or the configuration holds together.
func FuzzParse(f *testing.F) {
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(full))
	f.Add(config.Starter())
	for _, line := range append(accepted, refused...) {
		f.Add(minimal + line + "\n")
	}
	f.Add(minimal + "matrix:\n  <<: &x {threads: 1}\n  ? [a]\n  : b\n--- !!map\n...\n")
	place := regexp.MustCompile(`^c\.yaml:[1-9][0-9]*: .`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.Parse([]byte(text), "c.yaml")
		if err != nil {
			lines := strings.Split(err.Error(), "\n")
			if n := len(lines); n == 21 && strings.HasPrefix(lines[20], "and ") {
				lines = lines[:20]
			} else if n > 20 {
				t.Errorf("%d lines of errors", n)
			}
			for _, line := range lines {
				var n int
				if !place.MatchString(line) || len(line) > 1000 {
					t.Errorf("message %q", line)
				}
				if fmt.Sscanf(line, "c.yaml:%d:", &n); n > 1+strings.Count(text, "\n") {
					t.Errorf("no line %d: %q", n, line)
				}
			}
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("parsed, yet not valid: %v", err)
		}
		if points, err := c.Matrix.Combinations(); err != nil || len(points) == 0 {
			t.Errorf("parsed, yet %d combinations: %v", len(points), err)
		}
	})
}
