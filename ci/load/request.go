package load

import (
	"math"
	"time"
	"unicode/utf8"

	"github.com/llama-regress/llama-regress/ci/record"
)

// request sends a prompt as request i until it succeeds, is out of attempts, or
// the load is cancelled, and keeps the outcome. It was due at one moment and
// could be sent at another, ready, with or without a pause before. It returns
// when its last attempt was done with, and whether the conversation ends
// because its history no longer fits into the context.
func (g *generator) request(i, prompt int, due, ready time.Duration, paused bool) (free time.Duration, cut bool) {
	b := g.buffers.Get().(*buffers)
	defer g.buffers.Put(b)

	o := outcome{begin: due, row: record.Request{Index: i, Warmup: i < g.script.begins[g.opts.Warmup], Due: due.Seconds()}}
	for {
		slot := g.limit.reserve(ready)
		if !g.waitUntil(slot) {
			return 0, false
		}
		a := attempt{g: g, wire: g.wire[prompt], paused: paused || slot > ready}
		a.answer = answer{api: g.opts.API, output: a.wire.output, model: g.opts.Model, gaps: b.gaps[:0]}
		o.row.InFlight = int(g.inFlight.Add(1))
		f := a.run(g.ctx, b)
		g.inFlight.Add(-1)
		free, b.gaps = g.now(), a.answer.gaps
		if f != nil && g.ctx.Err() != nil {
			return free, false // it ended because the load did
		}
		g.askServer(f, a.ended)
		o.row.Attempts++
		if o.row.Attempts == 1 && g.opts.Rate == 0 {
			o.begin = a.sent
		}
		if f == nil || o.row.Attempts > g.opts.Retries || !retryable(f.Class) {
			p := g.prompts[prompt]
			if cut = f != nil && f.Class == record.ContextExceeded && p.Turn > 1; cut {
				o.row.Cut = f.Message
			} else {
				o.row.Failure = f
			}
			o.end, o.delay = a.ended, a.delay(slot)
			a.fill(&o.row, p, due)
			g.outcomes[i] = o
			g.finish(&o.row, &a.answer)
			return free, cut
		}
		if o.row.Attempts == 1 {
			o.row.FirstFailure = string(f.Class)
		}
		ready, paused = free+backoff(g.opts.Backoff, o.row.Attempts-1, g.opts.Seed, i), true
	}
}

// fill writes into row what the attempt came to. Latencies count from sending
// in a closed loop and from when the request was due in an open one.
func (a *attempt) fill(row *record.Request, p Prompt, due time.Duration) {
	from := a.sent
	if a.g.opts.Rate > 0 {
		from = due
	}
	row.Sent = a.sent.Seconds()
	row.Elapsed = (a.ended - from).Seconds()
	row.Connection = a.on
	row.Prompt, row.Turn = p.ID, p.Turn
	ans := &a.answer
	if ans.events > 0 {
		row.TTFT = (ans.first - from).Seconds()
	}
	// Older builds send the head with the first content: then it says nothing of a queue.
	if a.head > 0 && (ans.events == 0 || a.head < ans.first) {
		row.Queue = (a.head - from).Seconds()
		row.PromptTime = max(0, row.TTFT-row.Queue)
	}
	row.TPOT = ans.tpot()
	row.MaxGap = ans.maxGap.Seconds()
	row.Events = ans.events
	row.OutputTokens = ans.outputTokens
	row.PromptTokens = ans.promptTokens
	if row.PromptTokens == 0 {
		row.PromptTokens = max(p.Tokens, 0)
	}
	row.CachedTokens = ans.cachedTokens(row.PromptTokens)
	row.PromptChars = utf8.RuneCountInString(p.Text)
	row.Slot = ans.slot
	row.Server = ans.server
}

// delay returns how late the attempt's write was, beyond connecting.
func (a *attempt) delay(ready time.Duration) time.Duration {
	if a.wrote == 0 {
		return a.sent - ready
	}
	return a.wrote - a.connecting - ready
}

// finish counts a request that has ended.
func (g *generator) finish(row *record.Request, of *answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !row.Warmup && row.Cut == "" {
		for _, gap := range of.gaps {
			g.gaps.add(gap.Seconds())
		}
		if row.Failure != nil {
			g.gaps.add(math.Inf(1))
		}
	}
	g.progress.Done++
	if row.Failure != nil {
		g.progress.Failed++
	}
	g.progress.InFlight = int(g.inFlight.Load())
	if g.opts.Observe != nil {
		g.opts.Observe(g.progress)
	}
}
