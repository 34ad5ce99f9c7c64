package proc

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

func TestPIDs(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"1", "42", "self", "12a", "0", "-3", "99999999999999999999"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	have := PIDs(dir)
	if slices.Sort(have); !slices.Equal(have, []int{1, 42}) {
		t.Errorf("have %v, want 1 and 42", have)
	}
	if have := PIDs(filepath.Join(dir, "none")); have != nil {
		t.Errorf("of no folder: %v", have)
	}
	if runtime.GOOS == "linux" && !slices.Contains(PIDs("/proc"), os.Getpid()) {
		t.Error("this process is not among all")
	}
}
