package config

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"same", "same", 0},
		{"kitten", "sitting", 3},
		{"Saturday", "Sunday", 3},
		{"treads", "threads", 1},
		{"bacth", "batch", 1}, // neighbours swapped
		{"ca", "abc", 3},      // 2 without the rule that no part is edited twice
	} {
		if got := editDistance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: got %d, want %d", c.a, c.b, got, c.want)
		}
		if got := editDistance(c.b, c.a); got != c.want {
			t.Errorf("%q to %q: got %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestSuggest(t *testing.T) {
	var known []string
	for _, p := range record.Params {
		known = append(known, p.Name)
	}
	for name, want := range map[string]string{
		"treads":       "threads",
		"Threads":      "threads",
		"THREADS":      "threads",
		"flash-attn":   "flash_attn",
		"flashattn":    "flash_attn",
		"fa":           "flash_attn",
		"n-gpu-layers": "gpu_layers",
		"ngl":          "gpu_layers",
		"typek":        "type_k",
		"mmpa":         "mmap",
		"x":            "",
		"colour":       "",
		"temperature":  "",
		"maps":         "", // half of it is another word
		"runs":         "", // a suggestion must be a key of the same section
		"":             "",
	} {
		expect := ""
		if want != "" {
			expect = `; did you mean "` + want + `"?`
		}
		if got := Suggest(name, known); got != expect {
			t.Errorf("%q: got %q, want %q", name, got, expect)
		}
	}
}
