package load

import (
	"errors"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// noticePeriod is how long after its connections break a process may be known
// to have ended: the kernel closes them first.
const noticePeriod = time.Second

// A serverEnd is what is known of the end of the server's process.
type serverEnd struct {
	why     error         // nil while it runs
	noticed time.Duration // when that was first known
	broke   time.Duration // when a fresh connection last broke; 0 for never
}

// brokenConnection reports whether a failure of this class is what a client
// sees of a server that ends.
func brokenConnection(class record.RequestFailureClass) bool {
	return class == record.ConnectionReset || class == record.StaleConnection || class == record.TruncatedStream
}

// askServer asks, after a failure at that moment, whether the server's process
// has ended.
func (g *generator) askServer(f *record.RequestFailure, at time.Duration) {
	if g.opts.Alive == nil || f == nil || !brokenConnection(f.Class) && f.Class != record.ConnectionRefused {
		return
	}
	err := g.opts.Alive()
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil && g.server.why == nil {
		g.server.why, g.server.noticed = err, at
	}
	if brokenConnection(f.Class) && f.Class != record.StaleConnection {
		g.server.broke = max(g.server.broke, at)
	}
}

// awaitServerEnd asks again after the last request, for as long as the end may
// take to be known when that request's connection broke.
func (g *generator) awaitServerEnd() {
	s := &g.server // nothing else is under way any more
	for g.opts.Alive != nil && s.why == nil {
		now := g.now()
		s.why, s.noticed = g.opts.Alive(), now
		if s.why != nil || s.broke == 0 || now > s.broke+noticePeriod || !g.waitUntil(now+5*time.Millisecond) {
			return
		}
	}
}

// blame turns the broken connections of a server that ended into its crash:
// those that broke since, and those shortly before that was noticed, but for
// reused ones, which break for less. Requests that found nothing which listens
// keep their class.
func (s *serverEnd) blame(f *record.RequestFailure, broke time.Duration) {
	if s.why == nil || f == nil || !brokenConnection(f.Class) || broke < s.noticed-noticePeriod ||
		f.Class == record.StaleConnection && broke < s.noticed {
		return
	}
	f.Class = record.ServerCrash
	if errors.Is(s.why, ErrOutOfMemory) {
		f.Class = record.ServerOutOfMemory
	}
	f.Message = clean([]byte("the server ended: "+s.why.Error()+" ("+f.Message+")"), 2*maxQuote)
}
