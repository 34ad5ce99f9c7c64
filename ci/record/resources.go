package record

import "slices"

// Names of the metrics of what a trial takes, beside its speed. Bench and serve trials
// share them. Each has a margin of its own, and none by default.
const (
	LoadTime         = "load_time"          // s, from the start of the program to when it is ready
	PeakMemory       = "peak_memory"        // B, the most that was resident of the program's largest process
	PeakDeviceMemory = "peak_device_memory" // B, the most in use at once on the devices that it used
	EnergyPerToken   = "energy_per_token"   // J/tok, of the devices that it used
)

// resourceMetrics are the rows that workloads share.
var resourceMetrics = []Definition{
	{Name: LoadTime, Kind: LoadTime, Unit: "s", Better: Lower, Scale: Ratio, Needs: NeedsProcess,
		Term: "load time", Meaning: "From the start of the program to when it is ready: llama-server answers that it is healthy, llama-bench begins its first run. A trial's first touch of a model file may read it from disk."},
	{Name: PeakMemory, Kind: PeakMemory, Unit: "B", Better: Lower, Scale: Ratio, Needs: NeedsProcess,
		Term: "peak memory", Meaning: "The most memory that was resident of the program at once, as the kernel accounts it. Pages of a mapped model file count."},
	{Name: PeakDeviceMemory, Kind: PeakDeviceMemory, Unit: "B", Better: Lower, Scale: Ratio, Needs: NeedsDevice,
		Term: "peak device memory", Meaning: "The most memory in use at once on the devices that the trial used, read four times a second. What other programs hold there counts too."},
	{Name: EnergyPerToken, Kind: EnergyPerToken, Unit: "J/tok", Better: Lower, Scale: Ratio, Needs: NeedsDevice,
		Term: "energy per token", Meaning: "Energy of the devices that the trial used from the beginning of its load to the end, divided by the tokens of prompts and answers that it worked on."},
}

// ResourceMetrics returns the metrics of what a trial takes, in order. Those of devices
// are among them: a trial that used none has no such measurement (see MayNotExist).
func ResourceMetrics() []Metric {
	var all []Metric
	for _, d := range resourceMetrics {
		all = append(all, d.Metric(d.Name))
	}
	return all
}

// IsResource reports whether a metric is one of them.
func IsResource(metric string) bool {
	return slices.ContainsFunc(resourceMetrics, func(d Definition) bool { return d.Name == metric })
}

// DropUnmeasured leaves out of each cell what a trial takes that none of its trials has:
// no device was used, or nothing on this machine tells. It is no loss, and no row.
func (r *Run) DropUnmeasured() {
	type place struct{ cell, metric string }
	has := make(map[place]bool)
	for i := range r.Trials {
		for _, m := range r.Trials[i].Measurements {
			has[place{r.Trials[i].Cell, m.Metric}] = true
		}
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		c.Metrics = slices.DeleteFunc(slices.Clone(c.Metrics), func(m Metric) bool { return IsResource(m.Name) && !has[place{c.Key, m.Name}] })
	}
}

// withResources adds those rows to a workload's own.
func withResources(own ...Definition) []Definition { return slices.Concat(own, resourceMetrics) }

// leastEnergyReadings is how many readings of a device's energy a figure needs: a
// shorter load has begun and ended within a reading or two.
const leastEnergyReadings = 4

// PeakDeviceMemory returns the most memory in use at once on the devices that have
// series, in bytes; 0 where none tells.
func (s *Samples) PeakDeviceMemory() float64 {
	peak := 0.0
	for _, at := range s.ofDevices("memory_bytes") {
		peak = max(peak, at)
	}
	return peak
}

// DeviceEnergy returns the energy that the devices with series used from the beginning
// of the load to the last reading, in joules; 0 where none tells, and where there were
// fewer than four readings in that time.
func (s *Samples) DeviceEnergy() float64 {
	total, readings := 0.0, 0
	for i, used := range s.ofDevices("energy_j") {
		end := s.At + float64(i)*s.Every
		if inside := min(1, end/s.Every); inside > 0 { // of the reading in which the load began, a part
			total += used * inside
			readings++
		}
	}
	if readings < leastEnergyReadings {
		return 0
	}
	return total
}

// ofDevices adds up a quantity over the devices, by reading.
func (s *Samples) ofDevices(quantity string) []float64 {
	if s == nil {
		return nil
	}
	var all []float64
	for name, values := range s.Series {
		if _, q, ok := DeviceSeries(name); !ok || q != quantity {
			continue
		}
		for i, v := range values {
			if i == len(all) {
				all = append(all, 0)
			}
			all[i] += v
		}
	}
	return all
}
