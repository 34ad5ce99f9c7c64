package device

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakesmi"
)

// fake installs a fake nvidia-smi.
func fake(t *testing.T, devices ...fakesmi.Device) *fakesmi.Fake {
	t.Helper()
	f, err := fakesmi.Install(t.TempDir(), devices...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func write(t *testing.T, f *fakesmi.Fake, name, text string) {
	t.Helper()
	if err := f.Write(name, text); err != nil {
		t.Fatal(err)
	}
}

// open opens the devices of a machine that has nothing but the fake.
func open(t *testing.T, f *fakesmi.Fake, o Options) *Set {
	t.Helper()
	o.Root, o.SMI = fstest.MapFS{}, f.Path
	s := Open(context.Background(), o)
	t.Cleanup(s.Close)
	return s
}

// until asks again and again; the limit is for a test that would fail.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func uuid(i int) string { return fmt.Sprintf("GPU-00000000-0000-0000-0000-%012d", i) }

// nth is the i-th of several devices.
func nth(i int, more fakesmi.Device) fakesmi.Device {
	d := fakesmi.Device{"index": fmt.Sprint(i), "uuid": uuid(i), "pci.bus_id": fmt.Sprintf("00000000:%02X:00.0", i+1)}
	for name, value := range more {
		d[name] = value
	}
	return d
}

// A device is told as it is, and read while it works.
func TestNVIDIA(t *testing.T) {
	f := fake(t, fakesmi.Device{})
	write(t, f, "temperature", "\nGPU 00000000:00:03.0\n    Temperature\n        GPU Current Temp                  : 76 C\n        GPU Slowdown Temp                 : 95 C\n")
	s := open(t, f, Options{})
	watts, clock, hot := 72.0, 2040.0, 95.0
	want := []record.Device{{
		Name: "gpu0", ID: uuid(0), PCI: "0000:00:03.0", Vendor: "nvidia", Model: "NVIDIA L4", Driver: "nvidia 580.173.02", VBIOS: "95.04.29.00.06",
		MemoryBytes: 23034 << 20, PowerLimit: &watts, Default: &watts, MostClock: &clock, Slowdown: &hot,
		Persistence: "Enabled", ECC: "Enabled", Display: "Disabled", Link: "gen 4 x16", LinkNow: "gen 4 x8",
	}}
	if diff := cmp.Diff(want, s.Devices()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	var got State
	until(t, "a reading", func() bool { got = s.Read(nil, 500*time.Millisecond)[0]; return !math.IsNaN(got[Clock]) })
	state := absent()
	state[Clock], state[MemoryClock], state[Temperature], state[Power], state[Energy] = 2040, 6251, 76, 71.81, 71.81/2
	state[Busy], state[Memory], state[LinkGeneration] = 0.99, 7532<<20, 4
	state[ThrottlePower], state[ThrottleThermal], state[ThrottleBrake], state[ThrottleSetting] = 1, 0, 0, 0
	same := cmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) })
	if diff := cmp.Diff(state, got, same); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	until(t, "the end of pmon", func() bool { return len(s.Warnings()) > 0 })
	if w := s.Warnings(); len(w) != 1 || !strings.Contains(w[0], "Not supported on the device(s)") {
		t.Errorf("warnings: %q", w)
	}
}

// Whose the processes are: the watched ones, this tool's, and the others. Without one
// that is watched, nobody can tell them apart.
func TestProcesses(t *testing.T) {
	f := fake(t, nth(0, nil), nth(1, nil))
	const head = "# gpu         pid   type     sm    mem    enc    dec    jpg    ofa     fb   ccpm    command \n# Idx           #    C/G      %      %      %      %      %      %     MB     MB    name \n"
	write(t, f, "pmon", head+
		"    0       3485     C     60     10      -      -      -      -   7524      0    llama-bench    \n"+
		"    0       4000     C     30     10      -      -      -      -   1000      0    python -m train \n"+
		"    0       4001     G      -      -      -      -      -      -     24      0    Xorg           \n"+
		"    1          -     -      -      -      -      -      -      -      -      -    -              \n")
	s := open(t, f, Options{})
	until(t, "the processes", func() bool { return len(s.Processes()) == 3 })
	if p := s.Processes()[1]; p.Name != "python -m train" || p.Device != "gpu0" || p.Busy != 0.3 || p.Memory != 1000<<20 {
		t.Errorf("%+v", p)
	}
	if got := s.Read(func(int) bool { return false }, time.Second); !math.IsNaN(got[0][OtherBusy]) {
		t.Errorf("no watched process was met, yet others used %v of it", got[0][OtherBusy])
	}
	var got []State // a round that came late is not told
	until(t, "a round", func() bool {
		got = s.Read(func(pid int) bool { return pid == 3485 }, time.Second)
		return !math.IsNaN(got[0][Own])
	})
	if g := got[0]; g[Own] != 1 || g[OtherProcesses] != 2 || g[OtherBusy] != 0.3 || g[OtherMemory] != 1024<<20 {
		t.Errorf("own %v, others %v, busy %v, memory %v", g[Own], g[OtherProcesses], g[OtherBusy], g[OtherMemory])
	}
	if g := got[1]; g[Own] != 0 || g[OtherProcesses] != 0 || g[OtherBusy] != 0 {
		t.Errorf("the second device: %v", g)
	}
	// One of them ends, which its round without it tells.
	write(t, f, "pmon", head+"    0       3485     C     60     10      -      -      -      -   7524      0    llama-bench    \n    1          -     -      -      -      -      -      -      -      -      -    -\n")
	until(t, "the end of two", func() bool { return len(s.Processes()) == 1 })
}

