package llama

import (
	"bytes"
	"io"
	"time"
)

// progressPrefix begins each line that llama-bench writes to stderr for --progress.
const progressPrefix = "llama-bench: benchmark "

// A loadClock reads what llama-bench writes to stderr with --progress and keeps those
// lines from everybody else: they are neither a warning nor a cause. The first one
// after "starting" tells that the model is loaded and its context made.
type loadClock struct {
	next  io.Writer
	ready time.Time // zero until then

	line    []byte // of a line so far that may be one of progress, at most of their length
	foreign bool   // the rest of this line is of another kind
}

// longestProgress bounds what is kept of a line; "llama-bench: benchmark 999/999:
// warmup generation run" has 60 bytes.
const longestProgress = 200

func (c *loadClock) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		part := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			part = rest[:i+1]
		}
		rest = rest[len(part):]
		if err := c.take(part); err != nil {
			return len(p) - len(rest), err
		}
	}
	return len(p), nil
}

// take takes a part of a line, which its end ends.
func (c *loadClock) take(part []byte) error {
	ends := part[len(part)-1] == '\n'
	if !c.foreign {
		c.line = append(c.line, part[:min(len(part), longestProgress)]...)
		n := min(len(c.line), len(progressPrefix))
		if string(c.line[:n]) == progressPrefix[:n] && len(c.line) < longestProgress && (!ends || n == len(progressPrefix)) {
			if ends {
				c.progress()
				c.line = c.line[:0]
			}
			return nil
		}
		kept := len(c.line) - min(len(part), longestProgress)
		part = append(c.line[:kept:kept], part...)
		c.line = c.line[:0]
	}
	c.foreign = !ends
	_, err := c.next.Write(part)
	return err
}

// progress takes a whole line of progress.
func (c *loadClock) progress() {
	if c.ready.IsZero() && !bytes.HasSuffix(bytes.TrimSpace(c.line), []byte(": starting")) {
		c.ready = time.Now()
	}
}

// end passes on what is left of a line without an end.
func (c *loadClock) end() {
	if len(c.line) > 0 {
		c.next.Write(c.line)
		c.line = nil
	}
}
