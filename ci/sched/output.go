package sched

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// An output takes what a scheduler writes, so that it never waits for a reader,
// and keeps the beginning and the end of it.
type output struct {
	forward io.Writer // gets all of it up to mostForwarded; nil for nobody

	mu        sync.Mutex
	forwarded int
	head      []byte
	tail      []byte
	cut       bool // the middle is missing
}

const (
	mostForwarded = 16 << 20
	mostKept      = 32 << 10 // of the beginning, and of the end
)

// Write never fails: a full disk must not end the scheduler.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(p)
	if room := mostForwarded - o.forwarded; o.forward != nil && room > 0 {
		_, _ = o.forward.Write(p[:min(n, room)])
		o.forwarded += min(n, room)
	}
	room := min(n, mostKept-len(o.head))
	o.head, p = append(o.head, p[:room]...), p[room:]
	o.tail = append(o.tail, p...)
	if extra := len(o.tail) - mostKept; extra > 0 {
		o.tail, o.cut = append([]byte(nil), o.tail[extra:]...), true
	}
	return n, nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	between := ""
	if o.cut {
		between = "\n...\n"
	}
	return strings.ToValidUTF8(string(o.head)+between+string(o.tail), "?")
}

// last returns the last whole KiB of text or so, for a record.
func (o *output) last(most int) string {
	text := strings.TrimSpace(o.String())
	if len(text) > most {
		text = strings.ToValidUTF8(text[len(text)-most:], "")
		if _, rest, ok := strings.Cut(text, "\n"); ok {
			text = rest
		}
	}
	return text
}

// reason is what the scheduler says of its own end, from its line "EXIT: ...",
// "" when it says nothing.
func (o *output) reason() string {
	reason := ""
	for line := range strings.Lines(o.String()) {
		if _, after, ok := strings.Cut(line, "EXIT: "); ok {
			reason = oneLine(after)
		}
	}
	return reason
}

// why is the most telling of a scheduler's last lines, for one that does not
// load: that of its own macro for errors, else the last.
func (o *output) why() string {
	last := ""
	for line := range strings.Lines(o.String()) {
		if line = oneLine(line); line == "" {
			continue
		}
		if strings.Contains(line, "[SCX_BUG]") || strings.HasPrefix(line, "Error:") {
			return line
		}
		last = line
	}
	if last == "" {
		return "it printed nothing"
	}
	return fmt.Sprintf("its last line: %s", last)
}
