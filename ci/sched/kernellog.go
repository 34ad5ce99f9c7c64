package sched

import (
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// mostMessages of the kernel are kept of a trial.
const mostMessages = 20

// messages returns what the kernel has said of sched_ext since the log was
// opened, nothing where it may not be read.
func (l *kernelLog) messages() []string {
	var said []string
	for _, text := range l.read() {
		if _, after, ok := strings.Cut(text, ";"); ok { // "6,1234,5678,-;text", kmsg's form
			text = after
		}
		if text = proc.OneLine(text, mostWords); strings.Contains(text, "sched_ext") && len(said) < mostMessages {
			said = append(said, text)
		}
	}
	return said
}

// reasonIn finds the kernel's reason in its messages: that of
//
//	sched_ext: BPF scheduler "qmap" disabled (runnable task stall)
//
// and what the line after it adds,
//
//	sched_ext: qmap: llama-bench[165] failed to run for 6.112s
//
// It is "" for a scheduler that was ended by its own program or a kill: the
// kernel tells these as a normal end, and the program itself says more.
func reasonIn(messages []string) string {
	at := slices.IndexFunc(messages, func(s string) bool { return strings.Contains(s, " disabled (") })
	if at < 0 {
		return ""
	}
	_, reason, _ := strings.Cut(messages[at], " disabled (")
	reason = strings.TrimSuffix(reason, ")")
	if reason == "unregistered from user space" {
		return ""
	}
	if at+1 < len(messages) {
		if detail, ok := strings.CutPrefix(messages[at+1], "sched_ext: "); ok && !strings.HasPrefix(detail, "BPF scheduler") {
			if _, after, ok := strings.Cut(detail, ": "); ok {
				reason += ": " + after
			}
		}
	}
	return reason
}
