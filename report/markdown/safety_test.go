package markdown_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/markdown"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// skeleton is what a Markdown reader sees as anything but code: each code span
// becomes C, each code block FENCE. It follows CommonMark 0.31 (code spans
// bind tighter than anything else inline; a fence ends at one at least as
// long) and GFM's tables (cells are cut at pipes without a backslash first).
func skeleton(md string) string {
	var out []string
	fence := ""
	for _, line := range strings.Split(md, "\n") {
		text := strings.TrimLeft(line, " ")
		run := text[:len(text)-len(strings.TrimLeft(text, "`"))]
		switch {
		case fence != "":
			if len(run) >= len(fence) && strings.TrimSpace(text[len(run):]) == "" {
				fence = ""
			}
		case len(run) >= 3 && !strings.Contains(text[len(run):], "`"):
			fence = run
			out = append(out, "FENCE")
		case strings.HasPrefix(text, "|"):
			cells := cut(text)
			for i := range cells {
				cells[i] = spans(cells[i])
			}
			out = append(out, strings.Join(cells, "|"))
		default:
			out = append(out, spans(line))
		}
	}
	if fence != "" {
		out = append(out, "UNCLOSED FENCE")
	}
	return strings.Join(out, "\n")
}

// cut splits a table row at its pipes. Whether a backslash escapes a backslash
// there differs between renderers, so a row where it matters is marked.
func cut(row string) []string {
	var cells []string
	start := 0
	for i := range len(row) {
		if row[i] != '|' {
			continue
		}
		before := row[:i]
		n := len(before) - len(strings.TrimRight(before, `\`))
		switch {
		case n == 0:
			cells = append(cells, row[start:i])
			start = i + 1
		case n > 1:
			cells = append(cells, "AMBIGUOUS")
		}
	}
	return append(cells, row[start:])
}

// spans replaces the code spans of one paragraph or cell.
func spans(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '`')
		if i < 0 {
			return b.String() + s
		}
		b.WriteString(s[:i])
		s = s[i:]
		n := len(s) - len(strings.TrimLeft(s, "`"))
		end := closing(s[n:], n)
		if end < 0 {
			b.WriteString(s[:n])
			s = s[n:]
			continue
		}
		b.WriteString("C")
		s = s[n+end+n:]
	}
}

// closing finds a run of exactly n backticks.
func closing(s string, n int) int {
	for i := 0; i < len(s); {
		if s[i] != '`' {
			i++
			continue
		}
		run := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		if run == n {
			return i
		}
		i += run
	}
	return -1
}

// allowed is all the HTML that the writer itself uses.
var allowed = regexp.MustCompile(`</?details>|</?summary>`)

// checkSafe fails when anything but the writer's own words and structure
// stands outside code.
func checkSafe(t *testing.T, md string) {
	t.Helper()
	if !utf8.ValidString(md) {
		t.Error("not valid UTF-8")
	}
	for _, r := range md {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029') {
			t.Errorf("holds %U", r)
		}
	}
	bare := skeleton(md)
	if strings.Contains(bare, "UNCLOSED") || strings.Contains(bare, "AMBIGUOUS") {
		t.Errorf("a fence is open, or a pipe may or may not end a cell")
	}
	if i := strings.IndexAny(allowed.ReplaceAllString(bare, ""), "`@<>[]\\&_~$"); i >= 0 {
		t.Errorf("outside code: ...%.80q", allowed.ReplaceAllString(bare, "")[max(0, i-40):])
	}
}

func TestNothingForeignOutsideCode(t *testing.T) {
	for _, c := range reporttest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			checkSafe(t, render(t, c.Report(), markdown.Options{MaxBytes: markdown.SummaryBytes}))
		})
	}
}

// A name has no influence on the structure: the report of any name has the
// skeleton of the report of a plain one.
func FuzzNames(f *testing.F) {
	for _, name := range reporttest.Names {
		f.Add(name)
	}
	plain := skeleton(render(f, reporttest.Named("plain name").Report(), markdown.Options{MaxBytes: markdown.SummaryBytes}))
	f.Fuzz(func(t *testing.T, name string) {
		md := render(t, reporttest.Named(name).Report(), markdown.Options{MaxBytes: markdown.SummaryBytes})
		checkSafe(t, md)
		if means(name) {
			return
		}
		if diff := cmp.Diff(plain, skeleton(md)); diff != "" {
			t.Errorf("the structure depends on the name (-plain +this):\n%s", diff)
		}
	})
}

var unit = regexp.MustCompile(`^[A-Za-z0-9/%]{1,12}$`)

// means reports whether a name says something to the report itself: units,
// metrics with a margin, names of nothing, commands too long to show.
func means(name string) bool {
	_, margin := compare.DefaultPolicy().Margins[name]
	return margin || unit.MatchString(name) || strings.TrimSpace(report.Line(name, 120)) == "" || len(name) > 400
}