// What a device does not have, may not be asked or cannot be, is absent: never 0. The
// first is told by nobody, the others in one line each.
func TestUntold(t *testing.T) {
	for name, c := range map[string]struct {
		cells fakesmi.Device
		gone  []int
		says  string // "" for no warning
	}{
		"not there":       {fakesmi.Device{"power.draw": "[N/A]", "power.limit": "[N/A]"}, []int{Power, Energy}, ""},
		"not supported":   {fakesmi.Device{"utilization.gpu": "[Not Supported]"}, []int{Busy}, ""},
		"unknown error":   {fakesmi.Device{"temperature.gpu": "[Unknown Error]"}, []int{Temperature}, `says "[Unknown Error]" of the device at 0000:00:03.0 for temperature.gpu`},
		"permission":      {fakesmi.Device{"clocks.sm": "[Insufficient Permissions]"}, []int{Clock}, `says "[Insufficient Permissions]"`},
		"needs a reset":   {fakesmi.Device{"clocks.mem": "[GPU requires reset]"}, []int{MemoryClock}, "requires reset"},
		"error":           {fakesmi.Device{"power.draw": "ERR!"}, []int{Power, Energy}, "ERR!"},
		"all bits":        {fakesmi.Device{"clocks.sm": "4294967295"}, []int{Clock}, "clocks.sm is 4294967295, which cannot be"},
		"below nothing":   {fakesmi.Device{"power.draw": "-3.5"}, []int{Power}, "which cannot be"},
		"above the whole": {fakesmi.Device{"utilization.gpu": "101"}, []int{Busy}, "which cannot be"},
		"no number":       {fakesmi.Device{"memory.used": "nan"}, []int{Memory}, `says "nan"`},
		"no mask":         {fakesmi.Device{"clocks_throttle_reasons.active": "[N/A]"}, []int{ThrottlePower, ThrottleThermal}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := fake(t, c.cells)
			write(t, f, "pmon", "# gpu pid type sm mem enc dec command\n")
			s := open(t, f, Options{})
			var got State
			until(t, "a reading", func() bool { got = s.Read(nil, time.Second)[0]; return !math.IsNaN(got[LinkGeneration]) })
			for _, q := range c.gone {
				if !math.IsNaN(got[q]) {
					t.Errorf("%s is %v", Names[q].Name, got[q])
				}
			}
			w := s.Warnings()
			if c.says == "" && len(w) > 0 || c.says != "" && (len(w) != 1 || !strings.Contains(w[0], c.says)) {
				t.Errorf("warnings %q, want one with %q", w, c.says)
			}
		})
	}
}

// An older driver refuses all fields for one that it does not know, a newer one may
// have given it another name.
func TestOtherDriver(t *testing.T) {
	for name, change := range map[string]func([]string) []string{
		"older": func(all []string) []string {
			return slices.DeleteFunc(all, func(f string) bool { return f == "mig.mode.current" || f == "ecc.mode.current" || f == "clocks.max.sm" })
		},
		"newer": func(all []string) []string {
			all[len(all)-1] = "clocks_event_reasons.active"
			return all
		},
	} {
		f := fake(t, fakesmi.Device{})
		f.Fields = change(slices.Clone(fakesmi.Fields))
		if err := f.Set(fakesmi.Device{}); err != nil {
			t.Fatal(err)
		}
		s := open(t, f, Options{})
		if d := s.Devices(); len(d) != 1 || d[0].Model != "NVIDIA L4" || d[0].MIG != "" {
			t.Fatalf("%s: %+v", name, d)
		}
		until(t, "a reading", func() bool { return s.Read(nil, time.Second)[0][ThrottlePower] == 1 })
	}
}

