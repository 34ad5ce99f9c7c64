package markdown_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/markdown"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

func renderNightly(t testing.TB, n report.Nightly, o markdown.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := markdown.WriteNightly(&b, n, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNightlyGolden(t *testing.T) {
	for _, n := range reporttest.Nights(t) {
		t.Run(n.Name, func(t *testing.T) {
			got := renderNightly(t, n.Nightly, markdown.Options{})
			reporttest.Golden(t, "nightly-"+n.Name+".md", got)
			first, _, _ := strings.Cut(got, "\n")
			if !strings.HasPrefix(first, "## ") || !strings.Contains(first, n.Nightly.Headline) {
				t.Errorf("the first line is %q", first)
			}
		})
	}
}

func TestChangePointGolden(t *testing.T) {
	p := reporttest.YearOfNights(t).Machines[0].ChangePoints[0]
	var b bytes.Buffer
	if err := markdown.WriteChangePoint(&b, p, nil, markdown.Options{Marker: "<!-- llama-regress:v1:issue=cp.x -->"}); err != nil {
		t.Fatal(err)
	}
	reporttest.Golden(t, "change-point.md", b.String())
	b.Reset()
	if err := markdown.WriteChangePoint(&b, p, report.Text{{Words: "a later change took it back."}}, markdown.Options{}); err != nil || !strings.Contains(b.String(), "**Over:** a later change") {
		t.Errorf("%v: %s", err, &b)
	}
}

// Whatever names hold, what a reader sees of them is code.
func TestNightlyHostile(t *testing.T) {
	n := reporttest.HostileNights(t)
	for _, limit := range []int{0, 20_000, 6_000} {
		got := renderNightly(t, n, markdown.Options{MaxBytes: limit})
		if limit > 0 && len(got) > limit {
			t.Errorf("%d bytes, want at most %d", len(got), limit)
		}
		seen := skeleton(got)
		for _, never := range []string{"@octocat", "<b", "example.invalid", "![img]", "UNCLOSED", "AMBIGUOUS", "\x1b"} {
			if strings.Contains(seen, never) {
				t.Errorf("limit %d: %q is read as Markdown", limit, never)
			}
		}
		if strings.Count(seen, "<details>") != strings.Count(seen, "</details>") {
			t.Errorf("limit %d: details are left open", limit)
		}
		if tags := regexp.MustCompile(`</?[a-z]+`).FindAllString(seen, -1); len(tags) != strings.Count(seen, "<details")+strings.Count(seen, "</details")+strings.Count(seen, "<summary")+strings.Count(seen, "</summary") {
			t.Errorf("limit %d: tags %v", limit, tags)
		}
	}
	if err := markdown.WriteNightly(&bytes.Buffer{}, n, markdown.Options{MaxBytes: 100}); err == nil {
		t.Error("100 bytes held a digest")
	}
}
