package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// A Foreign is text that came from a file, a program or a user, and that may
// hold anything: a name, a message, a line of a log. The only way to a string
// leads through the method of a medium, which escapes it for that medium; so
// the compiler holds every writer to it. What is printed by a verb of package
// fmt says only that it was not escaped. Foreign values compare as their texts
// do, and the zero value is empty.
type Foreign struct{ text string }

// AsForeign marks a string as text from elsewhere.
func AsForeign(s string) Foreign { return Foreign{s} }

// IsEmpty says that there is no text.
func (f Foreign) IsEmpty() bool { return f.text == "" }

// Compare orders by bytes, as cmp.Compare does.
func (f Foreign) Compare(g Foreign) int { return cmp.Compare(f.text, g.text) }

// Number reads the text as a decimal number.
func (f Foreign) Number() (float64, error) { return strconv.ParseFloat(f.text, 64) }

// Terminal is the text on one line of a terminal or a plain log, at most limit
// characters: see Line.
func (f Foreign) Terminal(limit int) string { return Line(f.text, limit) }

// TerminalBlock is the text on several lines of a terminal: see Block.
func (f Foreign) TerminalBlock(limit int) string { return Block(f.text, limit) }

// HTML is the text on one line of a page, outside of tags or in a quoted
// attribute, at most limit characters.
func (f Foreign) HTML(limit int) template.HTML {
	return template.HTML(template.HTMLEscapeString(Line(f.text, limit)))
}

// HTMLBlock is the text on several lines of a page.
func (f Foreign) HTMLBlock(limit int) template.HTML {
	return template.HTML(template.HTMLEscapeString(Block(f.text, limit)))
}

// Script is the text for the data of a script, which shows it as text. It has
// to be written by encoding/json.
func (f Foreign) Script(limit int) string { return Line(f.text, limit) }

// XML is the text on one line for an encoder of XML, at most limit characters,
// without the characters that XML forbids and without the brackets by which
// readers of JUnit find properties and attachments.
func (f Foreign) XML(limit int) string { return disarm(Line(f.text, limit)) }

// XMLBlock is XML for text of several lines.
func (f Foreign) XMLBlock(limit int) string { return disarm(Block(f.text, limit)) }

// disarm keeps text from forging [[PROPERTY|...]] and [[ATTACHMENT|...]] lines,
// which readers of JUnit look for anywhere in the output.
func disarm(s string) string { return strings.ReplaceAll(s, "[[", "[ [") }

// XMLName is XML for the name of a test or a suite, which has to stay different
// where what it stands for is: a name that had to be changed or cut ends in a
// hash of identity, or of itself where identity is "".
func (f Foreign) XMLName(limit int, identity string) string {
	clean := f.XML(limit)
	if clean == f.text && strings.TrimSpace(clean) != "" {
		return clean
	}
	return strings.TrimSpace(clean + " #" + hashed(4, cmp.Or(identity, f.text)))
}

// markdownName is how much of one text Markdown shows, in characters.
const markdownName = 120

// Markdown is the text as a code span: the only place where GitHub neither
// mentions, links, nor reads HTML (a backslash before @ does not help, and
// neither does an entity). The fence is longer than any run of backticks inside.
func (f Foreign) Markdown() string {
	s := Line(f.text, markdownName)
	if strings.TrimSpace(s) == "" {
		return "(empty)"
	}
	fence := strings.Repeat("`", longestRun(s)+1)
	edge := func(c byte) bool { return c == '`' || c == ' ' }
	if edge(s[0]) || edge(s[len(s)-1]) {
		s = " " + s + " " // one blank on each side is taken off again
	}
	return fence + s + fence
}

// MarkdownCell is Markdown for a cell of a table, which a pipe ends even inside
// a code span. What a backslash before a pipe means there differs between
// renderers, so such a pipe is drawn by another character.
func (f Foreign) MarkdownCell() string {
	return strings.ReplaceAll(strings.ReplaceAll(f.Markdown(), `\|`, `\¦`), "|", `\|`)
}

// MarkdownBlock is the text as a fenced block of at most limit characters, each
// line of it after indent.
func (f Foreign) MarkdownBlock(indent, language string, limit int) string {
	s := Block(f.text, limit)
	fence := strings.Repeat("`", max(3, longestRun(s)+1))
	s = strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+indent)
	return indent + fence + language + "\n" + indent + s + "\n" + indent + fence + "\n"
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

// LocalPath is the text as a path below the folder of a report, fit for a link
// and an attachment; "" where it leads elsewhere or holds what either gives a
// meaning to.
func (f Foreign) LocalPath() string {
	if filepath.IsLocal(f.text) && !strings.ContainsAny(f.text, `:\?#%[]|`) && Line(f.text, 1000) == f.text {
		return f.text
	}
	return ""
}

var commitForm = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

// Commit is the text as the hash of a commit, "" where it is none.
func (f Foreign) Commit() string {
	if commitForm.MatchString(f.text) {
		return f.text
	}
	return ""
}

// MarshalJSON writes the text as it is, since JSON can hold any.
func (f Foreign) MarshalJSON() ([]byte, error) { return json.Marshal(f.text) }

// Format writes that the text was not escaped, in place of it.
func (f Foreign) Format(s fmt.State, _ rune) { io.WriteString(s, "(text not escaped)") }

// hashed is the start of a hash of parts, n bytes of it in hexadecimal.
func hashed(n int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:n])
}

// foreigners marks every string of a list.
func foreigners[S ~string](list []S) []Foreign {
	if list == nil {
		return nil
	}
	all := make([]Foreign, len(list))
	for i, s := range list {
		all[i] = Foreign{string(s)}
	}
	return all
}

// A Params holds parameters by name.
type Params map[Foreign]Foreign

func newParams(m map[string]string) Params {
	if m == nil {
		return nil
	}
	p := make(Params, len(m))
	for name, value := range m {
		p[Foreign{name}] = Foreign{value}
	}
	return p
}

// MarshalJSON writes an object.
func (p Params) MarshalJSON() ([]byte, error) {
	m := make(map[string]string, len(p))
	for name, value := range p {
		m[name.text] = value.text
	}
	return json.Marshal(m)
}

// Unworded is a value that only programs read, by JSON: it may hold foreign
// text that no writer for people shows.
type Unworded[T any] struct{ value T }

// MarshalJSON writes the value.
func (u Unworded[T]) MarshalJSON() ([]byte, error) { return json.Marshal(u.value) }

// IsZero says that there is nothing to write.
func (u Unworded[T]) IsZero() bool {
	v := reflect.ValueOf(u.value)
	return v.IsZero() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
}
