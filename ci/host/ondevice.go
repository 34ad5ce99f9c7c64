package host

import (
	"math"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/record"
)

const (
	usedMemory = 64 << 20 // bytes by which a device's memory grows when a program begins to use it
	usedShare  = 0.05     // of its time that a device is kept busy when it is used
)

// onDevices follows the machine's accelerators while processes are watched, and which
// of them those processes use. A device that they do not use has no series.
type onDevices struct {
	set  *device.Set
	list []record.Device
	used []bool
	met  bool      // a watched process was met on some device
	idle []float64 // least memory in use so far, B; NaN where not told

	reads int
	mute  []int // of them in which a device told nothing
}

func newOnDevices(set *device.Set) *onDevices {
	d := &onDevices{set: set, list: set.Devices()}
	d.used, d.idle, d.mute = make([]bool, len(d.list)), make([]float64, len(d.list)), make([]int, len(d.list))
	for i := range d.idle {
		d.idle[i] = math.NaN()
	}
	return d
}

// read fills in what the devices did; ours says which processes are watched.
func (d *onDevices) read(r reading, ours func(pid int) bool, passed time.Duration) {
	d.reads++
	for i, state := range d.set.Read(ours, passed) {
		if !slices.ContainsFunc(state[:], func(v float64) bool { return !math.IsNaN(v) }) {
			d.mute[i]++
		}
		copy(r[ofDevice(i, 0):], state[:])
		d.use(i, state)
	}
}

// use finds out whether the watched processes use a device. Where one of them was met
// on some device that is known. Elsewhere, as in a container with process numbers of its own, a
// device that something keeps busy, or whose memory filled up, counts as used; and one of which
// neither is told when its clock runs.
func (d *onDevices) use(i int, s device.State) {
	d.met = d.met || s[device.Own] > 0
	if !(s[device.Memory] >= d.idle[i]) { // NaN too
		d.idle[i] = s[device.Memory]
	}
	busy, memory := s[device.Busy], s[device.Memory]
	switch {
	case s[device.Own] > 0:
		d.used[i] = true
	case d.met:
	case busy >= usedShare, memory-d.idle[i] >= usedMemory, math.IsNaN(busy) && math.IsNaN(memory) && s[device.Clock] > 0:
		d.used[i] = true
	}
}

// kinds are those of the series that a watch of devices has, after the machine's.
func (d *onDevices) kinds() []seriesKind {
	var all []seriesKind
	for _, one := range d.list {
		for _, q := range device.Names {
			all = append(all, seriesKind{one.Series(q.Name), fold(q.Join), q.Step})
		}
	}
	return all
}

// ofDevice is the index in a reading of a quantity of the i-th device.
func ofDevice(i, quantity int) int { return seriesCount + i*device.Quantities + quantity }

// told reports whether a series is one that is kept: of the machine, or of a device that
// is used and did not go away meanwhile, whose last values would stand for the rest.
func (d *onDevices) told(series int) bool {
	if series < seriesCount {
		return true
	}
	i := (series - seriesCount) / device.Quantities
	return d.used[i] && 4*d.mute[i] <= d.reads
}
