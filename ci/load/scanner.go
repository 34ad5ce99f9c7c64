package load

import "bytes"

// A scanner goes through JSON without decoding it. Its methods pass over what they
// name, with the white space before it, and return false where something else
// stands there; then nothing more may be read. They refuse some sound JSON, never
// take what is none.
type scanner struct {
	text []byte
	at   int
}

// next returns the byte that comes next, 0 at the end.
func (s *scanner) next() byte {
	for s.at < len(s.text) {
		c := s.text[s.at]
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		s.at++
	}
	return 0
}

func (s *scanner) byte(c byte) bool {
	if s.next() != c {
		return false
	}
	s.at++
	return true
}

// end reports whether nothing more stands there.
func (s *scanner) end() bool { return s.next() == 0 && s.at == len(s.text) }

// object passes over an object. For each of its members value is called behind the
// colon, and passes over the value; names are those without escapes, in ASCII.
func (s *scanner) object(value func(name []byte) bool) bool {
	if !s.byte('{') {
		return false
	}
	if s.byte('}') {
		return true
	}
	for {
		if s.next() != '"' {
			return false
		}
		from := s.at + 1
		n := bytes.IndexByte(s.text[from:], '"')
		if n < 0 {
			return false
		}
		name := s.text[from : from+n] // with an escape, or a control character, it is none that is known
		s.at = from + n + 1
		if !s.byte(':') || !value(name) {
			return false
		}
		if s.byte(',') {
			continue
		}
		return s.byte('}')
	}
}

// array passes over an array whose elements element passes over.
func (s *scanner) array(element func() bool) bool {
	if !s.byte('[') {
		return false
	}
	if s.byte(']') {
		return true
	}
	for {
		if !element() {
			return false
		}
		if s.byte(',') {
			continue
		}
		return s.byte(']')
	}
}

// word passes over a word such as null.
func (s *scanner) word(w string) bool {
	s.next()
	if len(s.text)-s.at < len(w) || string(s.text[s.at:s.at+len(w)]) != w {
		return false
	}
	s.at += len(w)
	return true
}

// string passes over a string, or null, and reports whether it holds something.
func (s *scanner) string() (some, ok bool) {
	if s.next() != '"' {
		return false, s.word("null")
	}
	from := s.at + 1
	for i := from; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.at = i + 1
			return i > from, true
		case c == '\\':
			n := escape(s.text[i+1:])
			if n == 0 {
				return false, false
			}
			i += n
		case c < ' ':
			return false, false
		}
	}
	return false, false
}

// escape returns the length of the escape that b has behind a backslash, 0 for none.
func escape(b []byte) int {
	switch {
	case len(b) == 0:
		return 0
	case bytes.IndexByte([]byte(`"\/bfnrt`), b[0]) >= 0:
		return 1
	case b[0] != 'u' || len(b) < 5:
		return 0
	}
	for _, c := range b[1:5] {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return 0
		}
	}
	return 5
}

// count passes over a whole number of at most nine digits, without a sign.
func (s *scanner) count() (n int, ok bool) {
	s.next()
	from := s.at
	for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		n = n*10 + int(s.text[s.at]-'0')
		if s.at++; s.at-from > 9 {
			return 0, false
		}
	}
	return n, s.at > from && (s.text[from] != '0' || s.at == from+1) && s.ended()
}

// ended reports whether a number ends here.
func (s *scanner) ended() bool {
	if s.at == len(s.text) {
		return true
	}
	switch s.text[s.at] {
	case ',', '}', ']', ' ', '\n', '\t', '\r':
		return true
	}
	return false
}

// value passes over a value of any kind that is not too deep, of numbers only over
// whole ones.
func (s *scanner) value(depth int) bool {
	if depth > 4 {
		return false
	}
	switch s.next() {
	case '"':
		_, ok := s.string()
		return ok
	case '[':
		return s.array(func() bool { return s.value(depth + 1) })
	case 'n':
		return s.word("null")
	case 'f':
		return s.word("false")
	case 't':
		return s.word("true")
	case '-':
		s.at++
		fallthrough
	default:
		for digits := 0; ; digits++ { // as many as there are, 19 of a number of 64 bits
			if s.at == len(s.text) || s.text[s.at] < '0' || s.text[s.at] > '9' {
				return digits > 0 && s.ended()
			}
			if digits == 1 && s.text[s.at-1] == '0' {
				return false
			}
			s.at++
		}
	}
}
