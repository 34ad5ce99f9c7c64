package llama

import (
	"io"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

const (
	logKept   = 1 << 20 // bytes of a server's log that can be asked for by time
	pieceCost = 64
	logSlack  = 100 * time.Millisecond // a line may arrive this much after what it tells of
)

// A serverLog takes what a server writes. It keeps its beginning and end, and
// of the recent part when each piece came.
type serverLog struct {
	mu      sync.Mutex
	all     *proc.Excerpt
	written int64
	recent  []logPiece // oldest first
	kept    int        // bytes in recent, and what keeping a piece costs
	forward io.Writer  // a proc.Log, nil for none
}

func newServerLog(forward io.Writer) *serverLog {
	return &serverLog{all: newExcerpt(), forward: forward}
}

// A logPiece is what one read from the server gave: a line as a rule.
type logPiece struct {
	at   time.Time
	text string
}

// Write never fails: that would end the server.
func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.all.Write(p)
	l.written += int64(len(p))
	l.recent = append(l.recent, logPiece{time.Now(), string(p)})
	l.kept += len(p) + pieceCost
	for l.kept > logKept {
		l.kept -= len(l.recent[0].text) + pieceCost
		l.recent = l.recent[1:]
	}
	if l.forward != nil {
		_, _ = l.forward.Write(p)
	}
	return len(p), nil
}

// size is how many bytes were written.
func (l *serverLog) size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written
}

// String is the log with its middle left out when it is long.
func (l *serverLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// between returns the last n bytes of what came from one time to the other.
func (l *serverLog) between(from, to time.Time, n int) string {
	to = to.Add(logSlack)
	l.mu.Lock()
	defer l.mu.Unlock()
	var text string
	for i := len(l.recent) - 1; i >= 0 && len(text) <= n; i-- {
		piece := l.recent[i]
		if piece.at.Before(from) {
			break
		}
		if !piece.at.After(to) {
			text = piece.text + text
		}
	}
	return proc.LastLines(text, n)
}
