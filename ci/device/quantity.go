package device

import "math"

// The quantities that a State has a value of.
const (
	Clock           = iota // MHz of the device's processors
	MemoryClock            // MHz
	Temperature            // °C of the device's sensor
	Power                  // W
	Energy                 // J since the reading before
	Busy                   // share of the time in which something ran on it, 0 to 1
	Memory                 // B in use, by all programs
	LinkGeneration         // generation of its link to the machine now; an idle device lowers it
	ThrottlePower          // 1 while it is slowed down for its power limit, else 0
	ThrottleThermal        // for its temperature
	ThrottleBrake          // by a signal from outside: the power supply or the rack
	ThrottleSetting        // by a clock that somebody set, or to keep step with another device
	Own                    // watched processes that are on it
	OtherProcesses         // other processes that are on it
	OtherBusy              // share of its time that they used, 0 to 1
	OtherMemory            // B that they hold
	Quantities
)

// A Join says how two values of a quantity become one when a long series is thinned out.
type Join int

const (
	Mean Join = iota
	Largest
	Sum
)

// Names are the quantities in series of a record ("gpu0." before it), how two values
// join, and what a value is rounded to a multiple of.
var Names = [Quantities]struct {
	Name string
	Join Join
	Step float64
}{
	Clock:           {"clock_mhz", Mean, 1},
	MemoryClock:     {"memory_clock_mhz", Mean, 1},
	Temperature:     {"temp_c", Largest, 0.1},
	Power:           {"power_w", Mean, 0.1},
	Energy:          {"energy_j", Sum, 0.01},
	Busy:            {"busy", Mean, 0.001},
	Memory:          {"memory_bytes", Largest, 1 << 20},
	LinkGeneration:  {"link_generation", Largest, 1},
	ThrottlePower:   {"throttle_power", Mean, 0.001},
	ThrottleThermal: {"throttle_thermal", Mean, 0.001},
	ThrottleBrake:   {"throttle_brake", Mean, 0.001},
	ThrottleSetting: {"throttle_setting", Mean, 0.001},
	Own:             {"own_processes", Largest, 1},
	OtherProcesses:  {"other_processes", Largest, 1},
	OtherBusy:       {"other_busy", Mean, 0.001},
	OtherMemory:     {"other_memory_bytes", Largest, 1 << 20},
}

func absent() State {
	var s State
	for i := range s {
		s[i] = math.NaN()
	}
	return s
}

// Most that a quantity can be on any device there is. A driver that says more says
// nothing: broken ones return all bits set, or a reading of another unit.
var most = State{
	Clock: 20_000, MemoryClock: 40_000, Temperature: 200, Power: 10_000, Energy: math.Inf(1), Busy: 1, Memory: 1 << 44, LinkGeneration: 16,
	ThrottlePower: 1, ThrottleThermal: 1, ThrottleBrake: 1, ThrottleSetting: 1, Own: math.Inf(1), OtherProcesses: math.Inf(1), OtherBusy: 1, OtherMemory: 1 << 44,
}

// set keeps a value that can be one, and reports whether it can.
func (s *State) set(quantity int, value float64) bool {
	if !(value >= 0 && value <= most[quantity]) {
		return false
	}
	s[quantity] = value
	return true
}
