package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// How often machine and server are asked during a trial.
const (
	watchEvery = 250 * time.Millisecond
	pollEvery  = 500 * time.Millisecond
)

// A trial is one under way.
type trial struct {
	bench *Bench
	plan  *plan.Plan
	of    plan.Trial
	arm   record.Arm
	cell  plan.Cell

	record record.Trial
}

func (b *Bench) trial(p *plan.Plan, t plan.Trial) *trial {
	return &trial{bench: b, plan: p, of: t, arm: p.Arms[t.Arm], cell: p.Cells[t.Cell]}
}

// Measure starts a server, puts the cell's load on it and stops it. A request
// that fails is part of the result. A trial fails when its server does, when no
// request succeeds, when it takes longer than the plan allows, or when the load
// generator was too late to be believed. What became of the requests is measured
// all the same where the server is what failed. The error is the context's, or says that a log or the
// file of requests could not be written.
func (b *Bench) Measure(ctx context.Context, p *plan.Plan, t plan.Trial) (record.Trial, error) {
	tr := b.trial(p, t)
	limited, cancel := ctx, context.CancelFunc(func() {})
	if p.Timeout > 0 {
		limited, cancel = context.WithTimeout(ctx, p.Timeout)
	}
	defer cancel()
	failure, err := tr.run(limited)
	switch {
	case ctx.Err() != nil:
		return record.Trial{}, ctx.Err()
	case limited.Err() != nil:
		failure, err = &record.Failure{
			Class:   record.TimedOut,
			Message: fmt.Sprintf("still serving after %v and was ended; raise the time limit of a trial, or send fewer requests", p.Timeout),
		}, nil
	case err != nil:
		return record.Trial{}, err
	}
	tr.record.Outcome, tr.record.Failure = record.OK, failure
	if failure != nil {
		tr.record.Outcome = record.Failed
	}
	return tr.record, nil
}

// run goes through a trial up to what it measured.
func (tr *trial) run(ctx context.Context) (*record.Failure, error) {
	prompts, failure, err := tr.bench.prompts(ctx, tr)
	if failure != nil || err != nil {
		return failure, err
	}
	log, err := tr.openLog()
	if err != nil {
		return nil, err
	}
	defer log.Close()
	srv, stop, failure, err := tr.open(ctx, log)
	if failure != nil || err != nil {
		return failure, err
	}
	defer stop() // where it was not stopped before
	tr.record.Echo = map[string]string{"prompts_sha256": prompts.sha256}
	if failure := srv.describe(ctx, tr); failure != nil {
		return failure, nil
	}
	prompts.prompts = ordered(prompts.prompts, tr.plan.Seed, tr.of.Block, tr.plan.Serve.Warmup, tr.cell.Load.Requests)
	if runs(tr.plan) {
		prompts.prompts = fresh(prompts.prompts, tr.requests(prompts))
		tr.record.Echo["prompt_prefix"] = "nine digits, drawn anew for each request"
	}
	return tr.press(ctx, srv, prompts)
}

// workload is that of the trial's cell.
func (tr *trial) workload() record.Workload {
	w, _ := record.WorkloadByName(tr.cell.Cell.Workload)
	return w
}

// awaited is what a user of the trial's server waits for.
func (tr *trial) awaited() string {
	if load.API(tr.plan.Serve.API).Whole() {
		return "an answer"
	}
	return "first token"
}

// withDocuments holds each prompt against so many that follow it in the sample, from the
// start again at its end. A sample of one is held against itself.
func withDocuments(prompts []load.Prompt, each int) []load.Prompt {
	all := slices.Clone(prompts)
	for i := range all {
		for k := 1; k <= each; k++ {
			all[i].Documents = append(all[i].Documents, prompts[(i+k)%len(prompts)].Text)
		}
	}
	return all
}

// serverSpec is the server of this trial's arm and cell.
func (tr *trial) serverSpec(log io.Writer) llama.ServerSpec {
	return llama.ServerSpec{
		Arm: tr.arm, Params: tr.cell.Cell.Params, ModelPath: tr.cell.ModelPath,
		StartTimeout: tr.plan.Serve.Server.StartTimeout, Log: log, Padding: tr.plan.Padding(tr.of),
		Flags: tr.workload().Flags,
	}
}

