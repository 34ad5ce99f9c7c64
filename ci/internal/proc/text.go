package proc

import (
	"fmt"
	"strings"
	"unicode"
)

// Clean drops from foreign text what is not text: broken UTF-8, and control and
// format characters, which could rewrite a terminal. Line ends and tabs stay.
func Clean(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\r\n", "\n"), "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, text))
}

// OneLine makes foreign text fit for a message: clean, in one line, with one
// blank between words, and of at most so many bytes with "..." after what was cut.
func OneLine(text string, most int) string {
	return Shorten(strings.Join(strings.Fields(Clean(text)), " "), most)
}

// Shorten returns the first n bytes of text, fewer where they would cut a
// character, followed by "..." where something is missing.
func Shorten(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "..."
}

// List joins names by commas; of more than most it tells the first ones and how
// many more there are: "a, b and 3 more".
func List(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// LastLines returns the end of text, cleaned, at most n bytes of it, from the
// beginning of a line where there is one.
func LastLines(text string, n int) string {
	if len(text) > n {
		text = text[len(text)-n:]
		if i := strings.IndexByte(text, '\n'); i >= 0 && i < len(text)-1 {
			text = text[i+1:]
		}
	}
	return Clean(text)
}
