package llama

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// window is how much of a file can be looked at before it is consumed.
const window = 64 << 10

// A source is a text that is read by bytes and by lines, whatever it was encoded
// in and wherever it was pasted from: it drops byte order marks, the marks of
// quoted text and the time stamps that a CI log puts before each line.
type source struct {
	in    *bufio.Reader
	limit *io.LimitedReader
	line  int  // of the next byte, from 1
	begun bool // something of the line was consumed that is no mark
}

// newSource reads UTF-8, and UTF-16 with or without a byte order mark.
func newSource(r io.Reader, most int64) (*source, error) {
	limited := &io.LimitedReader{R: r, N: most + 1}
	s := &source{in: bufio.NewReaderSize(limited, window), limit: limited, line: 1}
	begin, _ := s.in.Peek(512)
	order, wide := unicode.LittleEndian, false
	switch {
	case bytes.HasPrefix(begin, []byte{0xff, 0xfe}):
		wide = true
	case bytes.HasPrefix(begin, []byte{0xfe, 0xff}):
		order, wide = unicode.BigEndian, true
	case len(begin) >= 4 && begin[0] != 0 && begin[1] == 0 && begin[2] != 0 && begin[3] == 0:
		wide = true
	case len(begin) >= 4 && begin[0] == 0 && begin[1] != 0 && begin[2] == 0 && begin[3] != 0:
		order, wide = unicode.BigEndian, true
	}
	if wide {
		s.in = bufio.NewReaderSize(transform.NewReader(s.in, unicode.UTF16(order, unicode.UseBOM).NewDecoder()), window)
		begin, _ = s.in.Peek(512)
	}
	if bytes.IndexByte(begin, 0) >= 0 {
		return nil, errors.New("a binary file, and no output of llama-bench")
	}
	return s, nil
}

// stamp matches the time that a log puts before a line.
var stamp = regexp.MustCompile(`^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\]?[ \t]+`)

// quoteMarks is the length of "> > " at the start of a line, 0 without one.
func quoteMarks(line []byte) (n int) {
	for i, b := range line {
		switch b {
		case '>':
			n = i + 1
		case ' ', '\t':
		default:
			return n
		}
	}
	return n
}

var mark = []byte("\ufeff")

// lineStart drops what stands before a line, once a line.
func (s *source) lineStart() {
	if s.begun {
		return
	}
	for {
		head, _ := s.in.Peek(1)
		if len(head) == 0 {
			return
		}
		var n int
		switch b := head[0]; {
		case b == mark[0]:
			if head, _ = s.in.Peek(len(mark)); bytes.Equal(head, mark) {
				n = len(mark)
			}
		case b == '[' || b >= '0' && b <= '9':
			head, _ = s.in.Peek(48)
			n = len(stamp.Find(head))
		case b == '>' || b == ' ' || b == '\t':
			head, _ = s.in.Peek(64)
			n = quoteMarks(head)
		}
		if n == 0 {
			return
		}
		_, _ = s.in.Discard(n)
	}
}

// peekLine returns what is left of the line without its end; false where that is
// more than the window.
func (s *source) peekLine() ([]byte, bool) {
	ahead, _ := s.in.Peek(s.in.Buffered())
	end := bytes.IndexByte(ahead, '\n')
	if end < 0 {
		ahead, _ = s.in.Peek(window)
		if end = bytes.IndexByte(ahead, '\n'); end < 0 {
			return ahead, len(ahead) < window
		}
	}
	return ahead[:end], true
}

// skipLine consumes the line and its end.
func (s *source) skipLine() {
	for {
		line, whole := s.peekLine()
		_, _ = s.in.Discard(len(line))
		if whole {
			_, _ = s.read()
			return
		}
		s.begun = true
	}
}

func (s *source) read() (byte, error) {
	b, err := s.in.ReadByte()
	if err != nil {
		return 0, err
	}
	if b == '\n' {
		s.line++
		s.begun = false
	} else {
		s.begun = true
	}
	return b, nil
}

// exhausted is the error of a source that was larger than it may be.
func (s *source) exhausted(most int64) error {
	if s.limit.N > 0 {
		return nil
	}
	return fmt.Errorf("larger than %d MiB; split it", most>>20)
}
