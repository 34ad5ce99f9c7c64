package report

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxCommand bounds a command that is worth showing, in bytes.
const maxCommand = 2000

// shellQuote writes a command on one printable line, so that a shell reads
// back exactly these words whatever names they hold. A word with characters
// that cannot be shown takes the $'...' form that bash, zsh and POSIX 2024
// know. What is longer than maxCommand is no help and becomes empty.
func shellQuote(words []string) Foreign {
	quoted := make([]string, len(words))
	size := 0
	for i, w := range words {
		if size += len(w); size > maxCommand {
			return Foreign{}
		}
		quoted[i] = quoteWord(w)
	}
	return Foreign{strings.Join(quoted, " ")}
}

// ShellLine is shellQuote for a message of our own on standard error.
func ShellLine(words []string) string { return shellQuote(words).text }

func quoteWord(w string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
	switch {
	case w != "" && strings.Trim(w, plain) == "":
		return w
	case !utf8.ValidString(w) || strings.ContainsFunc(w, shapeless):
		return escapeWord(w)
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

func escapeWord(w string) string {
	var b strings.Builder
	b.WriteString("$'")
	for len(w) > 0 {
		r, size := utf8.DecodeRuneInString(w)
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + w[:size])
		case r == utf8.RuneError && size == 1, shapeless(r):
			for _, c := range []byte(w[:size]) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		default:
			b.WriteString(w[:size])
		}
		w = w[size:]
	}
	return b.String() + "'"
}
