package text

import (
	"fmt"
	"slices"

	"github.com/llama-regress/llama-regress/report"
)

// mostServings bounds the arms and cells that are told of, and mostCauses what
// is said of each, unless Options.Full.
const (
	mostServings = 6
	mostCauses   = 2
)

// serving writes what became of the requests: those that failed, with what
// they have in common; with Options.Full all of them and the server's view.
func (p *printer) serving(all []report.Serving) {
	list := all
	if !p.Full {
		list = slices.DeleteFunc(slices.Clone(all), func(s report.Serving) bool { return !s.AnyFailed() })
	}
	if len(list) == 0 {
		return
	}
	if p.Full {
		p.heading(fmt.Sprintf("%s (%d)", report.Titles.Serving, len(list)))
	} else {
		p.heading(fmt.Sprintf("Failed requests (in %d of %d)", len(list), len(all)))
	}
	for i, s := range list {
		if i == mostServings && !p.Full {
			p.more(len(list)-i, "arm and cell")
			break
		}
		p.served(s)
	}
}

// served writes one arm's cell.
func (p *printer) served(s report.Serving) {
	arm := name(s.Arm, 16)
	title := arm
	if s.Role == report.Control {
		title += " (control)"
	}
	summary := s.Summary.Terminal()
	p.line("  %s  %s", p.paint(bold, title), shorten(s.Label, p.Width-4-columns(title)))
	color := dim
	if s.AnyFailed() {
		color = magenta
	}
	for _, line := range wrap(summary+classes(s), p.Width-4) {
		p.line("    %s", p.paint(color, line))
	}
	if s.WarmupFailed() > 0 {
		p.paragraph("    - ", "      ", s.Warmup.Summary)
	}
	for i, t := range s.Common {
		if i == mostCauses && !p.Full {
			break
		}
		p.paragraph("    - ", "      ", t)
	}
	if p.Full {
		for _, t := range s.Details {
			p.paragraph("    . ", "      ", t)
		}
	}
}

func classes(s report.Serving) string {
	if len(s.Classes) == 0 {
		return ""
	}
	return ": " + s.Classes.Terminal()
}

// capacity writes how many requests at a time each arm serves and, with
// Options.Full, the levels of the sweep.
func (p *printer) capacity(list []report.Capacity) {
	if len(list) == 0 {
		return
	}
	p.heading(report.Titles.Capacity)
	for i, c := range list {
		if i == mostServings && !p.Full {
			p.more(len(list)-i, "sweep")
			break
		}
		arm := name(c.Arm, 16)
		p.line("  %s  %s", p.paint(bold, arm), shorten(c.Label, p.Width-4-columns(arm)))
		p.paragraph("    ", "    ", c.Finding)
		if p.Full {
			p.levels(c)
		}
	}
	p.paragraph("  ", "  ", report.Text{{Words: report.CapacityRule}})
}

func (p *printer) levels(c report.Capacity) {
	p.line("    %s  %s  %s", padLeft("at a time", 9), padLeft(name(c.Metric, 14), 14), padLeft("succeeded", 9))
	for _, l := range c.Figures {
		p.line("    %s  %s  %s", padLeft(l.Concurrency, 9), padLeft(l.Rate, 14), padLeft(l.Success, 9))
	}
}
