package text_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/reporttest"
	"github.com/llama-regress/llama-regress/report/text"
)

func renderNightly(t testing.TB, n report.Nightly, o text.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := text.WriteNightly(&b, n, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNightlyGolden(t *testing.T) {
	for _, n := range reporttest.Nights(t) {
		t.Run(n.Name, func(t *testing.T) {
			reporttest.Golden(t, "nightly-"+n.Name+".txt", renderNightly(t, n.Nightly, text.Options{}))
		})
	}
}

// Whatever names hold: lines fit, and nothing reaches a terminal or a CI runner
// but text.
func TestNightlySafety(t *testing.T) {
	for _, n := range reporttest.Nights(t) {
		for _, o := range []text.Options{{}, {Full: true, Width: 100}, {Full: true, Color: true}} {
			out := renderNightly(t, n.Nightly, o)
			checkHarmless(t, out, o.Color)
			for _, line := range strings.Split(sgr.ReplaceAllString(out, ""), "\n") {
				if columns(line) > max(o.Width, 80) && !strings.HasPrefix(strings.TrimSpace(line), "$ ") {
					t.Errorf("%s %+v: %d columns: %q", n.Name, o, columns(line), line)
				}
			}
		}
	}
}
