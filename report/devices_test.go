package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// onGPU is a run of twelve trials an arm, of one test of llama-bench each; throttled says of
// the i-th trial of an arm for what share of its load a reason held.
func onGPU(reason string, throttled func(arm string, i int) float64) *record.Run {
	run := &record.Run{
		Devices: []record.Device{{Name: "gpu0", ID: "GPU-0", Model: "NVIDIA <b>L4"}, {Name: "gpu1", ID: "GPU-1", Model: "unused"}},
		Cells:   []record.Cell{{Key: "c", Metrics: []record.Metric{{Name: "tg128", Unit: "tok/s", Better: record.Higher}}}},
	}
	for i := range 12 {
		for _, arm := range []string{"base", "head"} {
			run.Trials = append(run.Trials, record.Trial{
				ID: fmt.Sprintf("%s%d", arm, i), Arm: arm, Cell: "c", Block: i, Outcome: record.OK, Devices: []string{"GPU-0"},
				Measurements: []record.Measurement{{Metric: "tg128", Values: []float64{99, 100, 101}}},
				Samples: &record.Samples{Every: 1, At: -1, Series: map[string][]float64{ // the first two readings are of before the load
					"gpu0.clock_mhz": {300, 300, 1900, 2000}, "gpu0.power_w": {20, 20, 60, 70}, "gpu0.temp_c": {99, 50, 70, 76}, "gpu0.memory_bytes": {1 << 30, 4 << 30, 3 << 30, 3 << 30},
					"gpu0." + reason: {1, 1, throttled(arm, i), throttled(arm, i)},
				}},
			})
		}
	}
	return run
}

// What a device did for each arm is a fact, energy and memory included; how often it was
// throttled is told of both, and said aloud where one arm met it more.
func TestDeviceFacts(t *testing.T) {
	run := onGPU("throttle_power", func(arm string, i int) float64 {
		if arm == "head" && i < 9 {
			return 0.5
		}
		return 0.001
	})
	fact := devicesFact(run).joined()
	const did = " on gpu0 NVIDIA <b>L4: 1950 MHz, 65 W, 0.65 J a token, at most 76 °C, at most 4 GiB of its memory in use, "
	if want := "base" + did + "never throttled; head" + did + "throttled for power in 9 of 12 trials"; fact != want {
		t.Errorf("%q, want\n%q", fact, want)
	}
	notes := throttledNotes([]*record.Run{run})
	if len(notes) != 1 || !strings.HasPrefix(notes[0].joined(), "gpu0 NVIDIA <b>L4 was throttled for power in 0 of 12 trials of base, in 9 of 12 trials of head. What a build draws is its own doing") {
		t.Errorf("notes: %v", notes)
	}
	hot := onGPU("throttle_thermal", func(arm string, _ int) float64 { return map[string]float64{"base": 1}[arm] })
	if n := throttledNotes([]*record.Run{hot}); len(n) != 1 || !strings.Contains(n[0].joined(), "for heat in 12 of 12 trials of base, in 0 of 12 trials of head. Conditions that only one side met") {
		t.Errorf("notes: %v", n)
	}
	both := onGPU("throttle_thermal", func(string, int) float64 { return 1 })
	if n := throttledNotes([]*record.Run{both}); n != nil {
		t.Errorf("both alike: %v", n)
	}
	if f := devicesFact(&record.Run{Devices: run.Devices}); f != nil {
		t.Errorf("without a trial on a device: %v", f)
	}
}
