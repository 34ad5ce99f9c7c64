package text

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/report"
)

// Options say what the terminal can do. The zero value suits a pipe.
type Options struct {
	Color bool // colour by ANSI sequences; symbols and words say the same without
	Width int  // columns, at least 72; 0 means 80
	Full  bool // every row, difference, fact and definition, not only what asks for attention
}

// Rows that are shown of one class before the rest is only counted, unless
// Options.Full.
const (
	mostRows     = 40
	mostQuiet    = 12 // of equivalent and improved ones, controls
	mostPatterns = 2
	mostFailures = 6 // kinds of failed trials
	mostDetails  = 8 // differences, and things that only one side has
)

// Write writes r to w. Lines fit Options.Width, except for commands, which are
// never broken. Nothing foreign reaches w but printable characters.
func Write(w io.Writer, r report.Report, o Options) error {
	if o.Width == 0 {
		o.Width = 80
	}
	o.Width = max(o.Width, 72)
	p := &printer{w: bufio.NewWriter(w), Options: o}
	p.verdict(r)
	p.steps(r.Steps)
	p.rows(r)
	p.works(r.Works)
	p.failures(r.Failures)
	p.serving(r.Serving)
	p.capacity(r.Capacity)
	p.studies(r.Studies)
	p.grids(r.Grids)
	p.controls(r.Controls)
	p.apart(r)
	p.notes(r.Notes)
	p.facts(r.Facts)
	p.definitions(r.Definitions)
	return p.w.Flush()
}

// A printer writes lines; bufio keeps the first error for Flush.
type printer struct {
	w *bufio.Writer
	Options
}

// runnerCommand finds what a CI runner takes for a command in its log: "::" at
// the start of a line, blanks aside, and "##[" anywhere.
var runnerCommand = regexp.MustCompile(`^(?:\s|\x1b\[\d+m)*::|##\[`)

// line writes one line. Names must not give commands to a CI runner, so that
// the first character of one is replaced by another of its looks.
func (p *printer) line(format string, args ...any) {
	s := runnerCommand.ReplaceAllStringFunc(fmt.Sprintf(format, args...), func(command string) string {
		return strings.Replace(strings.Replace(command, ":", "∶", 1), "#", "♯", 1)
	})
	p.w.WriteString(s)
	p.w.WriteByte('\n')
}

// paragraph wraps t, with first before its first line and rest before others.
func (p *printer) paragraph(first, rest string, t report.Text) {
	for i, line := range wrap(t.Terminal(), p.Width-columns(rest)) {
		if i == 0 {
			p.line("%s%s", first, line)
		} else {
			p.line("%s%s", rest, line)
		}
	}
}

func (p *printer) verdict(r report.Report) {
	p.opening(r.Title, symbolOf(r.Outcome, r.Status), colorOf(r.Outcome, r.Status), r.Status, r.Headline, r.Lead)
	for i, pattern := range r.Patterns {
		if i == mostPatterns && !p.Full {
			break
		}
		p.paragraph("  ", "  ", pattern)
	}
}

// opening writes title, verdict and the most important finding.
func (p *printer) opening(title report.Foreign, symbol, color, status, headline string, lead report.Text) {
	if !title.IsEmpty() {
		p.line("%s", p.paint(bold, title.Terminal(p.Width)))
	}
	status += ": "
	lines := wrap(headline, p.Width-2-len(status))
	p.line("%s %s%s", symbol, p.paint(color, status), lines[0])
	for _, line := range lines[1:] {
		p.line("%*s%s", 2+len(status), "", line)
	}
	p.paragraph("  ", "  ", lead)
}

func (p *printer) steps(steps []report.Step) {
	if len(steps) == 0 {
		return
	}
	p.heading(report.Titles.Steps)
	for i, s := range steps {
		p.paragraph(fmt.Sprintf("  %d. ", i+1), "     ", s.Text)
		p.command(s)
	}
}

// commandLength is more than any command has.
const commandLength = 10_000

func command(s report.Step) string { return s.Command.Terminal(commandLength) }

