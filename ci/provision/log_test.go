package provision

import (
	"strings"
	"sync"
)

// safeLog is a log that one goroutine writes while another reads.
type safeLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *safeLog) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.WriteString(line + "\n")
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
