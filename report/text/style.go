package text

import (
	"fmt"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// ANSI renditions, used only if Options.Color.
const (
	bold    = "1"
	dim     = "2"
	red     = "31"
	green   = "32"
	yellow  = "33"
	magenta = "35"
)

func (p *printer) paint(code, s string) string {
	if !p.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *printer) heading(title string) { p.line("\n%s", p.paint(bold, title)) }

func (p *printer) more(n int, noun string) {
	if n != 1 {
		noun += "s"
	}
	p.line("  %s", p.paint(dim, fmt.Sprintf("… and %d more %s; all are in the other reports", n, noun)))
}

func symbolOf(o compare.Outcome, status string) string {
	switch {
	case o == compare.Regressed, o == compare.MeasurementFailed:
		return "✗"
	case o == compare.Passed && (status == "Pass" || status == report.Steady):
		return "✓"
	}
	return "?"
}

func colorOf(o compare.Outcome, status string) string {
	switch {
	case o == compare.Regressed:
		return red
	case o == compare.MeasurementFailed:
		return magenta
	case symbolOf(o, status) == "✓":
		return green
	}
	return yellow
}
