package device

import (
	"context"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/llama-regress/llama-regress/ci/record"
)

// recorded is the tree of testdata/name.txtar.
func recorded(t testing.TB, name string) fstest.MapFS {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	files := make(fstest.MapFS)
	for _, f := range archive.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return files
}

// ofTree opens the devices of a machine without nvidia-smi.
func ofTree(t testing.TB, root fs.FS) *Set {
	s := Open(context.Background(), Options{Root: root, SMI: filepath.Join(t.TempDir(), "none")})
	s.warnings.lines = s.warnings.lines[1:] // that it is missing
	return s
}

// values are those that a state has.
func values(s State) map[string]float64 {
	all := make(map[string]float64)
	for q, v := range s {
		if !math.IsNaN(v) {
			all[Names[q].Name] = math.Round(v*1e6) / 1e6
		}
	}
	return all
}

func TestCards(t *testing.T) {
	w := func(v float64) *float64 { return &v }
	for name, c := range map[string]struct {
		devices []record.Device
		change  map[string]string // before the second reading, a second after the first
		states  []map[string]float64
	}{
		"amd-polaris": {
			devices: []record.Device{{
				Name: "gpu0", ID: "0000:0a:00.0", PCI: "0000:0a:00.0", Vendor: "amd", Model: "PCI 1002:67DF", Driver: "amdgpu of Linux 5.15.26-gentoo", VBIOS: "113-4E3531U-X58",
				MemoryBytes: 8 << 30, PowerLimit: w(120), Slowdown: w(94), Display: "Enabled", Link: "gen 3 x16", LinkNow: "gen 1 x8",
			}},
			states: []map[string]float64{{"clock_mhz": 1233, "memory_clock_mhz": 1750, "busy": 0.97, "memory_bytes": 2 << 30, "temp_c": 57, "power_w": 118.24, "energy_j": 118.24}},
		},
		"amd-navi31": {
			devices: []record.Device{
				{Name: "gpu0", ID: "AMD-0000000000000000", PCI: "0000:03:00.0", Vendor: "amd", Model: "Radeon RX 7900 XTX", Driver: "amdgpu 6.12.12", MemoryBytes: 25753026560, PowerLimit: w(303), Default: w(339), Link: "gen 4 x16"},
				{Name: "gpu1", ID: "0000:11:00.0", PCI: "0000:11:00.0", Vendor: "amd", Model: "PCI 1002:164E", Driver: "amdgpu 6.12.12"},
			},
			states: []map[string]float64{
				{"clock_mhz": 2482, "memory_clock_mhz": 1249, "busy": 1, "memory_bytes": 9663676416, "temp_c": 61, "power_w": 303, "energy_j": 303},
				{"clock_mhz": 600, "busy": 0, "power_w": 31, "energy_j": 31},
			},
		},
		"intel": {
			devices: []record.Device{
				{Name: "gpu0", ID: "0000:03:00.0", PCI: "0000:03:00.0", Vendor: "intel", Model: "PCI 8086:E20B", Driver: "xe of Linux 6.14.4", PowerLimit: w(190), MostClock: w(2850)},
				{Name: "gpu1", ID: "0000:00:02.0", PCI: "0000:00:02.0", Vendor: "intel", Model: "PCI 8086:3E92", Driver: "i915 of Linux 6.14.4", MostClock: w(1150)},
			},
			change: map[string]string{"card0/device/hwmon/hwmon7/energy1_input": "155000000", "card0/device/tile0/gt0/gtidle/idle_residency_ms": "1250"},
			states: []map[string]float64{
				{"clock_mhz": 2450, "busy": 0.75, "temp_c": 58, "power_w": 150, "energy_j": 150, "throttle_power": 1, "throttle_thermal": 0, "throttle_brake": 0},
				{"clock_mhz": 0, "throttle_power": 0, "throttle_thermal": 0},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := recorded(t, name)
			s := ofTree(t, files)
			if diff := cmp.Diff(c.devices, s.Devices()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			s.Read(nil, time.Second)
			for file, text := range c.change {
				files["sys/class/drm/"+file] = &fstest.MapFile{Data: []byte(text)}
			}
			var got []map[string]float64
			for _, state := range s.Read(nil, time.Second) {
				got = append(got, values(state))
			}
			if diff := cmp.Diff(c.states, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if w := s.Warnings(); len(w) > 0 {
				t.Errorf("warnings: %q", w)
			}
		})
	}
}

// forbidden is a tree of which one file may not be read.
type forbidden struct {
	fs.FS
	name string
}

func (f forbidden) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, f.name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return f.FS.Open(name)
}

func (f forbidden) Stat(name string) (fs.FileInfo, error) { return fs.Stat(f.FS, name) }

// What may not be read, cannot be, or went away, is one warning, and the rest is read on.
func TestCardFails(t *testing.T) {
	s := ofTree(t, forbidden{recorded(t, "intel"), "energy1_input"})
	got := s.Read(nil, time.Second)
	if w := s.Warnings(); len(w) != 1 || !strings.Contains(w[0], "hwmon7/energy1_input may not be read by this user") || !math.IsNaN(got[0][Energy]) || got[0][Clock] != 2450 {
		t.Errorf("%q, %v", w, values(got[0]))
	}
	files := recorded(t, "amd-navi31")
	s = ofTree(t, files)
	files["sys/class/drm/card0/device/hwmon/hwmon2/temp1_input"].Data = []byte("-273150000\n")
	files["sys/class/drm/card0/device/gpu_busy_percent"].Data = []byte("\x00\xff")
	for range 2 {
		got = s.Read(nil, time.Second)
	}
	if w := s.Warnings(); len(w) != 1 || !strings.Contains(w[0], "temp1_input says -273150000, which cannot be") || !math.IsNaN(got[0][Temperature]) || !math.IsNaN(got[0][Busy]) || got[0][Clock] != 2482 {
		t.Errorf("%q, %v", w, values(got[0]))
	}
	for name := range files {
		if strings.HasPrefix(name, "sys/class/drm/card0/") {
			delete(files, name)
		}
	}
	for range 2 {
		got = s.Read(nil, time.Second)
	}
	if w := s.Warnings(); len(w) != 2 || !strings.Contains(w[1], "0000:03:00.0 tells nothing any more") || len(values(got[0])) > 0 || got[1][Clock] != 600 {
		t.Errorf("%q, %v", w, values(got[0]))
	}
}

// Whatever the files hold, values are in their ranges and warnings are few and plain.
func FuzzCards(f *testing.F) {
	f.Add("intel", "1", "2")
	f.Add("amd-polaris", "0: 300Mhz *\n", "8.0 GT/s PCIe")
	f.Fuzz(func(t *testing.T, which, a, b string) {
		name := map[bool]string{true: "intel", false: "amd-polaris"}[which == "intel"]
		files, i := recorded(t, name), 0
		for file, was := range files {
			if i++; !strings.HasSuffix(file, "uevent") {
				was.Data = []byte([]string{a, b}[i%2])
			}
		}
		s := ofTree(t, files)
		for range 2 {
			for _, state := range s.Read(nil, time.Second) {
				for q, v := range state {
					if v < 0 || v > most[q] {
						t.Errorf("%s is %v", Names[q].Name, v)
					}
				}
			}
		}
		if len(s.Warnings()) > mostWarnings || strings.ContainsAny(strings.Join(s.Warnings(), ""), "\n\x1b\x00") {
			t.Errorf("warnings: %q", s.Warnings())
		}
	})
}

func TestEnvironment(t *testing.T) {
	got := Environment([]string{"PATH=/bin", "CUDA_VISIBLE_DEVICES=1,0", "HIP_VISIBLE_DEVICES=", "CUDA_VISIBLE_DEVICES_OLD=3"})
	if diff := cmp.Diff([]string{"CUDA_VISIBLE_DEVICES=1,0", "HIP_VISIBLE_DEVICES="}, got); diff != "" {
		t.Error(diff)
	}
}

// The machine of the test, whatever it has.
func TestThisMachine(t *testing.T) {
	s := Open(t.Context(), Options{})
	defer s.Close()
	states := s.Read(func(pid int) bool { return pid == os.Getpid() }, time.Second)
	if len(states) != len(s.Devices()) {
		t.Errorf("%d states of %d devices", len(states), len(s.Devices()))
	}
}

// No driver, or one that was changed under a running system.
func TestNoDriver(t *testing.T) {
	f := fake(t)
	write(t, f, "message", "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 560.35\n")
	write(t, f, "status", "18")
	s := open(t, f, Options{})
	if w := s.Warnings(); len(s.Devices()) != 0 || len(w) != 1 || !strings.Contains(w[0], "Driver/library version mismatch") {
		t.Errorf("%v, warnings %q", s.Devices(), w)
	}
	var none *Set
	if none.Read(nil, 1) != nil || none.Devices() != nil || none.PIDs() != nil || none.Warnings() != nil {
		t.Error("the nil Set has something")
	}
	none.Close()
}
