package sched

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// An output takes what a scheduler writes, so that it never waits for a reader,
// and keeps the beginning and the end of it.
type output struct {
	mu   sync.Mutex
	kept proc.Excerpt
	log  *proc.Log // gets all of it up to mostForwarded; nil for nobody
}

const (
	mostForwarded = 16 << 20
	mostKept      = 32 << 10 // of the beginning, and of the end
	mostWords     = 400      // bytes of foreign text in a message
)

func newOutput(forward io.Writer) *output {
	o := &output{kept: proc.Excerpt{Head: mostKept, Tail: mostKept}}
	if forward != nil {
		o.log = &proc.Log{W: forward, Room: mostForwarded}
	}
	return o
}

// Write never fails: a full disk must not end the scheduler.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.log != nil {
		_, _ = o.log.Write(p)
	}
	return o.kept.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.ToValidUTF8(o.kept.String(), "?")
}

// last returns the last lines of the text, of at most so many bytes, for a record.
func (o *output) last(most int) string { return proc.LastLines(o.String(), most) }

// reason is what the scheduler says of its own end, from its line "EXIT: ...",
// "" when it says nothing.
func (o *output) reason() string {
	reason := ""
	for line := range strings.Lines(o.String()) {
		if _, after, ok := strings.Cut(line, "EXIT: "); ok {
			reason = proc.OneLine(after, mostWords)
		}
	}
	return reason
}

// why is the most telling of a scheduler's last lines, for one that does not
// load: that of its own macro for errors, else the last.
func (o *output) why() string {
	last := ""
	for line := range strings.Lines(o.String()) {
		if line = proc.OneLine(line, mostWords); line == "" {
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
