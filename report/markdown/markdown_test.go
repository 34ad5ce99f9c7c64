package markdown_test

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/markdown"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

func render(t testing.TB, r report.Report, o markdown.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := markdown.Write(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for _, c := range reporttest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			reporttest.Golden(t, c.Name+".md", render(t, c.Report(), markdown.Options{}))
		})
	}
	reporttest.Golden(t, "attention.md", render(t, reporttest.Regression().Report(), markdown.Options{Detail: markdown.Attention, Marker: "<!-- llama-regress:v1:key=main -->"}))
	reporttest.Golden(t, "brief.md", render(t, reporttest.Regression().Report(), markdown.Options{Detail: markdown.Brief,
		Links: []markdown.Link{{Text: "Full report", URL: "https://example.org/runs/1"}, {Text: "Summary", URL: "https://example.org/a b?(c)|d"}}}))
}

func TestVerdictIsTheFirstLine(t *testing.T) {
	for _, c := range reporttest.Cases() {
		r := c.Report()
		first, _, _ := strings.Cut(render(t, r, markdown.Options{}), "\n")
		if !strings.HasPrefix(first, "## ") || !strings.Contains(first, r.Headline) {
			t.Errorf("%s: the first line is %q, want a heading with %q", c.Name, first, r.Headline)
		}
	}
	const marker = "<!-- llama-regress:v1:key=main -->"
	if got := render(t, reporttest.Pass().Report(), markdown.Options{Marker: marker}); !strings.HasPrefix(got, marker+"\n## ") {
		t.Errorf("does not begin with marker and verdict: %.100q", got)
	}
}

// Whatever the limit, the body keeps it, says its verdict and closes what it
// opens.
func TestFits(t *testing.T) {
	for _, c := range append(reporttest.Cases(), reporttest.Grid(500, 6)) {
		r := c.Report()
		for _, limit := range []int{3_000, 5_000, 10_000, 25_000, markdown.CommentBytes, markdown.SummaryBytes} {
			got := render(t, r, markdown.Options{MaxBytes: limit})
			if len(got) > limit {
				t.Errorf("%s: %d bytes, limit %d", c.Name, len(got), limit)
			}
			if !strings.Contains(got, r.Headline) {
				t.Errorf("%s, limit %d: no verdict", c.Name, limit)
			}
			if open, closed := strings.Count(skeleton(got), "<details>"), strings.Count(skeleton(got), "</details>"); open != closed {
				t.Errorf("%s, limit %d: %d details opened, %d closed", c.Name, limit, open, closed)
			}
		}
	}
}

// Rows that are left out are counted.
func TestCutRowsAreCounted(t *testing.T) {
	r := reporttest.Grid(500, 6).Report()
	got := render(t, r, markdown.Options{MaxBytes: 25_000})
	if !strings.Contains(got, "more.") || !strings.Contains(got, "All results (500)") {
		t.Errorf("says neither how many there are nor how many are left out")
	}
	if whole := render(t, r, markdown.Options{MaxBytes: markdown.SummaryBytes}); strings.Count(whole, "\n| ") < 500 {
		t.Errorf("a summary with room for all rows has %d", strings.Count(whole, "\n| "))
	}
}

func TestRefuses(t *testing.T) {
	r := reporttest.Regression().Report()
	tests := map[string]markdown.Options{
		"a limit that holds nothing":       {MaxBytes: 100},
		"a marker that ends early":         {Marker: "<!-- a --> b -->"},
		"a marker with a double hyphen":    {Marker: "<!-- a--b -->"},
		"a marker that is none":            {Marker: "llama-regress"},
		"a link that runs a script":        {Links: []markdown.Link{{Text: "x", URL: "javascript:void(0)"}}},
		"a link without a host":            {Links: []markdown.Link{{Text: "x", URL: "https:///x"}}},
		"a link that carries a password":   {Links: []markdown.Link{{Text: "x", URL: "https://user:word@example.org/"}}},
		"a link that is no address at all": {Links: []markdown.Link{{Text: "x", URL: "https://exa mple.org/"}}},
	}
	for name, o := range tests {
		var b bytes.Buffer
		if err := markdown.Write(&b, r, o); err == nil {
			t.Errorf("%s: no error", name)
		}
		if b.Len() > 0 {
			t.Errorf("%s: wrote %d bytes all the same", name, b.Len())
		}
	}
}

func TestWriteError(t *testing.T) {
	want := errors.New("disk full")
	if err := markdown.Write(failing{want}, reporttest.Pass().Report(), markdown.Options{}); !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// A comment about 24 cells fits one screen: what is not folded has at most 2 kB.
func TestCommentFitsAScreen(t *testing.T) {
	folded := regexp.MustCompile(`(?s)<details>.*?</details>`)
	for _, c := range []reporttest.Case{reporttest.Together(24), reporttest.Grid(24, 6)} {
		visible := folded.ReplaceAllString(render(t, c.Report(), markdown.Options{}), "")
		if len(visible) > 2000 {
			t.Errorf("%s: %d bytes at once:\n%s", c.Name, len(visible), visible)
		}
	}
}
