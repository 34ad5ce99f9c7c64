package load

import (
	"fmt"
	"time"
)

// A span is the prompts of one conversation, from first up to end.
type span struct{ first, end int }

func (s span) turns() int { return s.end - s.first }

// conversations divides prompts: each that begins one, and the turns after it.
func conversations(prompts []Prompt) []span {
	var spans []span
	for i, p := range prompts {
		if p.Turn > 1 && len(spans) > 0 {
			spans[len(spans)-1].end++
		} else {
			spans = append(spans, span{i, i + 1})
		}
	}
	return spans
}

// A script says which requests a load has: of each conversation in the order in
// which they begin, the number of its first request.
type script struct {
	spans  []span
	begins []int // one more than there are conversations: the last is the number of all requests
}

// newScript lets n conversations be held, the first again after the last.
func newScript(spans []span, n int) (script, error) {
	s := script{spans: spans[:min(len(spans), n)], begins: make([]int, n+1)}
	for c := range n {
		s.begins[c+1] = s.begins[c] + s.of(c).turns()
	}
	if s.requests() > maxRequests*2 {
		return s, fmt.Errorf("load: %d requests in %d conversations: want at most %d; hold fewer, or take fewer turns of each", s.requests(), n, maxRequests*2)
	}
	return s, nil
}

func (s script) of(conversation int) span { return s.spans[conversation%len(s.spans)] }

// requests is how many there are in all.
func (s script) requests() int { return s.begins[len(s.begins)-1] }

// converse holds conversation number c, whose first turn was due at one moment
// and could be sent at another, with or without a pause before. It returns when
// its last request was done with.
func (g *generator) converse(c int, due, ready time.Duration, paused bool) (free time.Duration) {
	turns := g.script.of(c)
	for i := range turns.turns() {
		if i > 0 {
			ready = free + g.opts.ThinkTime
			due, paused = ready, g.opts.ThinkTime > 0
			if paused && !g.waitUntil(ready) {
				return free
			}
		}
		var cut bool
		free, cut = g.request(g.script.begins[c]+i, turns.first+i, due, ready, paused)
		switch {
		case g.ctx.Err() != nil:
			return free
		case cut:
			g.leaveOut(turns.turns() - i - 1)
			return free
		}
	}
	return free
}

// leaveOut takes requests that will not be sent out of the progress.
func (g *generator) leaveOut(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.progress.Total -= n
}
