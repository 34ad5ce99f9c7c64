package markdown

import (
	"strings"

	"github.com/llama-regress/llama-regress/report"
)

// code and cell write text from elsewhere, outside and inside of a table.
func code(f report.Foreign) string { return f.Markdown() }
func cell(f report.Foreign) string { return f.MarkdownCell() }

// prose writes words of our own, which hold nothing that Markdown gives a
// meaning to. Should they ever, they are treated as foreign.
func prose(s string) string {
	if strings.ContainsAny(s, "`*_<>[]|\\@#&~$\n\r") {
		return code(report.AsForeign(s))
	}
	return s
}

// Inline writes a sentence that stands by itself.
func Inline(t report.Text) string { return inline(t) }

// inline writes a sentence outside a table.
func inline(t report.Text) string { return t.Render(prose, code) }

// mostOutput is how much of a program's output is shown, in characters, and
// mostCommand more than any command has.
const (
	mostOutput  = 1500
	mostCommand = 10_000
)

// shell writes a command as a block within a list.
func shell(command report.Foreign) string { return command.MarkdownBlock("   ", "sh", mostCommand) }

// named writes the name of a machine or a commit as other names are.
func named(s string) string { return code(report.AsForeign(s)) }
