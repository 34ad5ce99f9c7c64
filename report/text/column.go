package text

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"github.com/llama-regress/llama-regress/report"
)

// columns is how many terminal columns s takes: two for wide characters, none
// for combining ones. Joined emoji are counted by their parts, as most
// terminals draw them.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// name fits a foreign string into room columns of one line.
func name(f report.Foreign, room int) string {
	room = max(room, 1)
	return fit(f.Terminal(4*room), room)
}

// fit cuts s to room columns.
func fit(s string, room int) string {
	if columns(s) <= room {
		return s
	}
	return head(s, room-1) + "…"
}

// shorten is name for labels, whose end tells most: what does not fit is left
// out in front of it.
func shorten(f report.Foreign, room int) string {
	room = max(room, 4)
	s := f.Terminal(200)
	if columns(s) <= room {
		return s
	}
	start := head(s, room/3)
	runes := []rune(s[len(start):])
	for columns(string(runes)) > room-1-columns(start) {
		runes = runes[1:]
	}
	return start + "…" + string(runes)
}

// head is the longest start of s that takes at most room columns.
func head(s string, room int) string {
	n := 0
	for i, r := range s {
		if n += runeColumns(r); n > room {
			return s[:i]
		}
	}
	return s
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-columns(s))) }

func padLeft(s string, n int) string { return strings.Repeat(" ", max(0, n-columns(s))) + s }

// wrap breaks s at blanks into lines of at most room columns. A longer word is
// broken where it must be. There is always at least one line.
func wrap(s string, room int) []string {
	room = max(room, 10)
	var lines []string
	line, used := "", 0
	flush := func() {
		lines = append(lines, line)
		line, used = "", 0
	}
	for _, word := range strings.Fields(s) {
		n := columns(word)
		if used > 0 && used+1+n > room {
			flush()
		}
		for n > room {
			line = head(word, room)
			word = word[len(line):]
			n = columns(word)
			flush()
		}
		if used > 0 {
			line += " "
			used++
		}
		line += word
		used += n
	}
	if used > 0 || len(lines) == 0 {
		flush()
	}
	return lines
}
