package text

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/report"
)

// recent is how long a change that is over is still told of.
const recent = 30 * 24 * time.Hour

const mostCommits = 10 // of a change point

// WriteNightly writes what a store of nights has to say: what is open, what
// was seen last night, what is missing. It keeps the promises of Write.
func WriteNightly(w io.Writer, n report.Nightly, o Options) error {
	if o.Width == 0 {
		o.Width = 80
	}
	o.Width = max(o.Width, 72)
	p := &printer{w: bufio.NewWriter(w), Options: o}
	p.opening(n.Title, symbolOf(n.Outcome, n.Status), colorOf(n.Outcome, n.Status), n.Status, n.Headline, n.Lead)
	p.steps(n.Steps)
	for _, m := range n.Machines {
		p.machine(m, n.Time)
	}
	p.notes(n.Notes)
	if len(n.Facts) > 0 {
		p.heading(report.Titles.Measured)
	}
	for _, f := range n.Facts {
		p.paragraph("  "+pad(f.Label, 25), "                           ", f.Value)
	}
	p.definitions(n.Definitions)
	return p.w.Flush()
}

// sentinel writes what the sentinel says, where it moved lately or says nothing.
func (p *printer) sentinel(m report.NightlyMachine) {
	s := m.Sentinel
	if s == nil || !s.Recent && !p.Full {
		return
	}
	p.heading("Sentinel of " + m.Name)
	p.paragraph("  ", "    ", s.Text)
	for i, shift := range s.Shifts {
		if i == mostDetails && !p.Full {
			p.more(len(s.Shifts)-i, "level")
			break
		}
		p.paragraph("  ", "    ", report.Join("", report.Text{{Words: "new level since "}}, shift))
	}
	for i, t := range s.Withheld {
		if i == mostRows && !p.Full {
			p.more(len(s.Withheld)-i, "comparison")
			break
		}
		p.paragraph("  ", "    ", report.Join("", report.Text{{Words: "withheld: "}}, t))
	}
}

func (p *printer) machine(m report.NightlyMachine, now time.Time) {
	p.sentinel(m)
	points := m.ChangePoints
	if !p.Full {
		points = m.Recent(now.Add(-recent))
	}
	sections := []struct {
		title string
		takes func(report.ChangePoint) bool
	}{
		{"Open regressions", report.ChangePoint.Open},
		{"Improvements that last", report.ChangePoint.Gained},
		{"Over", func(c report.ChangePoint) bool { return !c.Open() && !c.Gained() }},
	}
	legend := true
	for _, s := range sections {
		var list []report.ChangePoint
		for _, c := range points {
			if s.takes(c) {
				list = append(list, c)
			}
		}
		if len(list) == 0 {
			continue
		}
		title := fmt.Sprintf("%s on %s (%d)", s.title, m.Name, len(list))
		if legend && s.title != "Over" {
			legend = false
			title += strings.Repeat(" ", max(1, p.Width-len(title)-barWidth-4)) + barLegend
		}
		p.heading(title)
		for i, c := range list {
			if i == mostQuiet && !p.Full {
				p.more(len(list)-i, "change")
				break
			}
			if c.Open() || c.Gained() || p.Full {
				p.changePoint(c)
			} else {
				p.paragraph("  ", "    ", report.Join("; ", c.Title, c.When, c.Standing))
			}
		}
	}
	p.lastNight(m)
	p.list("No longer measured on "+m.Name, "trend", m.Lost)
	p.list("Missing nights of "+m.Name, "gap", m.Gaps)
	p.list("Breaks in the history of "+m.Name, "break", m.Breaks)
}

// list writes texts under a heading, if there are any.
func (p *printer) list(title, noun string, texts []report.Text) {
	if len(texts) > 0 {
		p.heading(title)
	}
	for i, t := range texts {
		if i == mostDetails && !p.Full {
			p.more(len(texts)-i, noun)
			break
		}
		p.paragraph("  ", "    ", t)
	}
}

func (p *printer) changePoint(c report.ChangePoint) {
	color := classColors[c.Rows[0].Class]
	fresh := ""
	if c.New {
		fresh = "  (new)"
	}
	lines := wrap(c.Title.Terminal(), p.Width-4-len(fresh))
	for i, line := range lines {
		if i == len(lines)-1 {
			line += fresh
		}
		p.line("  %s", p.paint(color, line))
	}
	p.paragraph("    ", "    ", c.When)
	if !c.Lasts() {
		p.paragraph("    ", "    ", c.Standing)
	}
	for i, row := range c.Rows {
		if i == mostDetails && !p.Full {
			p.line("    %s", p.paint(dim, fmt.Sprintf("… and %d more; all are in the other reports", len(c.Rows)-i)))
			break
		}
		if len(c.Rows) > 1 {
			p.line("    %s  %s", name(row.Comparison.Metric.Name, 20), shorten(row.Label, p.Width-28))
		}
		f := row.Figures
		numbers := fmt.Sprintf("    %s %s  %s", pad(f.Levels("->"), 23), padLeft(f.Change, 8), pad(f.Interval(), 18))
		p.line("%s", strings.TrimRight(numbers+p.bar(row, p.Width-columns(numbers)), " "))
	}
	for _, caveat := range c.Caveats {
		p.paragraph("    ! ", "      ", caveat)
	}
	if len(c.CommitsUnder) > 0 {
		p.paragraph("    ", "    ", c.CommitsUnder)
	}
	for i, commit := range c.Commits {
		if i == mostCommits && !p.Full {
			p.line("      %s", p.paint(dim, fmt.Sprintf("… and %d more", c.CommitCount-i)))
			break
		}
		p.line("      %s  %s  %s", commit.SHA[:min(9, len(commit.SHA))], pad(name(commit.Author, 14), 14), name(commit.Subject, p.Width-33))
	}
	p.ways(c.Steps)
}

// ways writes what to do about a change point, but for how to look at it, which
// stands above for the worst.
func (p *printer) ways(steps []report.Step) {
	for i, s := range steps {
		if i == 0 && s.Kind == report.Reproduce && !p.Full {
			continue
		}
		p.paragraph("    ", "    ", s.Text)
		p.line("      $ %s", p.paint(bold, command(s)))
	}
}

// lastNight writes what the last night makes one suspect.
func (p *printer) lastNight(m report.NightlyMachine) {
	if m.Last == nil {
		return
	}
	for _, class := range []report.Class{report.NotMeasured, report.Suspected} {
		var rows []report.Row
		for _, row := range m.Last.Rows {
			if row.Class == class {
				rows = append(rows, row)
			}
		}
		if len(rows) == 0 {
			continue
		}
		title := "Suspected of the last night of "
		if class == report.NotMeasured {
			title = "Not measured in the last night of "
		}
		p.heading(fmt.Sprintf("%s%s (%d)", title, m.Name, len(rows)))
		for i := 0; i < len(rows); {
			if i >= mostRows && !p.Full {
				p.more(len(rows)-i, "comparison")
				break
			}
			n := report.Unmeasured(rows[i:])
			p.row(rows[i:i+n], false, nil)
			i += n
		}
	}
	p.failures(m.Last.Failures)
}
