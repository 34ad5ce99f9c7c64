package host

import (
	"math"
	"os"
)

// ProcessorTemperature is that of the hottest processor now, in °C; false where
// nothing tells, as on most virtual machines and on all systems but Linux.
func ProcessorTemperature() (celsius float64, ok bool) { return tree{os.DirFS("/")}.hottest() }

func (t tree) hottest() (celsius float64, ok bool) {
	probes := t.processorSensors()
	defer func() {
		for _, p := range probes {
			p.close()
		}
	}()
	celsius = highest(probes) / 1e3
	return celsius, !math.IsNaN(celsius)
}
