package github

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// A Severity is how loud an annotation is.
type Severity string

const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Notice  Severity = "notice"
)

// What the runner takes: 10 annotations of each severity a step, and 4 096
// characters of a message.
const (
	maxAnnotations = 10
	maxMessage     = 4_096
	maxTitle       = 255
)

// An Annotation is a sentence shown beside the job.
type Annotation struct {
	Severity Severity
	Title    string // one line, what it is about
	Message  string
}

// Annotate prints annotations as workflow commands, in the order given. Of a
// severity that has too many, the last place says how many are left out.
func Annotate(w io.Writer, all []Annotation) error {
	total, printed := make(map[Severity]int), make(map[Severity]int)
	for _, a := range all {
		total[a.Severity]++
	}
	for _, a := range all {
		n := printed[a.Severity]
		if n == maxAnnotations {
			continue
		}
		if left := total[a.Severity] - n; n == maxAnnotations-1 && left > 1 {
			a = Annotation{a.Severity, fmt.Sprintf("%d more", left), "See the step summary for all of them."}
		}
		printed[a.Severity]++
		if _, err := fmt.Fprintf(w, "::%s title=%s::%s\n", a.Severity, escapeProperty(cut(a.Title, maxTitle)), escapeData(cut(a.Message, maxMessage))); err != nil {
			return err
		}
	}
	return nil
}

// escapeData is how the runner wants the text of a command; % first.
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(strings.ToValidUTF8(s, "\ufffd"))
}

// escapeProperty also escapes what ends a property.
func escapeProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escapeData(s))
}

// cut shortens s to at most most bytes, at a character's edge.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len("…")], "") + "…"
}

// Verbatim runs write with the runner's reading of commands switched off, for
// text that may hold some. Nobody who wrote that text knows the word that
// switches it on again.
func Verbatim(w io.Writer, write func(io.Writer) error) error {
	token := randomText()
	if _, err := fmt.Fprintf(w, "::stop-commands::%s\n", token); err != nil {
		return err
	}
	failed := write(w)
	_, err := fmt.Fprintf(w, "\n::%s::\n", token)
	if failed != nil {
		return failed
	}
	return err
}

// Harmless changes what the runner would take for a command, at the start of a
// line or, in its older form, anywhere, as little as it takes.
func Harmless(text string) string {
	text = strings.ReplaceAll(text, "\r", " ")
	return oldCommand.ReplaceAllString(lineCommand.ReplaceAllString(text, "${1}: :"), "# #[")
}

var (
	lineCommand = regexp.MustCompile(`(?m)^(\s*)::`)
	oldCommand  = regexp.MustCompile(`##\[`)
)
