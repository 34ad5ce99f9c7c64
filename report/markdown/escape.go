package markdown

import (
	"strings"

	"github.com/llama-regress/llama-regress/report"
)

// maxName is how much of one foreign string is shown, in characters.
const maxName = 120

// code writes a foreign string as a code span: the only place where GitHub
// neither mentions, links, nor reads HTML (a backslash before @ does not help,
// and neither does an entity). The fence is longer than any run of backticks
// inside.
func code(s string) string {
	s = report.Line(s, maxName)
	if strings.TrimSpace(s) == "" {
		return "(empty)"
	}
	fence := strings.Repeat("`", longestRun(s)+1)
	if edge(s[0]) || edge(s[len(s)-1]) {
		s = " " + s + " " // one blank on each side is taken off again
	}
	return fence + s + fence
}

func edge(c byte) bool { return c == '`' || c == ' ' }

// cell is code for use in a table, where a pipe ends the cell even inside a
// code span. What a backslash before a pipe means there differs between
// renderers, so such a pipe is drawn by another character.
func cell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(code(s), `\|`, `\¦`), "|", `\|`)
}

// longestRun is the length of the longest run of backticks in s.
func longestRun(s string) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// prose writes words of our own, which hold nothing that Markdown gives a
// meaning to. Should they ever, they are treated as foreign.
func prose(s string) string {
	if strings.ContainsAny(s, "`*_<>[]|\\@#&~$\n\r") {
		return code(s)
	}
	return s
}

// Inline writes a sentence that stands by itself.
func Inline(t report.Text) string { return inline(t) }

// inline writes a sentence outside a table.
func inline(t report.Text) string { return t.Render(prose, code) }

// fenced writes lines of foreign text as a code block.
func fenced(indent, language, s string) string {
	fence := strings.Repeat("`", max(3, longestRun(s)+1))
	s = strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+indent)
	return indent + fence + language + "\n" + indent + s + "\n" + indent + fence + "\n"
}
