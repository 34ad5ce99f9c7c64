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

// A scanner cuts a stream into records: the objects of one array, or objects one
// after another. It finds where a record ends by strings and brackets alone,
// which is ten times as fast as to decode it, and then has its JSON checked.
type scanner struct {
	window
	array  bool // and not JSON lines
	closed bool // the array is
	resync resync

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
	case c == '[':
		s.array = true
		s.advance(1)
	case c != '{':
		return nil, fmt.Errorf("is not a dataset: it begins with %q; want a JSON array, or one JSON object a line", c)
	}
	s.resync = newResync(!s.array)
	return s, nil
}

func (s *scanner) format() string {
	if s.array {
		return "json"
	}
	return "jsonl"
}

// next goes to the next sound record, and returns false at the end of the stream
// or where it cannot go on, which leaves err.
func (s *scanner) next() bool {
	for s.err == nil {
		c, ok := s.peek()
		switch {
		case !ok:
			s.end()
			return false
		case s.closed:
			s.note(fmt.Sprintf("byte %d: what follows the array's end is left out", s.offset))
			for s.advance(len(s.bytes())); s.more(); s.advance(len(s.bytes())) {
			}
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

// take makes the value that the window begins with the current record, or passes
// over it where it is damaged.
func (s *scanner) take() bool {
	s.number++
	n, complete, why := s.value()
	if why == nil {
		why = sound(s.bytes()[:n])
	}
	if why == nil {
		s.record = s.bytes()[:n]
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
		s.closed = !found && s.array && s.resync.last == ']'
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

// value returns the length of the object that the window begins with. Where it
// has no end, or none to be trusted, complete is false and n is how far it was
// followed.
func (s *scanner) value() (n int, complete bool, why error) {
	if c := s.bytes()[0]; c != '{' {
		return 1, false, fmt.Errorf("begins with %q, want an object", c)
	}
	var o object
	for {
		complete, why = o.follow(s.bytes())
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

// sound says what is wrong with a whole record.
func sound(record []byte) error {
	if !utf8.Valid(record) {
		return errors.New("not in UTF-8")
	}
	if json.Valid(record) {
		return nil
	}
	var v json.RawMessage
	return json.Unmarshal(record, &v) // says where
}
