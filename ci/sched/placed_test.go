//go:build linux

package sched

import (
	"maps"
	"strings"
	"testing"
)

// What the kernel says of a process is compared with what was asked for, in any
// combination of parameters.
func TestVerify(t *testing.T) {
	root := fakeTree(t, map[string]string{
		"proc/77/stat":                           "77 (a b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 27 7",
		"proc/77/status":                         "Name:\ta\nCpus_allowed:\tf\nCpus_allowed_list:\t0-3\n",
		"proc/77/numa_maps":                      "7f00 bind:0 file=/x\n7f01 default\n",
		"proc/78/stat":                           "78 (cut off) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 27",
		"sys/devices/system/node/node0/cpulist":  "0,2\n",
		"sys/devices/system/node/node1/cpulist":  "1,3\n",
		"sys/devices/system/node/node10/cpulist": "8\n",
	})
	for name, c := range map[string]struct {
		params map[string]string
		pid    int
		seen   map[string]string
		says   string
	}{
		"nice":                 {map[string]string{Nice: "7"}, 77, map[string]string{Nice: "7"}, ""},
		"another nice":         {map[string]string{Nice: "8"}, 77, map[string]string{Nice: "7"}, "nice: asked for 8, the kernel says 7"},
		"a short file":         {map[string]string{Nice: "7"}, 78, map[string]string{}, "its niceness cannot be read"},
		"cpus":                 {map[string]string{CPUs: "3,0-2"}, 77, map[string]string{CPUs: "0-3"}, ""},
		"fewer cpus":           {map[string]string{CPUs: "0-2"}, 77, map[string]string{CPUs: "0-3"}, "cpus: asked for 0-2, the kernel says 0-3"},
		"no status":            {map[string]string{CPUs: "0"}, 78, map[string]string{CPUs: "nothing"}, "the kernel says nothing"},
		"nodes":                {map[string]string{Numactl: "--cpunodebind=0,1"}, 77, map[string]string{CPUs: "0-3"}, ""},
		"another node":         {map[string]string{Numactl: "--cpunodebind=10"}, 77, map[string]string{CPUs: "0-3"}, "cpus: asked for 8,"},
		"numactl's processors": {map[string]string{Numactl: "--physcpubind=0-3", CPUs: "0"}, 77, map[string]string{CPUs: "0-3"}, ""},
		"all of them":          {map[string]string{Numactl: "--cpunodebind=all"}, 77, map[string]string{}, ""},
		"policy":               {map[string]string{Numactl: "--membind=0"}, 77, map[string]string{Numactl: "bind:0"}, ""},
		"another policy":       {map[string]string{Numactl: "--interleave=0"}, 77, map[string]string{Numactl: "bind:0"}, "numactl: asked for interleave:0, the kernel says bind:0"},
	} {
		p := place(t, c.params)
		p.root = root
		seen, err := p.verify(c.pid, nil)
		if !maps.Equal(seen, c.seen) || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: seen %v, want %v; %v, want %q", name, seen, c.seen, err, c.says)
		}
	}
}

func TestMemoryPolicy(t *testing.T) {
	for line, want := range map[string]string{
		"7f00 weighted interleave:0-1 file=/x": "weighted interleave:0-1",
		"7f00 prefer (many):0,2 anon=1":        "prefer (many):0,2",
		"7f00 prefer:1":                        "prefer:1",
		"7f00 default file=/x\n7f01 local":     "default",
		"":                                     "nothing (numa_maps cannot be read)",
	} {
		if got := memoryPolicy(fakeTree(t, map[string]string{"proc/77/numa_maps": line}), 77); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// A process has arrived when it runs its own program: neither before a program of
// Wrap made way for it nor when it is gone.
func TestArrived(t *testing.T) {
	p := Placement{names: []string{"/usr/bin/nice", "/usr/bin/taskset"}}
	for line, want := range map[string]bool{
		"/llama/bin/llama-bench\x00-m\x00x": true,
		"/usr/bin/taskset\x00-c\x000":       false,
		"":                                  false,
	} {
		p.root = fakeTree(t, map[string]string{"proc/77/cmdline": line})
		if p.arrived(77) != want || p.arrived(78) {
			t.Errorf("%q: arrived %t, and one that is gone %t", line, p.arrived(77), p.arrived(78))
		}
	}
}

// Parameters are taken at their borders.
func TestBordersOfPlacement(t *testing.T) {
	for _, c := range []struct {
		name, value string
		good        bool
	}{
		{Nice, "-20", true}, {Nice, "-21", false}, {Nice, "19", true}, {Nice, "20", false}, {Nice, "x", false},
		{CPUs, "8191", true}, {CPUs, "8192", false}, {CPUs, "4-4", true}, {CPUs, "5-4", false},
		{CPULimit, "1.5", true}, {CPULimit, "1e1", false}, {CPULimit, "x", false},
		{Numactl, "-l", true}, {Numactl, "--interleave 0 -l", true}, {Numactl, "-m", false},
	} {
		if _, err := NewPlacement(map[string]string{c.name: c.value}); (err == nil) != c.good {
			t.Errorf("%s=%s: %v", c.name, c.value, err)
		} else if err != nil && !strings.HasPrefix(err.Error(), c.name+": ") {
			t.Errorf("%s=%s: %v", c.name, c.value, err)
		}
	}
}
