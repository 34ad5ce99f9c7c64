//go:build linux

package sched

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func place(t *testing.T, params map[string]string) Placement {
	t.Helper()
	p, err := NewPlacement(params)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The real kernel, taskset and nice: a process is put on one processor and
// asked about.
func TestPlacementTakesEffect(t *testing.T) {
	allowed, err := parseList(statusField("", os.Getpid(), "Cpus_allowed_list"))
	if err != nil {
		t.Fatal(err)
	}
	one := formatList(allowed[len(allowed)-1:])
	p := place(t, map[string]string{CPUs: one, Nice: "7"})
	if err := p.Probe(t.Context()); err != nil {
		t.Fatalf("Probe: %v", err)
	}
	command, err := p.Wrap("/bin/sleep", []string{"600"})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(command[0], command[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	await(t, "the program itself", func() bool { return p.arrived(cmd.Process.Pid) })
	seen, err := p.verify(cmd.Process.Pid, nil)
	if want := (map[string]string{CPUs: one, Nice: "7"}); err != nil || !maps.Equal(seen, want) {
		t.Errorf("the kernel says %v, want %v (%v)", seen, want, err)
	}
	// And what is not so is found out.
	other := place(t, map[string]string{Nice: "8"})
	if _, err := other.verify(cmd.Process.Pid, nil); err == nil || !strings.Contains(err.Error(), "asked for 8, the kernel says 7") {
		t.Errorf("another niceness: %v", err)
	}
}

// Each limit is taken at its borders, and refused beyond them.
func TestLimitsAtTheirBorders(t *testing.T) {
	for value, want := range map[string]int64{"1M": 1 << 20, "1024K": 1 << 20, "1024T": 1 << 50} {
		if p := place(t, map[string]string{MemoryLimit: value}); p.memory != want {
			t.Errorf("%s is %d bytes, want %d", value, p.memory, want)
		}
	}
	for _, value := range []string{"1023K", "1025T", "0M", "4", "4GB", "-1M"} {
		if p, err := NewPlacement(map[string]string{MemoryLimit: value}); err == nil {
			t.Errorf("%s is %d bytes", value, p.memory)
		}
	}
	if p := place(t, map[string]string{CPULimit: "0.01"}); p.cores != 0.01 {
		t.Errorf("0.01 is %v processors", p.cores)
	}
	if p, err := NewPlacement(map[string]string{CPULimit: "0.009"}); err == nil {
		t.Errorf("0.009 is %v processors", p.cores)
	}
}

func TestPlacementThatCannotBeHad(t *testing.T) {
	for name, c := range map[string]struct {
		params map[string]string
		says   string
	}{
		"no such processor": {map[string]string{CPUs: "8000"}, "taskset"},
		"no such program":   {map[string]string{Numactl: "--interleave=0"}, "numactl is not in PATH: install numactl"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.params[Numactl] != "" {
				t.Setenv("PATH", withCat(t))
			}
			p := place(t, c.params)
			if err := p.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %q", err, c.says)
			}
		})
	}
}

// withCat is a folder with the program that Probe needs and no other.
func withCat(t *testing.T) string {
	dir := t.TempDir()
	cat, err := exec.LookPath("cat")
	if err == nil {
		err = os.Symlink(cat, filepath.Join(dir, "cat"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A numactl that does nothing is found out from the kernel.
func TestPolicyThatDidNotTakeEffect(t *testing.T) {
	dir := withCat(t)
	if err := os.WriteFile(filepath.Join(dir, "numactl"), []byte("#!/bin/sh\nshift\nexec \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	p := place(t, map[string]string{Numactl: "--membind=0"})
	if err := p.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "asked for bind:0, the kernel says") {
		t.Errorf("error %v", err)
	}
}

func TestSamePolicy(t *testing.T) {
	for asked, words := range map[string]map[string]bool{
		"local":        {"local": true, "default": false, "": false},
		"bind:0":       {"bind:0": true, "bind:0-1": false, "interleave:0": false},
		"interleave:":  {"interleave:0-1": true, "interleave:": true, "bind:0-1": false},
		"interleave:0": {"interleave:0": true, "interleave:0-1": false},
	} {
		for have, want := range words {
			if samePolicy(asked, have) != want {
				t.Errorf("asked for %s, the kernel says %s: want %t", asked, have, want)
			}
		}
	}
}

func TestNumactlOptions(t *testing.T) {
	for text, want := range map[string]struct {
		options []string
		policy  string
		fault   string
	}{
		"--interleave=3":      {[]string{"--interleave=3"}, "interleave:3", ""},
		"-i 0,1 -N 2":         {[]string{"--interleave=0,1", "--cpunodebind=2"}, "interleave:0-1", ""},
		"--interleave all":    {[]string{"--interleave=all"}, "interleave:", ""},
		"--preferred=1":       {[]string{"--preferred=1"}, "prefer:1", ""},
		"-l":                  {[]string{"--localalloc"}, "local", ""},
		"--physcpubind=0,2-3": {[]string{"--physcpubind=0,2-3"}, "", ""},
		"anywhere at all":     {fault: "not a policy"},
		"--show":              {fault: "not a policy"},
		"--membind":           {fault: "which nodes"},
		"--membind=$(id)":     {fault: "want a list"},
		"":                    {fault: "no policy"},
	} {
		got, err := numactlOptions(text)
		if want.fault != "" {
			if err == nil || !strings.Contains(err.Error(), want.fault) {
				t.Errorf("%q: %v, want %q", text, err, want.fault)
			}
			continue
		}
		p := Placement{numactl: got}
		if diff := cmp.Diff(want.options, got); err != nil || diff != "" || p.policy() != want.policy {
			t.Errorf("%q: policy %q, %v\n%s", text, p.policy(), err, diff)
		}
	}
}

func TestListsOfProcessors(t *testing.T) {
	for text, want := range map[string]string{"0": "0", "3,1-2": "1-3", "0-3,8": "0-3,8", "5,5": "5", "0,2,4": "0,2,4"} {
		list, err := parseList(text)
		if got := formatList(list); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "a", "1-", "3-1", "0-9999", "1,,2", "-1"} {
		if _, err := parseList(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// The files of a control group, on a folder that takes whatever is written.
func TestLimitsAreWrittenAndReadBack(t *testing.T) {
	parent := t.TempDir()
	control := filepath.Join(parent, "cgroup.subtree_control")
	if err := os.WriteFile(control, []byte("cpuset memory\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := place(t, map[string]string{CPULimit: "1.5", MemoryLimit: "4G"})
	dir := filepath.Join(parent, "group")
	if err := limit(parent, dir, &p); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		control:                               "+cpu", // memory was there, and "cpuset" is not "cpu"
		filepath.Join(dir, "cpu.max"):         "150000 100000",
		filepath.Join(dir, "memory.max"):      "4294967296",
		filepath.Join(dir, "memory.swap.max"): "0",
	} {
		if data, err := os.ReadFile(path); err != nil || string(data) != want {
			t.Errorf("%s: %q, %v, want %q", path, data, err, want)
		}
	}
	g := &Group{dir: dir}
	seen := make(map[string]string)
	err := g.verify(os.Getpid(), &p, seen)
	if err == nil || err.Error() != "the process is not in its control group" || seen[CPULimit] != "150000 100000" {
		t.Errorf("%v, %v", err, seen)
	}
	if err := os.WriteFile(filepath.Join(dir, "cpu.max"), []byte("max 100000"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := g.verify(os.Getpid(), &p, seen); err == nil || !strings.Contains(err.Error(), "asked for cpu.max 150000 100000, the kernel says max 100000") {
		t.Errorf("a limit that was not taken: %v", err)
	}
	if g.OutOfMemory() {
		t.Error("out of memory without a sign of it")
	}
	if err := os.WriteFile(filepath.Join(dir, "memory.events"), []byte("max 3\noom 1\noom_kill 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if !g.OutOfMemory() {
		t.Error("a kill for memory is not seen")
	}
}
