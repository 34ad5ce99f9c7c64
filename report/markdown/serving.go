package markdown

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/llama-regress/llama-regress/report"
)

// serving tells what became of the requests: a line for each arm and cell, and
// below it what the failures of each have in common.
func (d *document) serving() {
	all := d.report.Serving
	if len(all) == 0 {
		return
	}
	failed := slices.DeleteFunc(slices.Clone(all), func(s report.Serving) bool { return !s.AnyFailed() })
	title := fmt.Sprintf("%s (%d)", report.Titles.Serving, len(all))
	if len(failed) > 0 {
		title = fmt.Sprintf("Serving (%d, with failed requests in %d)", len(all), len(failed))
	}
	d.folded(title, func() {
		d.line("| arm | cell | requests | answered | failed by class | TTFT | of it queue, prompt | of it in the server | server writes | slots busy, at most | deferred, at most | generator late |\n|---|---|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|")
		list(d, all, d.plan.all, d.served)
		if len(failed) > 0 {
			d.line("")
		}
		list(d, failed, min(d.plan.all, 40), func(s report.Serving) {
			if s.WarmupFailed() > 0 {
				d.line("- %s, %s: %s", code(s.Arm), code(s.Label), inline(s.Warmup.Summary))
			}
			for _, t := range s.Common {
				d.line("- %s, %s: %s", code(s.Arm), code(s.Label), inline(t))
			}
		})
		d.line("\nTTFT: median time to first token at the client, of requests that succeeded. Queue: until the head of the answer, which llama-server sends when a slot takes the request; prompt: from there to the first content. What the server does not account for is queueing and transport. Generator late: how late the load generator itself was, in the median.")
	})
}

func (d *document) served(s report.Serving) {
	f := s.Figures
	arm := cell(s.Arm)
	if s.Role == report.Control {
		arm += " (control)"
	}
	classes := s.Classes.Render(prose, cell)
	most := func(mean, max string) string {
		if mean == "" {
			return ""
		}
		return mean + ", " + max
	}
	d.line("| %s | %s | %d | %s | %s | %s | %s | %s | %s | %s | %s | %s |", arm, cell(s.Label), s.Requests, f.Answered, classes,
		whole(figure(f.TTFT)), whole(most(figure(f.Queue), figure(f.PromptTime))), whole(figure(f.ServerTTFT)), whole(figure(f.OutputSpeed)), most(f.Busy, f.BusyMax), most(f.Deferred, f.DeferredMax), whole(figure(f.Delay)))
}

// capacity says how many requests at a time each arm serves, with the levels
// of its sweep.
func (d *document) capacity() {
	all := d.report.Capacity
	if len(all) == 0 {
		return
	}
	d.folded(fmt.Sprintf("%s (%d)", report.Titles.Capacity, len(all)), func() {
		d.line("%s\n", prose(report.CapacityRule))
		list(d, all, min(d.plan.all, 40), func(c report.Capacity) {
			d.line("- %s, %s: %s\n", code(c.Arm), code(c.Label), inline(c.Finding))
			d.line("  | requests at a time | %s | succeeded |\n  |--:|--:|--:|", cell(cmp.Or(c.Metric, report.AsForeign("rate"))))
			for i, l := range c.Figures {
				if i == 32 {
					d.line("  | … and %s more | | |", strconv.Itoa(len(c.Figures)-i))
					break
				}
				d.line("  | %s | %s | %s |", l.Concurrency, whole(figure(l.Rate)), l.Success)
			}
			d.line("")
		})
	})
}
