package sharegpt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

const (
	maxRecord = 16 << 20 // bytes; the public file has 7 KB in a record on average
	maxPlaces = 10
)

// A scanner cuts a stream into records: the elements of one array, or values one
// after another, see shape. It finds where a record ends by strings and brackets alone,
// which is ten times as fast as to decode it, and then has its JSON checked.
type scanner struct {
	window
	array   bool // and not JSON lines
	wrapped bool // the array is a value in an object
	kind    byte // what a record begins with: '{', '[' or '"'
	closed  bool // the array is
	resync  resync

	table *table // of a file that is written column by column

	record  []byte // the current one, valid until next is called again
	number  int    // of the current record, from 1
	damaged Damaged
	err     error // that ended the stream before its end
}

var errTruncated = errors.New("the file ends inside it: it is truncated; copy or download it again")

func newScanner(r io.Reader) (*scanner, error) {
	s := &scanner{window: window{r: r}}
	if s.more() && bytes.HasPrefix(s.bytes(), []byte("\xef\xbb\xbf")) {
		s.advance(3) // the byte order mark that some editors write
	}
	c, ok := s.peek()
	switch {
	case !ok && s.failed != io.EOF:
		return nil, s.failed
	case !ok:
		return nil, errors.New("is empty")
	}
	if err := s.shape(c); err != nil {
		return nil, err
	}
	s.resync = newResync(!s.array, s.kind)
	return s, nil
}

func (s *scanner) format() string {
	if s.array || s.table != nil {
		return "json"
	}
	return "jsonl"
}

// next goes to the next sound record, and returns false at the end of the stream
// or where it cannot go on, which leaves err.
func (s *scanner) next() bool {
	if s.table != nil {
		return s.nextRow()
	}
	for s.err == nil {
		c, ok := s.peek()
		switch {
		case !ok:
			s.end()
			return false
		case s.closed && s.wrapped:
			if s.passRest() != '}' {
				s.err = fmt.Errorf("ends after record %d, before the object that holds them does: it is truncated; copy or download it again", s.number)
			}
		case s.closed && c == '[': // one array after another
			s.closed = false
			s.advance(1)
		case s.closed:
			s.note(fmt.Sprintf("byte %d: what follows the array's end is left out", s.offset))
			s.passRest()
		case s.array && c == ',':
			s.advance(1)
		case s.array && c == ']':
			s.closed = true
			s.advance(1)
		default:
			if s.take() {
				return true
			}
		}
	}
	return false
}

func (s *scanner) nextRow() bool {
	more, err := s.table.next()
	if s.err = err; !more {
		if err == nil {
			s.passRest()
		}
		return false
	}
	s.number++
	s.record = s.table.row
	return true
}

// passRest goes to the end of the stream, and returns the last byte before it that
// is no white space.
func (s *scanner) passRest() (last byte) {
	for more := true; more; more = s.more() {
		if b := bytes.TrimRight(s.bytes(), " \t\r\n"); len(b) > 0 {
			last = b[len(b)-1]
		}
		s.advance(len(s.bytes()))
	}
	return last
}

// take makes the value that the window begins with the current record, or passes
// over it where it is damaged.
func (s *scanner) take() bool {
	s.number++
	n, complete, why := s.value()
	var record []byte
	if why == nil {
		record, why = sound(s.bytes()[:n])
	}
	if why == nil {
		s.record = record
		s.resync.learn(s.record)
		s.advance(n)
		return true
	}
	place := fmt.Sprintf("record %d (byte %d)", s.number, s.offset)
	found, err := s.resync.pass(&s.window, n, complete)
	switch {
	case s.failed != nil && s.failed != io.EOF:
		s.err = s.failed
	case err != nil:
		s.err = fmt.Errorf("%s: %v; %w", place, why, err)
	case !found && why == errTruncated:
		s.err = fmt.Errorf("%s: %w", place, why)
	default:
		s.closed = !found && s.array && s.resync.ended(s.wrapped)
		s.damaged.Count++
		s.note(fmt.Sprintf("%s: %v", place, why))
	}
	return false
}

func (s *scanner) note(place string) {
	if len(s.damaged.Places) < maxPlaces {
		s.damaged.Places = append(s.damaged.Places, place)
	}
}

func (s *scanner) end() {
	switch {
	case s.failed != io.EOF:
		s.err = s.failed
	case s.array && !s.closed:
		s.err = fmt.Errorf("ends after record %d, before its array does: it is truncated; copy or download it again", s.number)
	}
}

var kinds = map[byte]string{'{': "an object", '[': "an array", '"': "a string"}

// value returns the length of the record that the window begins with. Where it
// has no end, or none to be trusted, complete is false and n is how far it was
// followed.
func (s *scanner) value() (n int, complete bool, why error) {
	if c := s.bytes()[0]; c != s.kind {
		return 1, false, fmt.Errorf("begins with %q, want %s", c, kinds[s.kind])
	}
	return s.follow(0)
}

// follow is value for what stands at a byte of the window, of whatever kind.
func (s *scanner) follow(at int) (n int, complete bool, why error) {
	var o object
	for {
		complete, why = o.follow(s.bytes()[at:])
		switch {
		case complete || why != nil:
			return o.n, complete, why
		case len(s.bytes()) >= maxRecord:
			return o.n, false, fmt.Errorf("longer than %d MiB", maxRecord>>20)
		case !s.more():
			return o.n, false, errTruncated
		}
	}
}

// ahead returns the place in the window of the first byte from at on that is no
// white space, and tells whether there is one. It does not look further than a
// record may be long.
func (s *scanner) ahead(at int) (i int, ok bool) {
	for i = at; ; i++ {
		for i >= len(s.bytes()) {
			if len(s.bytes()) >= maxRecord || !s.more() {
				return len(s.bytes()), false
			}
		}
		if !isSpace(s.bytes()[i]) {
			return i, true
		}
	}
}

// sound returns a whole record as valid JSON, or says what is wrong with it.
func sound(record []byte) ([]byte, error) {
	if !utf8.Valid(record) {
		return nil, errors.New("not in UTF-8")
	}
	if json.Valid(record) {
		return record, nil
	}
	if strict := withoutNaN(record); json.Valid(strict) {
		return strict, nil
	}
	var v json.RawMessage
	return nil, json.Unmarshal(record, &v) // says where
}

// withoutNaN replaces what Python writes for numbers that JSON does not have by null.
func withoutNaN(record []byte) []byte {
	strict := make([]byte, 0, len(record)+len(record)/8)
	for len(record) > 0 {
		n := 1
		switch record[0] {
		case '"':
			if n, _ = stringAt(record); n == 0 {
				return append(strict, record...)
			}
		case 'N', 'I', '-':
			for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
				if bytes.HasPrefix(record, []byte(word)) {
					strict, record, n = append(strict, "null"...), record[len(word):], 0
					break
				}
			}
		}
		strict, record = append(strict, record[:n]...), record[n:]
	}
	return strict
}
