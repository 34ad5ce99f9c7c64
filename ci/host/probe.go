package host

import (
	"bytes"
	"io"
	"io/fs"
	"strconv"
)

// A probe is a kernel file kept open, so that reading it again is one call into
// the kernel: a fraction of what opening it each time costs. It goes on telling
// of the same process when a process's number is given to another.
type probe struct {
	file fs.File
	at   io.ReaderAt
	buf  []byte
}

// probe opens a file of which the first size bytes are wanted, nil when it
// cannot be read.
func (t tree) probe(name string, size int) *probe {
	f, err := t.Open(name)
	if err != nil {
		return nil
	}
	at, ok := f.(io.ReaderAt)
	p := &probe{file: f, at: at, buf: make([]byte, size)}
	if !ok || p.read() == nil {
		f.Close()
		return nil
	}
	return p
}

// read returns the content as it is now, valid until the next read; nil when it
// cannot be read, empty when there is none.
func (p *probe) read() []byte {
	if p == nil {
		return nil
	}
	n, err := p.at.ReadAt(p.buf, 0)
	if err != nil && err != io.EOF {
		return nil
	}
	return p.buf[:n:n]
}

// number reads a file of one whole number.
func (p *probe) number() (float64, bool) { return wholeNumber(bytes.TrimSpace(p.read())) }

func (p *probe) close() {
	if p != nil {
		p.file.Close()
	}
}

// wholeNumber reads one that 64 bits hold, perhaps negative.
func wholeNumber(text []byte) (float64, bool) {
	n, err := strconv.ParseInt(string(text), 10, 64)
	return float64(n), err == nil
}

// numberAfter reads the number that follows the name in text, both between
// blanks or at an end, such as "pswpin 12" or "total=12".
func numberAfter(text []byte, name string) (float64, bool) {
	for rest := text; ; {
		i := bytes.Index(rest, []byte(name))
		if i < 0 {
			return 0, false
		}
		starts := i == 0 || rest[i-1] <= ' '
		rest = rest[i+len(name):]
		if !starts {
			continue
		}
		value := bytes.TrimLeft(rest, " \t")
		if end := bytes.IndexAny(value, " \t\n"); end >= 0 {
			value = value[:end]
		}
		if n, ok := wholeNumber(value); ok {
			return n, true
		}
	}
}
