package host

import (
	"fmt"
	"testing"
	"testing/fstest"
	"time"
)

// The programs beside are named with the cores that all their processes kept
// busy, also those that began meanwhile; this program, the one by which it reads devices and idle ones are not.
func TestOthers(t *testing.T) {
	at := func(processes map[int]string) tree {
		files := fstest.MapFS{"proc/stat": {Data: []byte("cpu 100 0 0 900 0 0 0 0 0 0\n")}}
		for pid, stat := range processes {
			files[fmt.Sprintf("proc/%d/stat", pid)] = &fstest.MapFile{Data: []byte(stat)}
		}
		return tree{files}
	}
	start := time.Unix(1000, 0)
	o := newOthers(at(map[int]string{1: statOf("self", 0), 2: statOf("cc1plus", 1000), 3: statOf("idle", 7)}), func() []int { return []int{1, 5} }, start)
	if got := o.Busiest(); got != nil {
		t.Errorf("before anything was seen: %v", got)
	}
	o.tree = at(map[int]string{1: statOf("self", 900), 2: statOf("cc1plus", 1500), 3: statOf("idle", 8), 4: statOf("a\x1b`b", 100), 5: statOf("nvidia-smi", 50)})
	o.update(start.Add(5 * time.Second))
	o.update(start.Add(5 * time.Second)) // too soon after the other
	if got := fmt.Sprint(o.Busiest()); got != "[{cc1plus 1} {a`b 0.2}]" {
		t.Errorf("got %v", got)
	}
	// Averaged over all the time.
	o.update(start.Add(10 * time.Second))
	if got := fmt.Sprint(o.Busiest()); got != "[{cc1plus 0.5} {a`b 0.1}]" {
		t.Errorf("got %v", got)
	}
}
