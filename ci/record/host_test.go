package record

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	a := Host{
		Name: "a",
		Hard: map[string]string{"cpu": "x", "kernel": "6.1", "os": "linux", "scheduler": "default"},
		Soft: map[string]string{"microcode": "1", "governor": "performance"},
	}
	b := Host{
		Name: "b",
		Hard: map[string]string{"cpu": "y", "kernel": "6.12", "os": "linux", "gpu": "z"},
		Soft: map[string]string{"microcode": "2", "governor": "performance"},
	}
	hard, soft := a.Compare(b)
	if diff := cmp.Diff([]KeyDiff{{"cpu", "x", "y"}, {"kernel", "6.1", "6.12"}}, hard); diff != "" {
		t.Errorf("hard (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]KeyDiff{{"gpu", "", "z"}, {"scheduler", "default", ""}, {"microcode", "1", "2"}}, soft); diff != "" {
		t.Errorf("soft (-want +got):\n%s", diff)
	}
	if hard, soft := a.Compare(a); hard != nil || soft != nil {
		t.Errorf("a machine differs from itself: %v %v", hard, soft)
	}
}

// Whatever the files say: no panic, cores between 0 and the processors, and
// values that can be printed on one line.
