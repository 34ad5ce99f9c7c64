package store

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// A scanner walks over JSON that is known to be valid, which makes it several
// times faster than a decoder: it looks at no byte twice and at the inside of
// what is not asked for hardly at all. Whatever is valid and yet not plain (a
// key spelt with escapes or in capitals, a key twice, a value of another type)
// makes it odd, and then somebody else has to read it.
type scanner struct {
	data []byte
	at   int
	odd  bool
}

func (s *scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// take moves behind the given character, if it is next.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.at < len(s.data) && s.data[s.at] == c {
		s.at++
		return true
	}
	return false
}

// null moves behind a null, if it is next: like an absent value it changes nothing.
func (s *scanner) null() bool {
	s.space()
	if s.at < len(s.data) && s.data[s.at] == 'n' {
		s.at += len("null")
		return true
	}
	return false
}

// object calls value with each key of the object that is next, which has to
// move behind the value. Keys that are none of known are skipped.
func (s *scanner) object(known []string, value func(key int)) {
	if s.null() {
		return
	}
	if !s.take('{') {
		s.odd = true
		return
	}
	seen := 0
	for !s.odd && !s.take('}') {
		s.take(',')
		name, plain := s.text()
		s.take(':')
		key := slices.Index(known, string(name))
		if key < 0 && (!plain || slices.ContainsFunc(known, func(k string) bool { return len(k) == len(name) && strings.EqualFold(k, string(name)) })) {
			s.odd = true // encoding/json takes it for a known one, or may do so
		}
		switch {
		case s.odd:
		case key < 0:
			s.skip()
		case seen&(1<<key) != 0:
			s.odd = true
		default:
			seen |= 1 << key
			value(key)
		}
	}
}

// array calls element for each element of the array that is next.
func (s *scanner) array(element func()) {
	if s.null() {
		return
	}
	if !s.take('[') {
		s.odd = true
		return
	}
	for !s.odd && !s.take(']') {
		s.take(',')
		element()
	}
}

// text moves behind a string and returns its bytes between the quotes; plain
// says that they are the text itself: ASCII, and nothing escaped.
func (s *scanner) text() (raw []byte, plain bool) {
	if !s.take('"') {
		s.odd = true
		return nil, false
	}
	start := s.at
	plain = true
	for s.at < len(s.data) {
		switch c := s.data[s.at]; {
		case c == '"':
			raw = s.data[start:s.at]
			s.at++
			return raw, plain
		case c == '\\':
			plain = false
			s.at++
		case c >= 0x80:
			plain = false
		}
		s.at++
	}
	s.odd = true
	return nil, false
}

// skip moves behind a value of any type.
func (s *scanner) skip() {
	s.space()
	depth := 0
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case '"':
			s.at++
			for s.at < len(s.data) && s.data[s.at] != '"' {
				if s.data[s.at] == '\\' {
					s.at++
				}
				s.at++
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return // the end of what holds a number or a word
			}
			depth--
			if depth == 0 {
				s.at++
				return
			}
		case ',':
			if depth == 0 {
				return
			}
		}
		s.at++
		if depth == 0 && s.data[s.at-1] == '"' {
			return
		}
	}
}

// value moves behind a value and returns its bytes.
func (s *scanner) value() []byte {
	s.space()
	start := s.at
	s.skip()
	return s.data[start:s.at]
}

// words interns the strings of a record, most of which are the same few.
type words map[string]string

// word reads a string.
func (s *scanner) word(known words) string {
	if s.null() {
		return ""
	}
	raw, plain := s.text()
	if !plain {
		if s.odd {
			return ""
		}
		var text string
		if json.Unmarshal(s.data[s.at-len(raw)-2:s.at], &text) != nil {
			s.odd = true
		}
		return text
	}
	if text, ok := known[string(raw)]; ok {
		return text
	}
	text := string(raw)
	if known != nil && len(known) < 4096 {
		known[text] = text
	}
	return text
}

// number reads a number.
func (s *scanner) number() float64 {
	if s.null() {
		return 0
	}
	v, err := strconv.ParseFloat(string(s.digits()), 64)
	s.odd = s.odd || err != nil
	return v
}

// whole reads a number that has no fraction.
func (s *scanner) whole() int {
	if s.null() {
		return 0
	}
	v, err := strconv.Atoi(string(s.digits()))
	s.odd = s.odd || err != nil
	return v
}

func (s *scanner) digits() []byte {
	s.space()
	start := s.at
	for s.at < len(s.data) {
		switch c := s.data[s.at]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			s.at++
		default:
			return s.data[start:s.at]
		}
	}
	return s.data[start:s.at]
}

// truth reads true or false.
func (s *scanner) truth() bool {
	if s.null() {
		return false
	}
	switch text := string(s.value()); text {
	case "true", "false":
		return text == "true"
	}
	s.odd = true
	return false
}
