// Package disturbance says when something else than the measured programs
// disturbed the machine. It knows the samples of trials and never their results.
//
// A build must not be let off by what it does itself. A slow one runs for longer
// and meets more, a hungry one makes the machine swap and its processor hot. So
// a block counts as disturbed only if every one of its trials was, each over an
// equally long time from its load's beginning. Pages that the measured program
// reads from disk are its own doing and disturb nothing, and so is a clock that a
// device lowers to keep to its power limit: every large load meets that limit.
package disturbance

import (
	"fmt"
	"math"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Names of the series in record.Samples that are looked at.
const (
	Steal      = "steal"          // share of processor time, 0 to 1, that a hypervisor gave to others
	OtherCPU   = "cpu_other"      // cores that all other programs kept busy
	Throttling = "throttle_count" // times a core or package was slowed down for heat, since the reading before
	SwapIn     = "swap_in"        // pages of the machine read back from swap, since the reading before
	PagesRead  = "major_faults"   // pages that the measured program read from disk, since the reading before

	// Of each device that the measured program used, after the device's name; see
	// record.Device.Series.
	DeviceHeat  = "throttle_thermal" // share of time, 0 to 1, in which it was slowed down for its temperature
	DeviceBrake = "throttle_brake"   // share of time in which a power supply or the rack slowed it down
	DeviceOther = "other_busy"       // share of its time that other programs used
)

// Shortest is how many seconds of a load must have been watched for a trial to be judged by
// itself: the kernel counts processor time in hundredths of a second, so less
// shows its rounding.
const Shortest = 1.0

// A Level is what the machine did in some time. Every field is a rate, so that
// it does not grow with the time. A series that nothing tells of is 0.
type Level struct {
	Steal      float64 // share of processor time, 0 to 1
	OtherCPU   float64 // cores; about 0 it may be below
	Throttling float64 // times a second that something slowed the processor or a device down; see eventsOfShare
	SwapIn     float64 // pages a second

	processor   float64 // the part of Throttling that is the processor's
	DeviceHeat  float64 // share of time, 0 to 1, in which a device was slowed down from outside; of several the largest
	DeviceOther float64 // share of a device's time that others used; of several the largest
}

// eventsOfShare is how many times a second a device that is always slowed down counts as
// slowed down: devices tell shares of time in place of events. With it the limit of events
// and the limits of shares are the same, so that whoever knows Throttling alone knows that
// what a device lost has no bound.
const eventsOfShare = 10

// withThrottling fills in Throttling.
func (l Level) withThrottling() Level {
	l.Throttling = l.processor + eventsOfShare*(l.DeviceHeat+l.DeviceOther)
	return l
}

// Rules are the levels up to which a machine counts as quiet. They are fixed
// before anything is measured.
type Rules Level

// Standard are the rules that every command uses. A page read from a
// solid-state disk stops a program for some 0.1 ms, so ten a second take a
// thousandth of its time.
func Standard() Rules {
	return Rules{Steal: 0.01, OtherCPU: 0.1, Throttling: 0.1, SwapIn: 10, DeviceHeat: 0.01, DeviceOther: 0.01}
}

// Watched is for how many seconds of its load a trial was watched, 0 for nil.
func Watched(s *record.Samples) float64 {
	if s != nil {
		for _, values := range s.Series { // all are of one length
			return float64(len(values)-first(s, values)) * s.Every
		}
	}
	return 0
}

// first is the first reading whose interval lies after the load began; of a load
// shorter than a reading the one in which it ended. What a cold model file costs
// to load is thus not counted.
func first(s *record.Samples, values []float64) int {
	for i := range values {
		if s.At+float64(i-1)*s.Every >= -0.001 { // it is rounded to ms
			return i
		}
	}
	return max(0, len(values)-1)
}

// Over is the level in the first so many seconds of a trial's load, in whole
// readings and at least one. The samples are not modified.
func Over(s *record.Samples, seconds float64) Level {
	if s == nil {
		return Level{}
	}
	mean := func(series string) float64 { return mean(s, series, seconds) }
	every := max(s.Every, 1e-3)
	l := Level{Steal: mean(Steal), OtherCPU: mean(OtherCPU), processor: mean(Throttling) / every, SwapIn: mean(SwapIn) / every}
	for series := range s.Series {
		switch _, quantity, _ := record.DeviceSeries(series); quantity {
		case DeviceHeat, DeviceBrake:
			l.DeviceHeat = max(l.DeviceHeat, mean(series))
		case DeviceOther:
			l.DeviceOther = max(l.DeviceOther, mean(series))
		}
	}
	return l.withThrottling()
}

// InLoad are the readings of a series from the beginning of the load on, in order; nil where
// nothing tells of it. They are part of the samples.
func InLoad(s *record.Samples, series string) []float64 {
	if s == nil || len(s.Series[series]) == 0 {
		return nil
	}
	return s.Series[series][first(s, s.Series[series]):]
}

// mean is the mean reading of a series in the first so many seconds of the load; 0
// where nothing tells of it.
func mean(s *record.Samples, series string, seconds float64) float64 {
	values := s.Series[series]
	values = values[first(s, values):]
	values = values[:min(len(values), max(1, int(min(seconds/max(s.Every, 1e-3), 1e9)+1e-6)))]
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / max(1, float64(len(values)))
}

// ReadBy returns how many pages a second the measured program read from disk during its
// load; 0 where nothing tells of it. It disturbs nothing: it is what the program does.
func ReadBy(s *record.Samples) float64 {
	if s == nil {
		return 0
	}
	return mean(s, PagesRead, math.Inf(1)) / max(s.Every, 1e-3)
}

// Mean is the level of several equally long times; the zero Level for none.
func Mean(levels []Level) Level {
	var sum Level
	for _, l := range levels {
		sum = sum.with(l, func(a, b float64) float64 { return a + b })
	}
	n := max(1, float64(len(levels)))
	return sum.with(Level{}, func(a, _ float64) float64 { return a / n })
}

// with is what a function makes of each two levels of the same kind.
func (l Level) with(o Level, f func(a, b float64) float64) Level {
	return Level{
		Steal: f(l.Steal, o.Steal), OtherCPU: f(l.OtherCPU, o.OtherCPU), SwapIn: f(l.SwapIn, o.SwapIn),
		processor: f(l.processor, o.processor), DeviceHeat: f(l.DeviceHeat, o.DeviceHeat), DeviceOther: f(l.DeviceOther, o.DeviceOther),
	}.withThrottling()
}

// Least is what every one of the levels shows; the zero Level for none.
func Least(levels []Level) Level {
	if len(levels) == 0 {
		return Level{}
	}
	l := levels[0]
	for _, o := range levels[1:] {
		l = l.with(o, func(a, b float64) float64 { return min(a, b) })
	}
	return l
}

// Broken says, a sentence each, which rules a level breaks; nil when none.
func (r Rules) Broken(l Level) []string {
	var broken []string
	rule := func(value, most float64, format string, args ...any) {
		if value > most {
			broken = append(broken, fmt.Sprintf(format, args...))
		}
	}
	rule(l.Steal, r.Steal, "the hypervisor gave %.1f%% of processor time to others, more than %.3g%%", 100*l.Steal, 100*r.Steal)
	rule(l.processor, r.Throttling, "the processor was slowed down for heat %.1f times a second, more than %.3g", l.processor, r.Throttling)
	rule(l.DeviceHeat, r.DeviceHeat, "a device was slowed down for heat, or by its power supply, in %.0f%% of the time, more than %.3g%%", 100*l.DeviceHeat, 100*r.DeviceHeat)
	rule(l.DeviceOther, r.DeviceOther, "other programs used %.0f%% of a device's time, more than %.3g%%", 100*l.DeviceOther, 100*r.DeviceOther)
	rule(l.OtherCPU, r.OtherCPU, "other programs used %.2f cores, more than %.3g", l.OtherCPU, r.OtherCPU)
	rule(l.SwapIn, r.SwapIn, "%.0f pages a second were read back from swap, more than %.3g", l.SwapIn, r.SwapIn)
	return broken
}

// Round says what disturbed the trials that ran in turns: the rules that each of
// them breaks, over the time that the shortest of them was watched. A trial
// without samples, or watched for less than Shortest, cannot be judged, and with
// it no other: then, and for no trial, it returns nil.
func (r Rules) Round(trials ...*record.Samples) []string {
	window := math.Inf(1)
	for _, s := range trials {
		window = min(window, Watched(s))
	}
	if len(trials) == 0 || window < Shortest-1e-3 {
		return nil
	}
	levels := make([]Level, len(trials))
	for i, s := range trials {
		levels[i] = Over(s, window)
	}
	return r.Broken(Least(levels))
}
