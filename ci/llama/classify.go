package llama

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Marks in stderr, lower case, by what they mean. A backend that runs out of
// memory while it loads the model says both; memory is the cause.
var (
	memoryMarks = []string{"bad_alloc", "failed to allocate", "unable to allocate", "out of memory", "cannot allocate memory", "erroroutofdevicememory", "alloc_tensor_range: failed"}
	modelMarks  = []string{"failed to load model", "error loading model", "unable to load model"}
	flagMarks   = []string{
		"invalid parameter for argument", "unknown argument", "invalid device:", "failed to parse cpu-mask",
		"error: invalid argument", "error while handling argument", "expected value for argument"} // llama-server's
	portMarks = []string{"couldn't bind http server socket", "address already in use"}
)

// failureOf says why a child that ended by itself or was ended measured
// nothing, nil when it ended well. killedForMemory says what the kernel counted.
func failureOf(end *childEnd, spec childSpec, killedForMemory bool) *record.Failure {
	f := &record.Failure{Stderr: proc.LastLines(end.stderr, 8<<10)}
	if end.state.Exited() {
		code := end.state.ExitCode()
		f.ExitCode = &code
	}
	switch end.reason {
	case endedTimeout:
		f.Class = record.TimedOut
		f.Message = fmt.Sprintf("still running after %v, the time limit, and was ended; raise the limit or measure less in a trial", spec.limit)
		return f
	case endedFlood:
		f.Class = record.BadOutput
		f.Message = fmt.Sprintf("printed more than %d MiB of results and was ended; is this llama-bench?", spec.maxStdout>>20)
		return f
	}
	if end.state.Success() {
		return nil
	}
	signal, how := endedBy(end)
	if signal != 0 {
		f.Signal = signal.String()
	}
	stderr := strings.ToLower(end.stderr)
	said := sentence(end.stderr, end.working)
	switch {
	case signal == syscall.SIGKILL && killedForMemory:
		f.Class = record.OutOfMemory
		f.Message = fmt.Sprintf("killed (%s) while the kernel counted an out-of-memory kill; use a smaller model, context or batch", how)
	case containsAny(stderr, memoryMarks):
		f.Class = record.OutOfMemory
		f.Message = fmt.Sprintf("out of memory (%s): %s; use a smaller model, context or batch, or fewer GPU layers", how, said)
	case signal == syscall.SIGKILL:
		f.Class = record.Crashed
		// What it said last is of something else: it did not see this coming.
		f.Message = fmt.Sprintf("killed from outside (%s); look for an out-of-memory killer or a job's limits", how)
	case signal != 0:
		f.Class = record.Crashed
		f.Message = fmt.Sprintf("crashed (%s): %s; run the command by hand under a debugger, and report it to llama.cpp", how, said)
	case containsAny(stderr, flagMarks):
		f.Class = record.BadArgument
		f.Message = fmt.Sprintf("refused its arguments: %s; change the parameter, or use a build that has it", said)
	case containsAny(stderr, modelMarks):
		f.Class = record.ModelLoad
		f.Message = fmt.Sprintf("could not load the model: %s; check the file, or run the command by hand with -v to see more", said)
	default:
		f.Class = record.ExitStatus
		f.Message = fmt.Sprintf("ended with %s: %s; run the command by hand with -v to see more", how, said)
	}
	return f
}

// endedBy returns the signal that ended the child, 0 for none, and words for
// it. A wrapper script that does not exec reports the signal of its program as
// a shell does: 128 plus its number.
func endedBy(end *childEnd) (syscall.Signal, string) {
	if s := endSignal(end.state); s != 0 {
		return s, s.String()
	}
	code := end.state.ExitCode()
	if code > 128 && code < 128+32 {
		return syscall.Signal(code - 128), fmt.Sprintf("exit status %d, a shell's word for %s", code, syscall.Signal(code-128))
	}
	return 0, fmt.Sprintf("exit status %d", code)
}

var (
	errorLine = regexp.MustCompile(`(?i)\berror\b|\bfailed\b|\binvalid\b|\brequires\b|assert|what\(\)|not loaded`)

	// Backends that are tried and not there say "failed" on every good run too.
	probeLine = regexp.MustCompile(`^(ggml_backend_load_best|load_backend|ggml_backend_registry)\b`)

	// Newer builds of llama-server begin a line with the time since the start,
	// a letter for the level, and the part that speaks.
	logPrefix = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+ [A-Z] ((srv|cmn|slot|que) +)?`)
)

// sentence picks from stderr the first two lines that speak of an error: the
// cause comes before its consequences. With last it is the last two: a server
// has lived through earlier ones. Without any it is the last line.
func sentence(stderr string, last bool) string {
	var end string
	var faults []string
	for line := range strings.Lines(stderr) {
		line = proc.Shorten(logPrefix.ReplaceAllString(proc.OneLine(line, 1<<10), ""), 150)
		if line == "" || probeLine.MatchString(line) {
			continue
		}
		end = line
		switch {
		case !errorLine.MatchString(line):
		case len(faults) < 2:
			faults = add(faults, line)
		case last && line != faults[1]:
			faults = []string{faults[1], line}
		}
	}
	switch {
	case faults != nil:
		return strings.Join(faults, ", ")
	case end != "":
		return end
	}
	return "it said nothing"
}

func containsAny(text string, marks []string) bool {
	for _, mark := range marks {
		if strings.Contains(text, mark) {
			return true
		}
	}
	return false
}
