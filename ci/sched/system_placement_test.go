package sched_test

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/vm"
)

// A process is placed and limited by the real kernel, and read back. The limit
// of processor time holds under the kernel's own scheduler; one of sched_ext that
// does not implement it lets the process have more, while cpu.max reads as set,
// and then the trial has failed.
func TestPlacementOnRealKernel(t *testing.T) {
	g := guest(t)
	g.Files = append(g.Files, vm.File{Path: "/test/place.yaml", Data: `version: 1
arms:
  - {name: kept, bin: /llama/bin/x64, placement: {cpu_limit: "0.5", memory_limit: 2G, cpus: "0"}}
  - {name: lifted, bin: /llama/bin/x64, scheduler: scx_simple, placement: {cpu_limit: "0.3"}}
models: [{path: /models/tiny.gguf}]
matrix: {threads: [1]}
bench: {tests: [pp16], repetitions: 2}
sampling: {blocks: 1, warmup: 1, control: none, repeat_contaminated: 0}
schedulers: {start_timeout: 5m}
`})
	r := run(t, g, `
measure place /test/place.yaml
ended place
echo "groups: $(ls -d /sys/fs/cgroup/llama-regress-* 2>/dev/null | wc -l)"
`)
	if n := said(t, r, "groups"); n != "0" {
		t.Errorf("%s control groups stay", n)
	}
	if code := said(t, r, "place"); code != "exit 4" {
		t.Errorf("%s, want exit 4\n%s", code, r.Files["place/log"])
	}
	for _, trial := range measured(t, r, "place").Trials {
		switch f := trial.Failure; trial.Arm {
		case "kept":
			for name, want := range map[string]string{"cpu_limit": "50000 100000", "memory_limit": "2147483648", "cpus": "0"} {
				if trial.Placement[name] != want {
					t.Errorf("%s: the kernel said %q, want %q", name, trial.Placement[name], want)
				}
			}
			if trial.Outcome != record.OK {
				t.Errorf("%s: %+v", trial.ID, f)
			}
		case "lifted":
			if trial.Placement["cpu_limit"] != "30000 100000" {
				t.Errorf("cpu_limit: the kernel said %q", trial.Placement["cpu_limit"])
			}
			if f == nil || f.Class != record.PlacementDiffers || !strings.Contains(f.Message, "does not keep the limits of control groups") {
				t.Errorf("%s: %+v, want placement_differs", trial.ID, f)
			}
		}
	}
}
