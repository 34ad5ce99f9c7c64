package serve

import (
	"context"
	"io"
	"maps"
	"time"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/endpoint"
	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/ci/internal/sharegpt"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A server answers the requests of a trial: one that the trial starts, or one that
// already runs. What cannot be known of the latter is left out of the record.
type server interface {
	sharegpt.Counter

	describe(ctx context.Context, tr *trial) *record.Failure // into the record: what it runs, and with which settings
	reach(o *load.Options)                                   // sets how requests come to it, and who knows of its end
	watch(ctx context.Context, devices *device.Set) watching
	Check(ctx context.Context, limit time.Duration) *record.Failure // whether it still works
	logBetween(from, to time.Time) string
	end(ctx context.Context, t *record.Trial) error // into the record: what it used and warned of; an error where it ran elsewhere than asked for
}

// open brings the server of a trial, and what ends it in any case.
func (tr *trial) open(ctx context.Context, log io.Writer) (_ server, stop func(), _ *record.Failure, _ error) {
	if tr.arm.URL != "" {
		srv, failure, err := tr.bench.Running.Open(ctx, tr.arm, load.API(tr.plan.Serve.API))
		return running{srv}, func() {}, failure, err
	}
	srv, failure, err := tr.bench.Servers.Start(ctx, tr.serverSpec(log))
	if failure != nil || err != nil {
		return nil, nil, failure, err
	}
	return started{srv}, func() { srv.Stop(context.WithoutCancel(ctx)) }, nil, nil
}

// A watching is what is seen of server and machine during a load. Its zero value sees
// nothing.
type watching struct {
	machine *host.Watcher
	polled  chan llama.Polls
	stop    context.CancelFunc
}

// began says when the load began.
func (w watching) began(t time.Time) {
	if w.machine != nil {
		w.machine.Began(t)
	}
}

// end returns what was seen.
func (w watching) end() (*record.Samples, llama.Polls) {
	if w.machine == nil {
		return nil, llama.Polls{}
	}
	w.stop()
	return w.machine.Stop(), <-w.polled
}

// rssAt is the memory of the server at a time, bytes; 0 where nothing tells.
func (w watching) rssAt(t time.Time) int64 {
	if w.machine == nil {
		return 0
	}
	return w.machine.RSSAt(t)
}

// started is a llama-server that the trial started, and stops.
type started struct{ *llama.Server }

func (s started) describe(ctx context.Context, tr *trial) *record.Failure {
	tr.record.Command = s.Command()
	tr.record.Preparation = &record.Preparation{Padding: tr.plan.Padding(tr.of), Link: s.Link()}
	props, err := s.Props(ctx)
	if err != nil {
		return &record.Failure{Class: record.BadOutput, Message: err.Error()}
	}
	maps.Copy(tr.record.Echo, s.Defaults())
	maps.Copy(tr.record.Echo, props.Echo())
	return nil
}

func (s started) reach(o *load.Options) {
	o.URL, o.Alive = s.URL(), func() error { return ended(s.Server) }
}

func (s started) watch(ctx context.Context, devices *device.Set) watching {
	w := watching{machine: host.Watch(func() []int { return []int{s.PID()} }, watchEvery, devices), polled: make(chan llama.Polls, 1)}
	ctx, w.stop = context.WithCancel(ctx)
	go func() { w.polled <- s.Poll(ctx, pollEvery) }()
	return w
}

func (s started) logBetween(from, to time.Time) string { return s.LogBetween(from, to) }

func (s started) end(ctx context.Context, t *record.Trial) (misplaced error) {
	used, _ := s.Stop(ctx)
	t.Resources, t.Warnings = &used, s.Warnings()
	t.Placement, misplaced = s.Placement()
	return misplaced
}

// running is a server that already runs, of which only its answers are known.
type running struct{ *endpoint.Server }

func (s running) describe(_ context.Context, tr *trial) *record.Failure {
	maps.Copy(tr.record.Echo, s.Echo())
	return nil
}

func (s running) reach(o *load.Options)                        { s.Reach(o) }
func (s running) watch(context.Context, *device.Set) watching  { return watching{} }
func (s running) logBetween(time.Time, time.Time) string       { return "" }
func (s running) end(_ context.Context, t *record.Trial) error { t.Warnings = s.Warnings(); return nil }