// press puts the load on a server that is ready, watches both, and stops it.
func (tr *trial) press(ctx context.Context, srv server, prompts drawn) (*record.Failure, error) {
	watch := srv.watch(ctx, tr.bench.Devices)
	res, err := load.Run(ctx, prompts.prompts, tr.options(srv))
	if res != nil {
		watch.began(res.Start)
	}
	var polls llama.Polls
	tr.record.Samples, polls = watch.end()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	broken := srv.Check(ctx, 0)
	misplaced := srv.end(ctx, &tr.record)
	if held := heldBack(res.Gaps); held != "" && tr.arm.URL != "" {
		tr.record.Warnings = append(tr.record.Warnings, held)
	}
	if err := tr.keep(res, srv, watch); err != nil {
		return nil, err
	}
	y := newYield(res, &tr.plan.Serve.Serve)
	l := y.summary(res)
	l.BusySlots, l.Deferred = polls.Busy, polls.Deferred
	tr.record.Load = l
	measured := append(y.measurements(tr.cell.Cell.Metrics), tr.taken(srv, l).Measurements(tr.cell.Cell.Metrics)...)
	if broken != nil {
		broken.Message = fmt.Sprintf("after %d of %d requests: %s", l.Succeeded, l.Requests, broken.Message)
		tr.record.Measurements = measured
		return broken, nil
	}
	if misplaced != nil {
		return &record.Failure{Class: record.PlacementDiffers, Message: misplaced.Error()}, nil
	}
	if failure := y.undrafted(tr.record.Command, tr.arm.Env); failure != nil {
		return failure, nil
	}
	if first, late := y.late(l); late {
		return &record.Failure{
			Class: record.GeneratorLate,
			Message: fmt.Sprintf("the load generator itself was late by %.2g ms, more than 1 %% of the median time to %s, %.3g ms; leave it a core (fewer threads for the server), or use longer prompts",
				1e3*l.Delay, tr.awaited(), 1e3*first),
		}, nil
	}
	tr.record.Measurements = measured
	return y.dead(tr.record), nil
}

// taken is what the trial took of a server that it started itself.
func (tr *trial) taken(srv server, l *record.Load) llama.Taken {
	s, ok := srv.(started)
	if !ok {
		return llama.Taken{}
	}
	return llama.Taken{
		Loads: []float64{s.Loaded().Seconds()}, Memory: tr.record.Resources.MaxRSSBytes,
		DeviceMemory: tr.record.Samples.PeakDeviceMemory(), Energy: tr.record.Samples.DeviceEnergy(), Tokens: l.PromptTokens + l.OutputTokens,
	}
}

// options is the load of this trial's cell.
func (tr *trial) options(srv server) load.Options {
	s := tr.plan.Serve
	o := load.Options{
		API:         load.API(s.API),
		Concurrency: tr.cell.Load.Concurrency, Rate: tr.cell.Load.Rate, Arrivals: s.Arrivals, Limit: s.RateLimit,
		Requests: tr.cell.Load.Requests, Warmup: s.Warmup, ThinkTime: s.ThinkTime, Cache: cache(s, tr.arm.Params, tr.cell.Cell.Params),
		Output: s.OutputTokens, FreeLength: s.Stop,
		Timeout: s.RequestTimeout, Retries: s.Retries, Reuse: s.Connections == "reuse",
		Seed:    tr.plan.Seed + uint64(tr.of.Block), // the arms of a block get the same arrivals
		Observe: tr.bench.Observe,
	}
	srv.reach(&o)
	return o
}

// ended says what ended the server, nil while it runs.
func ended(srv *llama.Server) error {
	f := srv.Ended()
	switch {
	case f == nil:
		return nil
	case f.Class == record.OutOfMemory:
		return fmt.Errorf("%s: %w", f.Message, load.ErrOutOfMemory)
	}
	return errors.New(f.Message)
}
