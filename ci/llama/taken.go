package llama

import (
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A Taken is what a trial took, of what is known: what is not is 0.
type Taken struct {
	Loads        []float64 // seconds until each of its processes was ready
	Memory       int64     // bytes resident at most
	DeviceMemory float64   // bytes on devices at most
	Energy       float64   // J of the devices under its load
	Tokens       int64     // of that load
}

// Measurements returns the metrics that the trial has of it, of those that its cell lists.
func (t Taken) Measurements(metrics []record.Metric) []record.Measurement {
	var all []record.Measurement
	add := func(name string, values ...float64) {
		known := !slices.ContainsFunc(values, func(v float64) bool { return !(v > 0) })
		if known && len(values) > 0 && slices.ContainsFunc(metrics, func(m record.Metric) bool { return m.Name == name }) {
			all = append(all, record.Measurement{Metric: name, Values: values})
		}
	}
	add(record.LoadTime, t.Loads...)
	add(record.PeakMemory, float64(t.Memory))
	add(record.PeakDeviceMemory, t.DeviceMemory)
	if t.Tokens > 0 {
		add(record.EnergyPerToken, t.Energy/float64(t.Tokens))
	}
	return all
}

// peakMemory is the most memory that was resident of a child, bytes; 0 when that is not
// known. Linux begins the account of a child with what its parent had when it started the
// child (exec_mmap, setmax_mm_hiwater_rss). An account that is no larger tells nothing.
func (e *childEnd) peakMemory() int64 {
	if e.resources.MaxRSSBytes > e.inherited {
		return e.resources.MaxRSSBytes
	}
	return 0
}
