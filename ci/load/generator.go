package load

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A generator is one load under way.
type generator struct {
	ctx     context.Context
	abort   context.CancelCauseFunc
	opts    Options
	prompts []Prompt
	wire    []wireRequest // of each prompt
	script  script
	start   time.Time
	pool    pool
	limit   limiter
	buffers sync.Pool

	outcomes []outcome // by index; each is written by the one goroutine that has the request
	inFlight atomic.Int64

	mu       sync.Mutex // guards what follows
	gaps     reservoir
	progress Progress
	server   serverEnd
}

func newGenerator(ctx context.Context, prompts []Prompt, o Options) (*generator, error) {
	to, err := newTarget(o.URL, o.Roots)
	if err != nil {
		return nil, err
	}
	if err := roomFor(min(o.Concurrency, o.Warmup+o.Requests), mayOpen()); err != nil {
		return nil, err
	}
	script, err := newScript(conversations(prompts), o.Warmup+o.Requests)
	if err != nil {
		return nil, err
	}
	total := script.requests()
	prompts = prompts[:script.spans[len(script.spans)-1].end]
	wire, err := wireRequests(to.base, prompts, o)
	if err != nil {
		return nil, err
	}
	g := &generator{
		opts: o, prompts: prompts, wire: wire, script: script,
		pool:     pool{to: to},
		buffers:  sync.Pool{New: newBuffers},
		outcomes: make([]outcome, total),
		gaps:     reservoir{size: maxGaps, rng: rand.New(rand.NewPCG(o.Seed, gapStream))},
	}
	if o.Limit > 0 {
		g.limit.gap = seconds(1 / o.Limit)
	}
	g.progress.Total = total
	g.ctx, g.abort = context.WithCancelCause(ctx)
	g.start = time.Now()
	return g, nil
}

// An outcome is what became of a request.
type outcome struct {
	row   record.Request
	begin time.Duration // of its first attempt; in an open loop, when it was due
	end   time.Duration // of its last; 0 while it has not ended
	delay time.Duration // of the last attempt
}

// now returns the time since the load began, on the monotonic clock.
func (g *generator) now() time.Duration { return time.Since(g.start) }

func (g *generator) close() {
	g.abort(nil)
	g.pool.close()
}

// phase holds the conversations first to end-1 and returns once they have ended,
// or the load was cancelled.
func (g *generator) phase(first, end int) {
	if first == end || g.ctx.Err() != nil {
		return
	}
	if g.opts.Rate > 0 {
		g.openLoop(first, end)
	} else {
		g.closedLoop(first, end)
	}
}

// closedLoop has each of its workers hold one conversation after the other.
func (g *generator) closedLoop(first, end int) {
	var next atomic.Int64
	next.Store(int64(first))
	var workers sync.WaitGroup
	for range min(g.opts.Concurrency, end-first) {
		workers.Go(func() {
			free, paused := g.now(), true
			for g.ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= end {
					return
				}
				free = g.converse(i, free, free, paused)
				paused = false
			}
		})
	}
	workers.Wait()
}

// openLoop begins each conversation when it is due, whatever became of the
// others, unless the most are under way: then it waits for one to end, and the
// wait is part of the latency of its first turn.
func (g *generator) openLoop(first, end int) {
	rng := rand.New(rand.NewPCG(g.opts.Seed, arrivalStream+uint64(first)<<8))
	due := schedule(end-first, g.opts.Rate, g.opts.Arrivals, g.opts.Limit, rng)
	var places chan struct{} // one for each conversation under way; nil without a bound
	if g.opts.Concurrency > 0 {
		places = make(chan struct{}, g.opts.Concurrency)
	}
	begin := g.now()
	var requests sync.WaitGroup
	defer requests.Wait()
	for i, d := range due {
		at := begin + d
		if !g.waitUntil(at) {
			return
		}
		ready := at
		if places != nil {
			select {
			case places <- struct{}{}:
			default:
				select {
				case places <- struct{}{}:
					ready = g.now()
				case <-g.ctx.Done():
					return
				}
			}
		}
		requests.Go(func() {
			g.converse(first+i, at, ready, true)
			if places != nil {
				<-places
			}
		})
	}
}

// waitUntil returns at that moment, or false earlier when the load is
// cancelled.
func (g *generator) waitUntil(at time.Duration) bool {
	if d := at - g.now(); d > 0 {
		return sleep(g.ctx, d)
	}
	return g.ctx.Err() == nil
}
