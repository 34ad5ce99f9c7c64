package text

import (
	"slices"

	"github.com/llama-regress/llama-regress/report"
)

// Comparisons and functions of each that are told of, unless Options.Full.
const (
	mostWorks  = 4
	mostWorked = 6
)

// works says in which functions counted instructions changed: of what is not
// equivalent and, with Options.Full, of all.
func (p *printer) works(list []report.Work) {
	if !p.Full {
		list = slices.DeleteFunc(slices.Clone(list), func(w report.Work) bool { return !w.Attention() })
	}
	if len(list) == 0 {
		return
	}
	p.heading(report.Titles.Works)
	for i, w := range list {
		if i == mostWorks && !p.Full {
			p.more(len(list)-i, "comparison")
			break
		}
		p.paragraph("  ", "  ", report.Join(": ", w.Heading(), w.Summary))
		for j, f := range w.Functions {
			if j == mostWorked && !p.Full {
				p.more(len(w.Functions)-j, "function")
				break
			}
			p.paragraph("    - ", "      ", w.Finding(f))
		}
		if p.Full || len(w.Functions) <= mostWorked {
			p.paragraph("    - ", "      ", w.Finding(w.Rest))
		}
		for _, n := range w.Notes {
			p.paragraph("    ", "    ", n)
		}
	}
	p.paragraph("  ", "  ", report.Text{{Words: report.WorkRule}})
}
