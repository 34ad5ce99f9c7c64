package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Text is a sentence or part of one: our words and, between them, names and
// messages that came from elsewhere and have to be neutralised by the writer.
type Text []Span

// A Span is either our own words or something foreign, never both. Words are
// plain prose without any character that Markdown, HTML, XML or a terminal
// gives a meaning to.
type Span struct {
	Words   string
	Foreign Foreign
}

// joined is the text as it is, which is foreign if any span is.
func (t Text) joined() string {
	return t.Render(func(s string) string { return s }, func(f Foreign) string { return f.text })
}

// Terminal is the text for a terminal, with at most 160 characters of each name.
func (t Text) Terminal() string {
	return t.Render(func(s string) string { return s }, func(f Foreign) string { return f.Terminal(160) })
}

// XML is the text for an encoder of XML, at most limit characters of it: see
// Foreign.XML.
func (t Text) XML(limit int) string { return Foreign{t.joined()}.XML(limit) }

// XMLName is Foreign.XMLName for a text.
func (t Text) XMLName(limit int, identity string) string {
	return Foreign{t.joined()}.XMLName(limit, identity)
}

// Format writes that the text was not escaped, in place of it.
func (t Text) Format(s fmt.State, verb rune) { Foreign{}.Format(s, verb) }

// Render joins the spans, each passed through the function for its kind.
func (t Text) Render(words func(string) string, foreign func(Foreign) string) string {
	var b strings.Builder
	for _, s := range t {
		if !s.Foreign.IsEmpty() {
			b.WriteString(foreign(s.Foreign))
		} else {
			b.WriteString(words(s.Words))
		}
	}
	return b.String()
}

// MarshalJSON writes the joined string.
func (t Text) MarshalJSON() ([]byte, error) { return json.Marshal(t.joined()) }

// say words a sentence of our own. The operands must not be foreign.
func say(format string, args ...any) Text {
	return Text{{Words: fmt.Sprintf(format, args...)}}
}

// cite is a Text that holds nothing but something foreign; empty for nothing.
func cite(f Foreign) Text {
	if f.IsEmpty() {
		return nil
	}
	return Text{{Foreign: f}}
}

// quote is cite for a string.
func quote(s string) Text {
	return cite(Foreign{s})
}

// concat sets parts side by side.
func concat(parts ...Text) Text { return slices.Concat(parts...) }

// join sets sep, words of our own, between the parts that are not empty.
func join(sep string, parts ...Text) Text {
	var all Text
	for _, p := range parts {
		if len(p) == 0 {
			continue
		}
		if len(all) > 0 {
			all = append(all, Span{Words: sep})
		}
		all = append(all, p...)
	}
	return all
}

// Join sets sep, words of our own, between the texts that say something.
func Join(sep string, parts ...Text) Text { return join(sep, parts...) }

// quoteAll lists foreign strings, separated by commas; from the limit on only
// their number is said.
func quoteAll(list []string, limit int) Text {
	var parts []Text
	for i, s := range list {
		if i == limit {
			parts = append(parts, say("%d more", len(list)-limit))
			break
		}
		parts = append(parts, quote(s))
	}
	return join(", ", parts...)
}

// plural words a count: "1 block", "2 blocks".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// lines lists those that say something.
func lines(list ...Text) []Text {
	return slices.DeleteFunc(list, func(t Text) bool { return len(t) == 0 })
}
