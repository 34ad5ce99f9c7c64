package report

import (
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
)

// Small steps are told as what they are, with their nights, and never as a drift.
func TestSmallStepsInWords(t *testing.T) {
	night := func(day int) Night { return Night{Started: time.Date(2026, 3, day, 2, 0, 0, 0, time.UTC)} }
	p := ChangePoint{Drift: true, Worse: true, Rows: []Row{{c: compare.Comparison{}}}, Stairs: []Night{night(3), night(11), night(27)}}
	when := changeWhen(p).joined()
	if when != "in 3 small steps, from the nights of 2026-03-03, 2026-03-11 and 2026-03-27 on" {
		t.Errorf("when: %q", when)
	}
	if s := changeSummary(p); s != "changed in 3 small steps since 2026-03-03 in 1 trend" {
		t.Errorf("summary: %q", s)
	}
	for _, c := range changeCaveats(p, history.ChangePoint{Drift: true}) {
		if strings.Contains(c.joined(), "little by little") {
			t.Errorf("told as a drift: %q", c.joined())
		}
	}
}
