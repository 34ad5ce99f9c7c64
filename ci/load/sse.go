package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxEvent bounds an event of a stream, bytes; the final event of the native
// API repeats the prompt, so a request's own size comes on top.
const maxEvent = 1 << 20

// An event is one event of an event stream. What it holds is valid until the
// next one is read.
type event struct {
	data   []byte // its data lines, joined by newlines
	failed bool   // it came in "error:" lines, as builds before 6523 report an error in mid-stream
}

var errNotAStream = errors.New("not an event stream")

// An eventReader reads server-sent events (WHATWG HTML, section 9.2.6) from r
// as they come: an event is returned with the read that brings its empty line.
// Comments and the fields event, id and retry are passed over. Other fields are
// an error where the standard would ignore them: they are a web page, or an
// error in a shape not known yet, and neither must look like silence.
type eventReader struct {
	r     io.Reader
	limit int // bytes of an event, its comments included

	buf  []byte // buf[pos:end] is read and not yet used
	pos  int
	end  int
	scan int // no line ends in buf[pos:scan]

	used   int // bytes of this event's lines so far
	data   []byte
	lines  int // data or error lines so far
	failed bool
	begun  bool // past the place where a byte order mark may be
	skipLF bool // the line before ended in CR; an LF now belongs to that
}

// reset makes e read from r, keeping its buffers unless an event made them
// large.
func (e *eventReader) reset(r io.Reader, limit int) {
	const small, large = 2 << 10, 64 << 10
	buf, data := e.buf, e.data
	if len(buf) == 0 || len(buf) > large {
		buf, data = make([]byte, small), nil
	}
	*e = eventReader{r: r, limit: limit, buf: buf, data: data[:0]}
}

// next returns the next event. It returns io.EOF when the stream ends, with or
// without an unfinished event, an error that is errNotAStream when this is none
// or an event is too long, and the reader's error when that fails.
func (e *eventReader) next() (event, error) {
	e.used, e.data, e.lines, e.failed = 0, e.data[:0], 0, false
	for {
		line, err := e.line()
		if err != nil {
			return event{}, err
		}
		if len(line) == 0 {
			if e.lines > 0 {
				return event{e.data, e.failed}, nil
			}
			e.used = 0 // a block of comments
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch string(name) {
		case "data", "error":
			if e.lines > 0 {
				e.data = append(e.data, '\n')
			}
			e.data = append(e.data, bytes.TrimPrefix(value, []byte(" "))...)
			e.failed = e.failed || name[0] == 'e'
			e.lines++
		case "", "event", "id", "retry":
		default:
			return event{}, fmt.Errorf("%w: a line begins with %s", errNotAStream, quote(line))
		}
	}
}

// line returns the next line without its end, which is CR, LF or both.
func (e *eventReader) line() ([]byte, error) {
	for {
		if e.skipLF && e.pos < e.end {
			e.skipLF = false
			if e.buf[e.pos] == '\n' {
				e.pos++
			}
		}
		e.scan = max(e.scan, e.pos)
		if n := lineEnd(e.buf[e.scan:e.end]); n >= 0 {
			stop := e.scan + n
			line := e.buf[e.pos:stop]
			e.skipLF = e.buf[stop] == '\r'
			e.pos = stop + 1
			e.used += len(line) + 1
			if !e.begun {
				e.begun = true
				line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
			}
			if e.used > e.limit {
				return nil, e.tooLong()
			}
			return line, nil
		}
		e.scan = e.end
		if e.used+e.end-e.pos > e.limit {
			return nil, e.tooLong()
		}
		if err := e.fill(); err != nil {
			return nil, err
		}
	}
}

// lineEnd returns the place of the first CR or LF, -1 where there is none. It looks
// through one piece after the other: else a long text of lines that end in CR would be
// searched to its end for an LF with every line.
func lineEnd(b []byte) int {
	const piece = 512
	for from := 0; from < len(b); from += piece {
		part := b[from:min(from+piece, len(b))]
		n := bytes.IndexByte(part, '\n')
		if n >= 0 {
			part = part[:n]
		}
		if cr := bytes.IndexByte(part, '\r'); cr >= 0 {
			n = cr
		}
		if n >= 0 {
			return from + n
		}
	}
	return -1
}

func (e *eventReader) tooLong() error {
	return fmt.Errorf("%w: an event of more than %d bytes", errNotAStream, e.limit)
}

// fill reads more, once, behind what is left.
func (e *eventReader) fill() error {
	if e.pos > 0 {
		copy(e.buf, e.buf[e.pos:e.end])
		e.end, e.scan, e.pos = e.end-e.pos, e.scan-e.pos, 0
	}
	if e.end == len(e.buf) {
		e.buf = append(e.buf, make([]byte, len(e.buf))...)
	}
	n, err := e.r.Read(e.buf[e.end:])
	e.end += n
	if n > 0 {
		return nil // an error comes again with the next read
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// rest returns what is read of an unfinished event, for evidence.
func (e *eventReader) rest() []byte { return append(e.data, e.buf[e.pos:e.end]...) }
