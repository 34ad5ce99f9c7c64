package llama

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

const (
	healthEvery   = 50 * time.Millisecond
	healthTimeout = 2 * time.Second // of one question while it starts
	hangTimeout   = 5 * time.Second // of Check
)

// awaitReady asks the server for its health until it is ready, has ended, or
// the deadline has passed. Of one that is not ready nothing is left.
func (srv *Server) awaitReady(ctx context.Context, deadline time.Time, limit time.Duration) (*record.Failure, error) {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	ticker := time.NewTicker(healthEvery)
	defer ticker.Stop()
	said := errors.New("it was never asked")
	for {
		select {
		case <-srv.done:
			srv.awaitGroup()
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return srv.endedBeforeReady(), nil
		case <-timer.C:
			f := failure(record.NotReady, "llama-server was not ready within %s: %s", limit, said)
			return srv.abandon(ctx, f)
		case <-ticker.C:
		}
		if said = srv.health(ctx, min(healthTimeout, max(time.Until(deadline), time.Millisecond))); said == nil {
			return srv.accept(ctx)
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
	if f := srv.checkProps(props); f != nil {
		return srv.abandon(ctx, f)
	}
	return nil, nil
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
	f.Stderr = lastLines(srv.log.String(), 8<<10)
	return f, nil
}

// endedBeforeReady says why a server never was ready.
func (srv *Server) endedBeforeReady() *record.Failure {
	if containsAny(strings.ToLower(srv.log.String()), portMarks) && !srv.child.end.state.Success() {
		f := srv.whyEnded(srv.log.String(), false)
		f.Class = record.PortTaken
		f.Message = fmt.Sprintf("llama-server could not listen on port %d, which another program has taken; start again, or see who opens so many ports", srv.port)
		return f
	}
	if f := srv.whyEnded(srv.log.String(), false); f != nil {
		return f
	}
	code := 0
	return &record.Failure{
		Class:    record.NotReady,
		Message:  "llama-server ended (exit status 0) before it was ready; a wrapper must exec it and stay in the foreground",
		ExitCode: &code,
		Stderr:   lastLines(srv.log.String(), 8<<10),
	}
}

// Ended says why the server ended by itself, nil while it runs and when it was
// stopped.
func (srv *Server) Ended() *record.Failure {
	select {
	case <-srv.done:
	default:
		return nil
	}
	if srv.child.end.reason != endedItself {
		return nil
	}
	// Only its last words: what it said of refused requests is no reason to end.
	if f := srv.whyEnded(lastLines(srv.log.String(), 2<<10), true); f != nil {
		return f
	}
	code := 0
	return &record.Failure{
		Class:    record.ExitStatus,
		Message:  "llama-server ended by itself (exit status 0) while it was needed; see whether something else on this machine sends it a signal",
		ExitCode: &code,
		Stderr:   lastLines(srv.log.String(), 8<<10),
	}
}

// whyEnded classifies the end of a server, nil when its exit status is 0.
func (srv *Server) whyEnded(words string, working bool) *record.Failure {
	end := *srv.child.end
	end.stderr, end.working = words, working
	f := failureOf(&end, childSpec{}, srv.kills > 0)
	if f != nil {
		f.Message = "llama-server " + f.Message
		f.Stderr = lastLines(srv.log.String(), 8<<10)
	}
	return f
}

// Check finds out whether the server works: nil when it does, Ended when it
// has ended, and timed_out when it runs but does not say within limit that it
// is well. Limit 0 is 5 s.
func (srv *Server) Check(ctx context.Context, limit time.Duration) *record.Failure {
	err := srv.health(ctx, cmp.Or(limit, hangTimeout))
	if err == nil {
		return nil
	}
	select {
	case <-srv.done:
		return srv.Ended()
	case <-ctx.Done():
		return nil
	default:
	}
	f := failure(record.TimedOut, "llama-server hangs: process %d runs, but to /health: %v", srv.PID(), err)
	f.Stderr = lastLines(srv.log.String(), 8<<10)
	return f
}
