package stats

import (
	"math"
	"strings"
	"testing"
)

// expectClose fails unless got and want have equal length and agree within
// tolerance, relative for values beyond 1. Equal infinities agree, NaN never.
func expectClose(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: have %d values %v, want %d", what, len(got), got, len(want))
		return
	}
	for i := range got {
		if got[i] == want[i] {
			continue
		}
		if !(math.Abs(got[i]-want[i]) <= tolerance*math.Max(1, math.Abs(want[i]))) {
			t.Errorf("%s[%d]: have %.15g, want %.15g within %g", what, i, got[i], want[i], tolerance)
		}
	}
}

// expectPanic fails unless f panics with a message that starts with prefix.
func expectPanic(t *testing.T, prefix string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		message, _ := recover().(string)
		if !strings.HasPrefix(message, prefix) {
			t.Errorf("panicked with %q, want a message that starts with %q", message, prefix)
		}
	}()
	f()
}
