package report

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// A shell has to read back the very words, whatever names they hold.
func TestShellReadsBackWhatWasMeant(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash to read the commands back")
	}
	tests := [][]string{
		{"llama-regress", "gate", "--config", "llama-regress.yaml"},
		{"a b", "", "it's", `"double"`, `back\slash`, "$HOME", "$(id)", "`id`", "*", "~", "!x", "#c", ";x", "a&b", "a|b", "a>b"},
		{"line\nbreak", "tab\t", "esc\x1b[31m", "bell\a'quote'\\", "\u202eturned", "invalid \xff\xfe", "日本語 🦙", "%s%d", "--flag=a b"},
	}
	for _, words := range tests {
		line := shellQuote(words).text
		if !utf8.ValidString(line) || strings.ContainsFunc(line, shapeless) || strings.Contains(line, "\n") {
			t.Errorf("%q is not one printable line: %q", words, line)
		}
		out, err := exec.Command(bash, "-c", "printf '%s\\0' "+line).Output()
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, words) {
			t.Errorf("%q is read back as %q, want %q", line, got, words)
		}
	}
}

func TestCommandTooLongToShow(t *testing.T) {
	if got := shellQuote([]string{"llama-regress", strings.Repeat("x", 10_000)}).text; got != "" {
		t.Errorf("a command of %d bytes is shown", len(got))
	}
	if got := shellQuote(nil).text; got != "" {
		t.Errorf("no command is %q", got)
	}
}
