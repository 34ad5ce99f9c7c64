package proc

import (
	"fmt"
	"io"
)

// A Head keeps the first Max bytes written to it. It goes on accepting what is
// beyond them, so that the writer does not block before somebody ends it. It is a
// Writer and nothing else: io.Copy would fill a bytes.Buffer past any Write.
type Head struct {
	Max  int
	Full func() // called at the first byte beyond Max; nil calls nothing

	Data []byte // what was kept
	Over bool   // more than Max was written
}

func (h *Head) Write(p []byte) (int, error) {
	room := min(h.Max-len(h.Data), len(p))
	h.Data = append(h.Data, p[:room]...)
	if room < len(p) && !h.Over {
		h.Over = true
		if h.Full != nil {
			h.Full()
		}
	}
	return len(p), nil
}

func (h *Head) String() string { return string(h.Data) }

// An Excerpt keeps the first Head and the last Tail bytes written to it. The
// zero Head keeps the end alone.
type Excerpt struct {
	Head, Tail int

	head, tail []byte
	dropped    int64
}

func (e *Excerpt) Write(p []byte) (int, error) {
	n := len(p)
	room := min(e.Head-len(e.head), len(p))
	e.head = append(e.head, p[:room]...)
	e.tail = append(e.tail, p[room:]...)
	if len(e.tail) > 2*e.Tail { // trimmed in bulk, so that each byte is moved once
		e.trim()
	}
	return n, nil
}

func (e *Excerpt) trim() {
	if excess := len(e.tail) - e.Tail; excess > 0 {
		e.dropped += int64(excess)
		e.tail = append(e.tail[:0], e.tail[excess:]...)
	}
}

// String says where something was left out, unless that is the beginning.
func (e *Excerpt) String() string {
	e.trim()
	if e.dropped == 0 || e.Head == 0 {
		return string(e.head) + string(e.tail)
	}
	return fmt.Sprintf("%s\n[... %d bytes left out ...]\n%s", e.head, e.dropped, e.tail)
}

// A Log writes up to Room bytes to W and then says that it stops.
type Log struct {
	W    io.Writer
	Room int
}

// Write never fails: a full disk must not end the program that is measured.
func (l *Log) Write(p []byte) (int, error) {
	switch {
	case l.Room < 0:
	case len(p) > l.Room:
		fmt.Fprintf(l.W, "%s\n[log ends here: it has reached its limit]\n", p[:l.Room])
		l.Room = -1
	default:
		_, _ = l.W.Write(p)
		l.Room -= len(p)
	}
	return len(p), nil
}
