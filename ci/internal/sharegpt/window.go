package sharegpt

import "io"

// A window is the part of a stream that is held in memory: what is not yet done
// with, and as much behind it as was read.
type window struct {
	r      io.Reader
	buf    []byte
	pos    int   // of the first byte not done with
	offset int64 // of the same in the stream
	failed error // io.EOF at the end of the stream
}

func (w *window) bytes() []byte { return w.buf[w.pos:] }

func (w *window) advance(n int) {
	w.pos += n
	w.offset += int64(n)
}

// more reads further bytes behind those in the window, and tells whether there
// were any. The window doubles when it is full; its user sets the bound by not
// asking for more.
func (w *window) more() bool {
	if w.failed != nil {
		return false
	}
	if w.pos > 0 {
		w.buf = w.buf[:copy(w.buf, w.bytes())]
		w.pos = 0
	}
	have := len(w.buf)
	if have == cap(w.buf) {
		w.buf = append(make([]byte, 0, max(2*have, blockSize)), w.buf...)
	}
	for len(w.buf) < cap(w.buf) && w.failed == nil { // to its end: else a long string is searched anew for every few bytes
		var n int
		n, w.failed = w.r.Read(w.buf[len(w.buf):cap(w.buf)])
		w.buf = w.buf[:len(w.buf)+n]
	}
	return len(w.buf) > have
}

// peek passes over white space and returns the byte behind it.
func (w *window) peek() (c byte, ok bool) {
	for {
		for _, c := range w.bytes() {
			if !isSpace(c) {
				return c, true
			}
			w.advance(1)
		}
		if !w.more() {
			return 0, false
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
