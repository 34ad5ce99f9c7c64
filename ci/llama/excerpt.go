package llama

import "fmt"

// A boundedBuffer keeps the first max bytes and calls full at the first one
// beyond them. It goes on accepting, so that the writer does not block before
// it is ended. It is a Writer and nothing else: io.Copy would fill a
// bytes.Buffer past any Write method of ours.
type boundedBuffer struct {
	data []byte
	max  int
	full func()
	over bool
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	room := min(b.max-len(b.data), len(p))
	b.data = append(b.data, p[:room]...)
	if room < len(p) && !b.over {
		b.over = true
		b.full()
	}
	return len(p), nil
}

const (
	excerptHead = 16 << 10
	excerptTail = 64 << 10
)

// An excerpt keeps the beginning and the end of what is written to it.
type excerpt struct {
	head, tail []byte
	dropped    int64
}

func (e *excerpt) Write(p []byte) (int, error) {
	n := len(p)
	room := min(excerptHead-len(e.head), len(p))
	e.head = append(e.head, p[:room]...)
	e.tail = append(e.tail, p[room:]...)
	if len(e.tail) > 2*excerptTail { // trimmed in bulk, so that each byte is moved once
		e.trim()
	}
	return n, nil
}

func (e *excerpt) trim() {
	if excess := len(e.tail) - excerptTail; excess > 0 {
		e.dropped += int64(excess)
		e.tail = append(e.tail[:0], e.tail[excess:]...)
	}
}

// String says where something was left out.
func (e *excerpt) String() string {
	e.trim()
	if e.dropped == 0 {
		return string(e.head) + string(e.tail)
	}
	return fmt.Sprintf("%s\n[... %d bytes left out ...]\n%s", e.head, e.dropped, e.tail)
}
