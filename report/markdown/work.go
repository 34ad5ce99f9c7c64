package markdown

import (
	"fmt"

	"github.com/llama-regress/llama-regress/report"
)

// Comparisons and functions of each that are shown; the HTML and JSON reports have
// more.
const (
	mostWorks  = 8
	mostWorked = 12
)

// works says in which functions counted instructions changed.
func (d *document) works() {
	all := d.report.Works
	if len(all) == 0 {
		return
	}
	d.folded(fmt.Sprintf("%s (%d)", report.Titles.Works, len(all)), func() {
		list(d, all, min(d.plan.all, mostWorks), d.work)
		d.line("%s", prose(report.WorkRule))
	})
}

func (d *document) work(w report.Work) {
	d.line("%s: %s\n", inline(w.Heading()), w.Summary.Render(figure, code))
	if len(w.Functions) > 0 {
		d.line("| function | source | library | of the work | a token |\n|---|---|---|--:|--:|")
		shown := w.Functions[:min(len(w.Functions), d.plan.all, mostWorked)]
		for _, f := range shown {
			d.line("| %s | %s | %s | %s | %s |", f.What.Render(prose, report.Foreign.MarkdownCell), optional(f.File), optional(f.Object), figure(f.Share), whole(figure(f.Change)))
		}
		if more := len(w.Functions) - len(shown); more > 0 {
			d.line("\n… and %d more.", more)
		} else {
			d.line("| %s | | | %s | %s |", inline(w.Rest.What), figure(w.Rest.Share), whole(figure(w.Rest.Change)))
		}
		d.line("")
	}
	for _, n := range w.Notes {
		d.line("- %s", inline(n))
	}
	d.line("")
}

// optional is a cell that may be empty.
func optional(f report.Foreign) string {
	if f.IsEmpty() {
		return ""
	}
	return cell(f)
}
