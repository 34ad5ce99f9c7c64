package report

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func containsAny(s string, list ...string) bool {
	for _, x := range list {
		if strings.Contains(s, x) {
			return true
		}
	}
	return false
}

func TestLine(t *testing.T) {
	tests := []struct {
		in   string
		max  int
		want string
	}{
		{"plain", 10, "plain"},
		{"", 10, ""},
		{"a\nb\r\nc\td", 20, "a b  c d"},
		{"\x1b[31mred\x1b[0m", 20, "red"},
		{"\x1b]0;title\x07after", 20, "after"},
		{"\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\", 20, "link"},
		{"\x1b[never ends", 30, "ever ends"}, // "\x1b[n" is a whole sequence
		{"nul\x00 bell\x07", 20, "nul\ufffd bell\ufffd"},
		{"\u202egnirts\u202c", 20, "\ufffdgnirts\ufffd"},
		{"zero\u200bwidth\ufeff", 20, "zero\ufffdwidth\ufffd"},
		{"bad \xff", 20, "bad \ufffd"},
		{"👨\u200d👩\u200d👧", 20, "👨\u200d👩\u200d👧"},
		{"日本語日本語", 4, "日本語…"},
		{"12345", 5, "12345"},
		{"123456", 5, "1234…"},
		{"line\u2028separator", 20, "line separator"},
	}
	for _, test := range tests {
		if got := Line(test.in, test.max); got != test.want {
			t.Errorf("Line(%q, %d) = %q, want %q", test.in, test.max, got, test.want)
		}
	}
}

func TestBlockKeepsItsEnd(t *testing.T) {
	got := Block(strings.Repeat("noise\r\n", 1000)+"\terror: \x1b[31mout of memory\x1b[0m\n", 40)
	if !strings.HasPrefix(got, "…") || !strings.HasSuffix(got, "\n\terror: out of memory\n") || utf8.RuneCountInString(got) > 41 {
		t.Errorf("Block = %q", got)
	}
	if got := Block("short\n", 40); got != "short\n" {
		t.Errorf("Block = %q", got)
	}
}

func FuzzForeign(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[31mred", "\u202e", "a\x1b]0;b", "日本語", "\xff\xfe", "\x1b\x1b[", strings.Repeat("x", 200)} {
		f.Add(s, 20)
	}
	f.Fuzz(func(t *testing.T, s string, max int) {
		max = 1 + max&0xff
		line, block := Line(s, max), Block(s, max)
		if n := utf8.RuneCountInString(line); n > max {
			t.Errorf("Line: %d runes, at most %d", n, max)
		}
		if n := utf8.RuneCountInString(block); n > max+1 {
			t.Errorf("Block: %d runes, at most %d", n, max)
		}
		for _, r := range line + strings.NewReplacer("\n", "", "\t", "").Replace(block) {
			if r != '\u200d' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)) {
				t.Errorf("%q becomes %q, with %U", s, line+block, r)
			}
		}
		if !utf8.ValidString(line) || !utf8.ValidString(block) {
			t.Error("not valid UTF-8")
		}
		if again := Line(line, max); again != line {
			t.Errorf("Line is not idempotent: %q, then %q", line, again)
		}
	})
}
