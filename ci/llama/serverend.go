package llama

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

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
		Stderr:   proc.LastLines(srv.log.String(), 8<<10),
	}
}

// Ended says why the server ended by itself, nil while it runs and when it was
// stopped. The result is the caller's.
func (srv *Server) Ended() *record.Failure {
	select {
	case <-srv.done:
	default:
		return nil
	}
	srv.once.Do(func() { srv.ended = srv.endedWorking() })
	if srv.ended == nil {
		return nil
	}
	f := *srv.ended
	return &f
}

func (srv *Server) endedWorking() *record.Failure {
	if srv.child.end.reason != endedItself {
		return nil
	}
	// Only its last words: what it said of refused requests is no reason to end.
	if f := srv.whyEnded(proc.LastLines(srv.log.String(), 2<<10), true); f != nil {
		return f
	}
	code := 0
	return &record.Failure{
		Class:    record.ExitStatus,
		Message:  "llama-server ended by itself (exit status 0) while it was needed; see whether something else on this machine sends it a signal",
		ExitCode: &code,
		Stderr:   proc.LastLines(srv.log.String(), 8<<10),
	}
}

// whyEnded classifies the end of a server, nil when its exit status is 0.
func (srv *Server) whyEnded(words string, working bool) *record.Failure {
	end := *srv.child.end
	end.stderr, end.working = words, working
	f := failureOf(&end, childSpec{}, srv.kills > 0)
	if f != nil {
		f.Message = "llama-server " + f.Message
		f.Stderr = proc.LastLines(srv.log.String(), 8<<10)
	}
	return f
}

// Check finds out whether the server works: nil when it does, Ended when it
// has ended, and timed_out when it runs but does not say within limit that it
// is well. Limit 0 is 5 s.
func (srv *Server) Check(ctx context.Context, limit time.Duration) *record.Failure {
	limit = cmp.Or(limit, hangTimeout)
	begin := time.Now()
	err := srv.health(ctx, limit)
	if err == nil {
		return nil
	}
	// A process that dies closes its connections well before it is gone: a
	// large model takes the kernel a while to take down.
	select {
	case <-srv.done:
		return srv.Ended()
	case <-ctx.Done():
		return nil
	case <-time.After(max(limit-time.Since(begin), dyingTime)):
	}
	f := failure(record.TimedOut, "llama-server hangs: process %d runs, but it is not well: %v", srv.PID(), err)
	f.Stderr = proc.LastLines(srv.log.String(), 8<<10)
	return f
}

// awaitGroup waits, for a few seconds at most, until the processes that were
// killed with the server are gone.
func (srv *Server) awaitGroup() {
	for end := time.Now().Add(drainPeriod); time.Now().Before(end) && proc.GroupMembers(srv.PID()) != nil; {
		time.Sleep(10 * time.Millisecond)
	}
}

// Warnings returns what is worth knowing about the server's environment, log
// and end; it is complete after Stop.
func (srv *Server) Warnings() []string {
	var warnings []string
	for _, w := range warningsIn(srv.log.String()) {
		if srv.asksForGPU() || loadsGPULibrary(srv.program.libraries) && wantsGPU(srv.values) || !withoutGPU.MatchString(w) {
			warnings = append(warnings, w)
		}
	}
	warnings = append(warnings, srv.program.remarks...)
	if d := srv.program.dropped; d != nil {
		warnings = append(warnings, fmt.Sprintf("not passed on from the environment: %s; set it in the arm's env if it is meant", strings.Join(d, ", ")))
	}
	select {
	case <-srv.done:
	default:
		return warnings
	}
	if srv.child.end.killed {
		warnings = append(warnings, "llama-server did not end when asked to and was killed")
	}
	if s := srv.child.end.strays; s != nil {
		warnings = append(warnings, "llama-server left processes behind, which were killed: "+strings.Join(s, ", "))
	}
	if srv.child.end.heldOpen {
		warnings = append(warnings, "llama-server left a process behind that kept its output open; it may disturb later trials")
	}
	if n := srv.log.size(); n > maxLog {
		warnings = append(warnings, fmt.Sprintf("llama-server wrote %d MiB of log, which takes time from its work", n>>20))
	}
	if left := proc.GroupMembers(srv.PID()); left != nil {
		warnings = append(warnings, fmt.Sprintf("processes of llama-server could not be killed: %v", left))
	}
	return warnings
}

// asksForGPU says whether cell or arm want something of a GPU.
func (srv *Server) asksForGPU() bool {
	for _, name := range []string{"gpu_layers", "split_mode", "main_gpu", "tensor_split"} {
		if value, set := srv.values[name]; set && (name != "gpu_layers" || value != "0") {
			return true
		}
	}
	return false
}
