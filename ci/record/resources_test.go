package record_test

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Energy is that of the load: of the reading in which it began a part, of those before nothing.
func TestDeviceEnergy(t *testing.T) {
	s := &record.Samples{Every: 0.25, At: -0.125, Series: map[string][]float64{
		"gpu0.energy_j": {100, 8, 10, 10, 10}, "gpu1.energy_j": {0, 2, 0, 0, 1}, "energy_j": {500, 500, 500, 500, 500},
		"gpu0.memory_bytes": {1e9, 2e9, 3e9, 2e9, 2e9}, "gpu1.memory_bytes": {5e8, 5e8, 5e8, 1e9, 5e8},
	}}
	// Reading 1 ends 0.125 s after the beginning and is of 0.25 s: half of its 10 J.
	if got := s.DeviceEnergy(); got != 5+10+10+11 {
		t.Errorf("%v J", got)
	}
	if got := s.PeakDeviceMemory(); got != 3.5e9 {
		t.Errorf("%v B", got)
	}
	s.At = -1 // two readings of the load, the second at its beginning: too few to tell
	if got := s.DeviceEnergy(); got != 0 {
		t.Errorf("%v J of a load that is too short", got)
	}
	var none *record.Samples
	if none.DeviceEnergy() != 0 || none.PeakDeviceMemory() != 0 {
		t.Error("something of nothing")
	}
}

// What no trial has is no row of its cell; what one has stays, and speed stays in any case.
func TestDropUnmeasured(t *testing.T) {
	metrics := append([]record.Metric{{Name: "pp8"}}, record.ResourceMetrics()...)
	run := record.Run{
		Cells:  []record.Cell{{Key: "a", Metrics: metrics}, {Key: "b", Metrics: metrics}},
		Trials: []record.Trial{{Cell: "a", Measurements: []record.Measurement{{Metric: record.LoadTime, Values: []float64{1}}}}},
	}
	run.DropUnmeasured()
	if a, b := run.Cells[0].Metrics, run.Cells[1].Metrics; len(a) != 2 || a[1].Name != record.LoadTime || len(b) != 1 || b[0].Name != "pp8" || len(metrics) != 5 {
		t.Errorf("%v, %v", a, b)
	}
}
