package runner

import (
	"strings"
	"unicode"
)

// printable makes foreign text safe to print on one line: control characters,
// line breaks and marks that reorder text become "?", and no part of it can be
// taken for a workflow command, which GitHub's older form, ##[name], finds
// anywhere in a line.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	return strings.ReplaceAll(text, "##[", "# #[")
}
