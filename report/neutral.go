package report

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ansi matches terminal control sequences: CSI, OSC with its text, and the
// two-byte ones.
var ansi = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])")

// Line makes a foreign string fit for one line of any medium: valid UTF-8 of
// at most max runes, without terminal sequences, control characters,
// direction marks and other characters that have no shape of their own.
// Line breaks become blanks, whatever else is removed becomes U+FFFD, and what
// is cut off is replaced by "…". It does not escape for a medium.
func Line(s string, max int) string {
	return neutral(s, max, func(r rune) (rune, bool) {
		if r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029' {
			return ' ', true
		}
		return r, false
	})
}

// Block is Line for text of several lines: line feeds and tabs stay, and when
// it is too long its end is kept, where programs say why they stopped.
func Block(s string, max int) string {
	cut := false
	if limit := 16 * max; len(s) > limit { // bound the work on what is dropped anyway
		s, cut = s[len(s)-limit:], true
	}
	s = neutral(strings.ReplaceAll(s, "\r\n", "\n"), len(s)+1, func(r rune) (rune, bool) {
		return r, r == '\n' || r == '\t'
	})
	if n := utf8.RuneCountInString(s); n > max {
		for ; n > max-1; n-- {
			_, size := utf8.DecodeRuneInString(s)
			s = s[size:]
		}
		cut = true
	}
	if cut {
		return "…" + s
	}
	return s
}

// neutral implements Line and Block; keep says what stands for a rune and
// whether that is final.
func neutral(s string, max int, keep func(rune) (rune, bool)) string {
	if limit := 16 * max; len(s) > limit {
		s = s[:limit]
	}
	if strings.ContainsRune(s, 0x1b) {
		s = ansi.ReplaceAllString(s, "")
	}
	var b strings.Builder
	n := 0
	for _, r := range s { // an invalid byte yields U+FFFD
		r, final := keep(r)
		if !final && shapeless(r) {
			r = unicode.ReplacementChar
		}
		if n++; n > max {
			return cutLast(b.String()) + "…"
		}
		b.WriteRune(r)
	}
	return b.String()
}

func cutLast(s string) string {
	_, size := utf8.DecodeLastRuneInString(s)
	return s[:len(s)-size]
}

// shapeless reports whether r must not reach a reader: controls, direction
// and other format characters, private and unassigned code points. The zero
// width joiner stays, since emoji need it.
func shapeless(r rune) bool {
	if r == '\u200d' || r == '\u2026' {
		return false
	}
	return r != ' ' && !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u3164' || r == '\uffa0'
}