// command writes what to type, of which only what a step above lacks.
func (p *printer) command(s report.Step) {
	switch {
	case len(s.Short) > 0 && !p.Full:
		p.paragraph("     ", "     ", s.Short)
	case !s.Command.IsEmpty():
		p.line("     $ %s", p.paint(bold, command(s)))
	}
}

func (p *printer) failures(list []report.Failure) {
	if len(list) == 0 {
		return
	}
	p.heading(fmt.Sprintf("%s (%d)", report.Titles.Failures, len(list)))
	groups := report.GroupFailures(list)
	for i, f := range groups {
		if i == mostFailures && !p.Full {
			p.more(len(groups)-i, "kind")
			break
		}
		p.line("  %3d x %s  %s: %s", f.Count, p.paint(magenta, name(f.Cause.Class(), 18)), name(f.Arm, 16), shorten(f.Label, p.Width-46))
		p.paragraph("      ", "      ", report.Text{{Foreign: f.Cause.Message()}})
		if last := lastLine(f.Cause.Stderr()); last != "" {
			p.line("      %s", p.paint(dim, fit("> "+last, p.Width-6)))
		}
	}
}

// controls writes what the baseline differed from itself by, which asks for
// attention only where it did.
func (p *printer) controls(rows []report.Row) {
	if !p.Full {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r report.Row) bool {
			return r.Class != report.Regression && r.Class != report.Improvement
		})
	}
	if len(rows) == 0 {
		return
	}
	p.heading(report.Titles.Control)
	for i, row := range rows {
		if i == mostQuiet && !p.Full {
			p.more(len(rows)-i, "comparison")
			break
		}
		p.quiet(row, false)
	}
}

// apart lists what differs besides the results.
func (p *printer) apart(r report.Report) {
	soft := slices.IndexFunc(r.Differences, func(d report.Difference) bool { return !d.Hard })
	if soft < 0 {
		soft = len(r.Differences)
	}
	p.differences("What differs and forbids a comparison", r.Differences[:soft])
	p.differences(report.Titles.Differences, r.Differences[soft:])
	if len(r.Alone) > 0 {
		p.heading(report.Titles.Alone)
	}
	for i, a := range r.Alone {
		if i == mostDetails && !p.Full {
			p.more(len(r.Alone)-i, "metric")
			break
		}
		p.line("  %s  %s  only in %s", pad(name(a.Metric, 14), 14), pad(shorten(a.Cell, p.Width-44), p.Width-44), name(a.Arm, 16))
	}
}

func (p *printer) differences(title string, list []report.Difference) {
	if len(list) > 0 {
		p.heading(title)
	}
	for i, d := range list {
		if i == mostDetails && !p.Full {
			p.more(len(list)-i, "difference")
			break
		}
		room := (p.Width - 28) / 2
		p.line("  %s  %s -> %s", pad(name(d.Key, 20), 20), name(d.Baseline, room), name(d.Candidate, room))
	}
}

func (p *printer) notes(notes []report.Text) {
	if len(notes) > 0 {
		p.heading(report.Titles.Notes)
	}
	for _, n := range notes {
		p.paragraph("  - ", "    ", n)
	}
}

// brief are the facts that a daily reader wants to see.
var brief = map[string]bool{"machine": true, "cells": true, "held": true, "unset": true, "control": true, "sentinel": true, "stored": true, "blocks": true, "trials": true, "requests": true, "started": true, "duration": true, "interrupted": true, "seed": true, "tool": true}

func (p *printer) facts(facts []report.Fact) {
	if len(facts) > 0 {
		p.heading(report.Titles.Measured)
	}
	for _, f := range facts {
		if p.Full || brief[f.Key] {
			p.paragraph("  "+pad(f.Label, 25), "                           ", f.Value)
		}
	}
}

func (p *printer) definitions(list []report.Definition) {
	if !p.Full || len(list) == 0 {
		return
	}
	p.heading(report.Titles.Definitions)
	for _, d := range list {
		p.line("  %s", d.Term)
		p.paragraph("      ", "      ", report.Text{{Words: d.Meaning}})
	}
}
