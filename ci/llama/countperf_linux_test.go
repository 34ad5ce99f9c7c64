package llama

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The kernel's refusals, with what to do.
func TestPerfRefused(t *testing.T) {
	for err, words := range map[error][]string{
		unix.EACCES:     {"perf_event_paranoid is 4", "sysctl kernel.perf_event_paranoid=2"},
		unix.EPERM:      {"perf_event_paranoid is 4", "CAP_PERFMON"},
		unix.ENOENT:     {"no counters", "valgrind"},
		unix.EOPNOTSUPP: {"no counters", "valgrind"},
		unix.EMFILE:     {"too many open files", "valgrind"},
	} {
		for _, word := range words {
			if text := perfRefused(err, "4").Error(); !strings.Contains(text, word) {
				t.Errorf("%v: %q does not say %q", err, text, word)
			}
		}
	}
}

// A count of a part of the time is none.
func TestPerfValue(t *testing.T) {
	if n, err := perfValue(7, 100, 100); n != 7 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := perfValue(7, 100, 50); err == nil || !strings.Contains(err.Error(), "50 of 100 ns") {
		t.Error(err)
	}
}

// What this machine's kernel really answers: a count of a child, or a refusal with its
// next step.
func TestPerfHere(t *testing.T) {
	r, err := perfCounters{}.Begin()
	if err != nil {
		if !strings.Contains(err.Error(), "valgrind") && !strings.Contains(err.Error(), "sysctl") {
			t.Errorf("no next step: %v", err)
		}
		t.Skipf("no counters here: %v", err)
	}
	if _, err := r.End(); err != nil {
		t.Fatal(err)
	}
	end, err := runChild(t.Context(), childSpec{program: "/bin/sh", args: []string{"-c", "i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done"}, env: []string{"A=1"}, maxStdout: 100, counter: perfCounters{}})
	if err != nil || end.uncounted != nil || end.instructions < 1e5 {
		t.Errorf("%+v, %v", end, err)
	}
}
