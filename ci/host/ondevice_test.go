package host

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/llama-regress/llama-regress/ci/device"
)

// twoCards is a machine with two cards of AMD.
func (f fake) twoCards(t *testing.T) *device.Set {
	t.Helper()
	for i := range 2 {
		dir := fmt.Sprintf("sys/class/drm/card%d/device/", i)
		f.set(dir+"uevent", "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:0%d:00.0\n", i+1)
		f.card(i, 0, 100<<20, 40)
	}
	set := device.Open(t.Context(), device.Options{Root: f.MapFS, SMI: filepath.Join(t.TempDir(), "none")})
	t.Cleanup(set.Close)
	return set
}

// card sets what a card does.
func (f fake) card(i, busy, memory, celsius int) {
	dir := fmt.Sprintf("sys/class/drm/card%d/device/", i)
	f.set(dir+"gpu_busy_percent", "%d\n", busy)
	f.set(dir+"mem_info_vram_used", "%d\n", memory)
	f.set(dir+"hwmon/hwmon1/temp1_input", "%d000\n", celsius)
	f.set(dir+"hwmon/hwmon1/power1_average", "%d000000\n", 100+busy)
}

// The device that is used has series, the other has none; levels are means or the
// largest, energy is the sum.
func TestDeviceSeries(t *testing.T) {
	f := newFake()
	f.machine()
	w := newWatcher(tree{f}, func() []int { return []int{20} }, 7, 250*time.Millisecond, f.now, f.twoCards(t))
	f.card(1, 90, 1<<30, 66)
	w.read(f.now.Add(250 * time.Millisecond))
	f.card(1, 80, 3<<30, 71)
	w.read(f.now.Add(500 * time.Millisecond))
	got := make(map[string][]float64)
	for name, values := range w.samples(f.now).Series {
		if name[:3] == "gpu" {
			got[name] = values
		}
	}
	want := map[string][]float64{
		"gpu1.busy": {0.9, 0.8}, "gpu1.memory_bytes": {1 << 30, 3 << 30}, "gpu1.temp_c": {66, 71}, "gpu1.power_w": {190, 180}, "gpu1.energy_j": {47.5, 45},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	w.readings.thin()
	s := w.samples(f.now).Series
	if s["gpu1.busy"][0] != 0.85 || s["gpu1.energy_j"][0] != 92.5 || s["gpu1.memory_bytes"][0] != 3<<30 {
		t.Errorf("thinned out: %v", s)
	}
}

// A device that goes away leaves no series of its last values.
func TestDeviceGoesAway(t *testing.T) {
	f := newFake()
	f.machine()
	w := newWatcher(tree{f}, func() []int { return nil }, 7, 250*time.Millisecond, f.now, f.twoCards(t))
	f.card(0, 99, 1<<30, 66)
	w.read(f.now.Add(250 * time.Millisecond))
	for name := range f.MapFS {
		if strings.HasPrefix(name, "sys/class/drm/card0") {
			delete(f.MapFS, name)
		}
	}
	for i := range 8 {
		w.read(f.now.Add(time.Duration(i+2) * 250 * time.Millisecond))
	}
	for name := range w.samples(f.now).Series {
		if name[:3] == "gpu" {
			t.Errorf("series %s", name)
		}
	}
}

// What the programs use by which devices are read is this tool's own, not others'.
func TestReaderIsOwn(t *testing.T) {
	f := newFake()
	f.machine()
	f.process(30, 10, 0, 0, 300, 100, "")
	w := newWatcher(tree{f}, func() []int { return []int{20} }, 7, 250*time.Millisecond, f.now, nil)
	w.group.readers = func() []int { return []int{30, 404} }
	w.take(time.Second)
	f.process(30, 15, 0, 0, 300, 100, "")
	f.cpu(1005, 500, 90020, 30)
	w.read(f.now.Add(250 * time.Millisecond))
	if s := w.samples(f.now).Series; s[CPUSelf][0] != 0.2 || s[CPUOther][0] != 0 {
		t.Errorf("self %v, others %v, want 0.2 and 0", s[CPUSelf], s[CPUOther])
	}
}
