package llama

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

const (
	healthEvery   = 50 * time.Millisecond // at most
	healthSoonest = 5 * time.Millisecond  // and in the beginning
	healthTimeout = 2 * time.Second       // of one question while it starts
	hangTimeout   = 5 * time.Second       // of Check
	dyingTime     = 100 * time.Millisecond
)

var errNeverAsked = errors.New("it was never asked")

// awaitReady asks the server for its health until it is ready, has ended, or
// the deadline has passed. Of one that is not ready nothing is left.
func (srv *Server) awaitReady(ctx context.Context, deadline time.Time, limit time.Duration) (*record.Failure, error) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	ask := time.NewTimer(healthSoonest)
	defer ask.Stop()
	var said error
	for {
		select {
		case <-srv.done:
			srv.awaitGroup()
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return srv.endedBeforeReady(), nil
		case <-timer.C:
			f := failure(record.NotReady, "llama-server was not ready within %s: %s", limit, cmp.Or(said, errNeverAsked))
			return srv.abandon(ctx, f)
		case <-ask.C:
		}
		limit, asked := min(healthTimeout, max(time.Until(deadline), time.Millisecond)), said
		if said = srv.health(ctx, limit); said == nil {
			srv.loaded = time.Since(srv.begun)
			return srv.accept(ctx)
		}
		ask.Reset(min(max(time.Since(srv.begun)/20, healthSoonest), healthEvery)) // so that the load time is known to 5 %
		if errors.As(said, new(*silence)) && limit < healthTimeout && asked != nil {
			said = asked // the deadline cut this question short: the answer before tells more
		}
	}
}

// accept checks that what answered is the server that was started, and that
// it runs with what it was asked for.
func (srv *Server) accept(ctx context.Context) (*record.Failure, error) {
	if who := stranger(srv.port, srv.PID()); who != "" {
		return srv.abandon(ctx, failure(record.PortTaken, "%s also listens on port %d; end it, or start again", who, srv.port))
	}
	props, err := srv.Props(ctx)
	if err != nil {
		return srv.abandon(ctx, failure(record.NotReady, "llama-server is healthy, but /props cannot be read: %v; is it a wrapper or a proxy?", err))
	}
	f := srv.checkProps(props)
	if f == nil {
		f = srv.checkDevice()
	}
	if f != nil {
		return srv.abandon(ctx, f)
	}
	return nil, nil
}

// checkDevice fails a server that was asked for a GPU, has a backend for one, and
// says that it found none.
func (srv *Server) checkDevice() *record.Failure {
	if !wantsGPU(srv.values) || !loadsGPULibrary(srv.program.libraries) || !noGPU.MatchString(srv.log.String()) {
		return nil
	}
	return failure(record.NoDevice, "llama-server found no usable GPU, so that the processors do the work of gpu_layers=%s; %s", srv.values["gpu_layers"], deviceAdvice)
}

// abandon stops a server that cannot be used.
func (srv *Server) abandon(ctx context.Context, f *record.Failure) (*record.Failure, error) {
	cancelled := ctx.Err()
	srv.Stop(ctx)
	if cancelled != nil {
		return nil, cancelled
	}
	if ended := srv.child.end; ended.reason == endedItself { // it did so meanwhile, which is the cause
		return srv.endedBeforeReady(), nil
	}
	f.Stderr = proc.LastLines(srv.log.String(), 8<<10)
	return f, nil
}
