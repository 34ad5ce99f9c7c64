package serve

import (
	"context"
	"fmt"
	"slices"

	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Isolate sends prompts of a trial, named by their IDs, to a fresh server of its
// arm and cell, or to the one that already runs, one after the other on connections of their own. A prompt that
// failed under load and fails here too is at fault itself; one that succeeds was
// failed by the load, or by its connection. The rows are in the order of ids.
func (b *Bench) Isolate(ctx context.Context, p *plan.Plan, t plan.Trial, ids []string) ([]record.Request, *record.Failure, error) {
	tr := b.trial(p, t)
	drawn, failure, err := b.prompts(ctx, tr)
	if failure != nil || err != nil {
		return nil, failure, err
	}
	var prompts []load.Prompt
	for _, id := range ids {
		i := slices.IndexFunc(drawn.prompts, func(p load.Prompt) bool { return p.ID == id })
		if i < 0 {
			return nil, nil, fmt.Errorf("prompt %q is not in the sample of %s", id, p.Serve.DatasetPath)
		}
		alone := drawn.prompts[i]
		alone.Turn = 0 // with its history, but after nothing
		prompts = append(prompts, alone)
	}
	srv, stop, failure, err := tr.open(ctx, nil)
	if failure != nil || err != nil {
		return nil, failure, err
	}
	defer stop()
	opts := tr.options(srv)
	opts.Concurrency, opts.Rate, opts.Warmup, opts.Retries, opts.Reuse = 1, 0, 0, 0, false
	opts.Requests = len(prompts)
	res, err := load.Run(ctx, prompts, opts)
	if err != nil {
		return nil, nil, err
	}
	for i := range res.Requests {
		r := &res.Requests[i]
		r.Trial = t.ID
		if r.Failure != nil {
			sent := res.Start.Add(seconds(r.Sent))
			r.Failure.Log = srv.logBetween(sent, sent.Add(seconds(r.Elapsed)))
		}
	}
	return res.Requests, nil, nil
}
