package load

import (
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// request sends request i until it succeeds, is out of attempts, or the load
// is cancelled, and writes its row. It was due at one moment and could be sent
// at another, ready. It returns when its last attempt was done with.
func (g *generator) request(i int, due, ready time.Duration) time.Duration {
	prompt, wire := g.prompts[i%len(g.prompts)], g.wire[i%len(g.prompts)]
	b := g.buffers.Get().(*buffers)
	defer g.buffers.Put(b)

	base := record.Request{Index: i, Warmup: i < g.opts.Warmup, Prompt: prompt.ID, PromptTokens: max(prompt.Tokens, 0), Due: due.Seconds()}
	begin := due
	for {
		ready = g.limit.reserve(ready)
		if !g.waitUntil(ready) {
			return 0
		}
		base.Attempts++
		row := base
		a := attempt{g: g, wire: wire, answer: answer{api: g.opts.API, output: wire.output, gaps: b.gaps[:0]}}
		row.InFlight = int(g.inFlight.Add(1))
		row.Failure = a.run(g.ctx, b)
		g.inFlight.Add(-1)
		b.gaps = a.answer.gaps
		if base.Attempts == 1 && g.opts.Rate == 0 {
			begin = a.sent
		}
		free := g.now()
		if row.Failure != nil && g.ctx.Err() != nil {
			return 0 // it ended because the load did
		}
		g.askServer(row.Failure, a.ended)
		if f := row.Failure; f == nil || base.Attempts > g.opts.Retries || !retryable(f.Class) {
			a.fill(&row, due)
			g.outcomes[i] = outcome{row: row, begin: begin, end: a.ended, delay: a.delay(ready)}
			g.finish(&row, a.answer.gaps)
			return free
		}
		if base.Attempts == 1 {
			base.FirstFailure = string(row.Failure.Class)
		}
		ready = free + backoff(g.opts.Backoff, base.Attempts-1, g.opts.Seed, i)
	}
}

// fill writes into row what the attempt came to. Latencies count from sending
// in a closed loop and from when the request was due in an open one.
func (a *attempt) fill(row *record.Request, due time.Duration) {
	from := a.sent
	if a.g.opts.Rate > 0 {
		from = due
	}
	row.Sent = a.sent.Seconds()
	row.Elapsed = (a.ended - from).Seconds()
	if a.conn != nil {
		row.Connection = a.conn.about(a.g.start.Add(a.sent))
	}
	ans := &a.answer
	if ans.events > 0 {
		row.TTFT = (ans.first - from).Seconds()
	}
	row.TPOT = ans.tpot()
	row.MaxGap = ans.maxGap.Seconds()
	row.Events = ans.events
	row.OutputTokens = ans.outputTokens
	if ans.promptTokens > 0 {
		row.PromptTokens = ans.promptTokens
	}
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
func (g *generator) finish(row *record.Request, gaps []time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !row.Warmup {
		for _, gap := range gaps {
			g.gaps.add(gap.Seconds())
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
