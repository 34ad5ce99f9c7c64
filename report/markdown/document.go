package markdown

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// A document is one attempt at a report, by a plan.
type document struct {
	report report.Report
	plan   plan
	marker string
	links  string
	limit  int // bytes

	b strings.Builder
}

// render returns the whole text and whether it is within the limit. It stops
// early when it is not.
func (d *document) render() (string, bool) {
	sections := []func(){d.verdict, d.factLine, d.openTable, d.steps, d.linkSection}
	if d.plan.detail == Full {
		sections = append(sections, d.undecided, d.works, d.failures, d.serving, d.capacity, d.studies, d.grids, d.allResults, d.controls, d.differences, d.alone, d.notes, d.measured, d.words)
	}
	for _, section := range sections {
		section()
		if d.size() > d.limit {
			return "", false
		}
	}
	return d.b.String(), true
}

func (d *document) size() int { return d.b.Len() }

func (d *document) line(format string, args ...any) { fmt.Fprintf(&d.b, format+"\n", args...) }

func (d *document) verdict() {
	r := d.report
	if d.marker != "" {
		d.line("%s", d.marker)
	}
	status := prose(r.Status) + ": "
	if r.Outcome == compare.Regressed {
		status = "" // the counts begin with the regressions
	}
	d.line("## %s %s%s\n", symbol(r), status, prose(r.Headline))
	if !r.Title.IsEmpty() {
		d.line("%s\n", code(r.Title))
	}
	d.line("%s\n", inline(r.Lead))
	for i, pattern := range r.Patterns {
		if i < 3 && d.plan.detail != Brief {
			d.line("%s\n", inline(pattern))
		}
	}
}

func symbol(r report.Report) string {
	switch {
	case r.Outcome == compare.Regressed:
		return "❌"
	case r.Outcome == compare.MeasurementFailed:
		return "⚠️"
	case r.Outcome == compare.Passed && r.Status == "Pass":
		return "✅"
	}
	return "❔"
}

// factLine says what was compared, where and how often.
func (d *document) factLine() {
	var parts []string
	if arms := armLine(d.report.Arms); arms != "" {
		parts = append(parts, arms)
	}
	for _, f := range d.report.Facts {
		switch f.Key {
		case "machine":
			parts = append(parts, "machine "+inline(f.Value))
		case "blocks", "duration":
			parts = append(parts, inline(f.Value))
		case "cells":
			parts = append(parts, "every cell with "+inline(f.Value))
		case "control":
			parts = append(parts, "baseline against itself "+inline(f.Value))
		}
	}
	if len(parts) > 0 {
		d.line("%s\n", strings.Join(parts, " · "))
	}
}

// armLine names the baseline and at most three candidates, with their builds.
func armLine(arms []report.Arm) string {
	var base string
	var candidates []string
	for _, a := range arms {
		text := code(a.Name)
		if built := a.Built(20); !built.IsEmpty() {
			text += " " + code(built)
		}
		switch a.Role {
		case report.Baseline:
			base = cmp.Or(base, text)
		case report.Candidate:
			candidates = append(candidates, text)
		}
	}
	if n := len(candidates); n > 3 {
		candidates = append(candidates[:3], fmt.Sprintf("%d more", n-3))
	}
	if base == "" || len(candidates) == 0 {
		return ""
	}
	return "baseline " + base + " → " + strings.Join(candidates, ", ")
}

func (d *document) steps() {
	if len(d.report.Steps) == 0 || d.plan.detail == Brief {
		return
	}
	d.line("### %s\n", report.Titles.Steps)
	for i, s := range d.report.Steps {
		d.line("%d. %s", i+1, inline(s.Text))
		switch {
		case len(s.Short) > 0:
			d.line("\n   %s", inline(s.Short))
		case !s.Command.IsEmpty():
			d.line("\n%s", shell(s.Command))
		}
	}
	d.line("")
}

func (d *document) linkSection() {
	if d.links != "" {
		d.line("%s\n", d.links)
	}
	if d.plan.detail != Full {
		d.line("Left out here for lack of room: the remaining results and details. They are in the full report.\n")
	}
}

// folded writes a section that opens by a click. Title must be our own words.
func (d *document) folded(title string, content func()) {
	d.line("<details><summary>%s</summary>\n", prose(title))
	content()
	d.line("\n</details>\n")
}