// Sixteen devices, one of them in slices.
func TestManyDevices(t *testing.T) {
	var all []fakesmi.Device
	for i := range 16 {
		all = append(all, nth(i, fakesmi.Device{"clocks.sm": fmt.Sprint(1000 + i), "mig.mode.current": map[bool]string{true: "Enabled", false: "Disabled"}[i == 3]}))
	}
	f := fake(t, all...)
	write(t, f, "list", "GPU 0: NVIDIA H100 (UUID: "+uuid(0)+")\nGPU 3: NVIDIA H100 (UUID: "+uuid(3)+")\n  MIG 1g.10gb     Device  0: (UUID: MIG-00000000-0000-0000-0000-00000000000a)\n  MIG 2g.20gb     Device  1: (UUID: MIG-00000000-0000-0000-0000-00000000000b)\n")
	s := open(t, f, Options{})
	var got []State
	until(t, "readings", func() bool { got = s.Read(nil, time.Second); return !math.IsNaN(got[15][Clock]) })
	for i, d := range s.Devices() {
		if d.Name != fmt.Sprintf("gpu%d", i) || got[i][Clock] != float64(1000+i) || (len(d.Slices) > 0) != (i == 3) {
			t.Errorf("%s: clock %v, slices %q", d.Name, got[i][Clock], d.Slices)
		}
	}
	if want := []string{"1g.10gb MIG-00000000-0000-0000-0000-00000000000a", "2g.20gb MIG-00000000-0000-0000-0000-00000000000b"}; !slices.Equal(s.Devices()[3].Slices, want) {
		t.Errorf("slices %q", s.Devices()[3].Slices)
	}
}

// A device that falls off the bus is told of once, and the others are read on.
func TestLostDevice(t *testing.T) {
	f := fake(t, nth(0, nil), nth(1, nil))
	write(t, f, "pmon", "# gpu pid type sm mem enc dec command\n")
	s := open(t, f, Options{})
	until(t, "readings", func() bool { return !math.IsNaN(s.Read(nil, time.Second)[1][Clock]) })
	write(t, f, "message", "Unable to determine the device handle for GPU0000:02:00.0: GPU is lost.  Reboot the system to recover this GPU\n[Unknown Error], [Unknown Error], [Unknown Error], [Unknown Error], [Unknown Error], [Unknown Error], [Unknown Error], [Unknown Error], [Unknown Error], [Unknown Error]\n")
	if err := f.Set(nth(0, fakesmi.Device{"clocks.sm": "1500"})); err != nil {
		t.Fatal(err)
	}
	until(t, "the other device alone", func() bool {
		got := s.Read(nil, time.Second)
		return got[0][Clock] == 1500 && math.IsNaN(got[1][Clock])
	})
	w := strings.Join(s.Warnings(), "\n")
	if !strings.Contains(w, "of the device at 0000:02:00.0: Unable to determine the device handle") || strings.Count(w, "\n") > 1 {
		t.Errorf("warnings:\n%s", w)
	}
}

// Before the run, too: the devices that work are found beside one that does not.
func TestLostBefore(t *testing.T) {
	f := fake(t, nth(0, nil))
	write(t, f, "message", "Unable to determine the device handle for GPU0000:02:00.0: Unknown Error\n")
	write(t, f, "status", "15")
	s := open(t, f, Options{})
	if d, w := s.Devices(), s.Warnings(); len(d) != 1 || len(w) == 0 || !strings.Contains(w[0], "Unable to determine the device handle") {
		t.Errorf("%d devices, warnings %q", len(d), w)
	}
}

// A program that hangs or ends is started once more, then given up with one line; it
// never holds up who asks or closes, and leaves no process.
func TestProgramFails(t *testing.T) {
	for fault, says := range map[string]string{"hang": "it printed nothing for", "die": "ended twice"} {
		t.Run(fault, func(t *testing.T) {
			f := fake(t, fakesmi.Device{})
			write(t, f, "pmon", "# gpu pid type sm mem enc dec command\n")
			o := Options{}
			if fault == "hang" {
				o.silence = 50 * time.Millisecond
			}
			s := open(t, f, o)
			write(t, f, fault, "")
			until(t, "the warning", func() bool {
				return slices.ContainsFunc(s.Warnings(), func(w string) bool {
					return strings.Contains(w, "--query-gpu ended twice") && strings.Contains(w, says)
				})
			})
			asked, err := os.ReadFile(filepath.Join(f.Dir, "asked"))
			if n := strings.Count(string(asked), "--loop-ms="); err != nil || n != 2 {
				t.Errorf("started %d times, want 2: %v", n, err)
			}
		})
	}
}

// What runs on is this tool's own, and ends with it.
func TestClose(t *testing.T) {
	f := fake(t, fakesmi.Device{})
	write(t, f, "pmon", "# gpu pid type sm mem enc dec command\n")
	s := open(t, f, Options{})
	until(t, "both programs", func() bool { return len(s.PIDs()) == 2 })
	pids := s.PIDs()
	s.Close()
	s.Close()
	for _, pid := range pids {
		until(t, "the end of its group", func() bool { return syscall.Kill(-pid, 0) != nil }) // what it started is collected by others
	}
	if len(s.PIDs()) > 0 {
		t.Errorf("programs %v", s.PIDs())
	}
}
