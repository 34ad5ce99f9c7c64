package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/disturbance"
	"github.com/llama-regress/llama-regress/ci/record"
)

const (
	throttledShare = 0.01 // of a load's time from which on a trial counts as throttled
	mostOnDevices  = 8    // arms and devices that are told of
)

// An onDevice is what one device did in the trials of an arm that used it.
type onDevice struct {
	arm, device, model string

	trials               int
	clock, power, joules []float64    // means of the trials' loads: MHz, W; J a token
	hottest, memory      float64      // °C and B, the most in any trial; 0 for not told
	throttled            [reasons]int // trials
	throttlingTold       bool
}

const (
	forPower = iota
	forHeat
	byBrake
	bySetting
	reasons
)

// throttling are the reasons why a clock is lowered, as series and in words.
var throttling = [reasons]struct {
	quantity int
	words    string
}{
	forPower: {device.ThrottlePower, "for power"}, forHeat: {device.ThrottleThermal, "for heat"},
	byBrake: {device.ThrottleBrake, "by its power supply"}, bySetting: {device.ThrottleSetting, "by a clock that somebody set"},
}

// onDevices sums up what devices did in a run, by device and arm in the order in which the
// trials met them.
func onDevices(run *record.Run) []onDevice {
	var all []onDevice
	uncounted := run.Uncounted()
	for i := range run.Trials {
		t := &run.Trials[i]
		if uncounted[t.ID] || t.Samples == nil {
			continue
		}
		for _, d := range run.Devices {
			if !t.Samples.Uses(d.Name) || len(t.Devices) > 0 && !slices.Contains(t.Devices, d.ID) {
				continue
			}
			at := slices.IndexFunc(all, func(x onDevice) bool { return x.arm == t.Arm && x.device == d.Name && x.model == d.Model })
			if at < 0 {
				at = len(all)
				all = append(all, onDevice{arm: t.Arm, device: d.Name, model: d.Model})
			}
			all[at].add(run, t, d)
		}
	}
	slices.SortStableFunc(all, func(a, b onDevice) int { return cmp.Compare(a.device, b.device) })
	return all
}

// add counts a trial.
func (o *onDevice) add(run *record.Run, t *record.Trial, d record.Device) {
	load := func(quantity int) []float64 {
		return disturbance.InLoad(t.Samples, d.Series(device.Names[quantity].Name))
	}
	o.trials++
	if v := load(device.Clock); len(v) > 0 {
		o.clock = append(o.clock, average(v))
	}
	if v := load(device.Power); len(v) > 0 {
		o.power = append(o.power, average(v))
		if perToken, ok := joulesPerToken(run, t, average(v)); ok {
			o.joules = append(o.joules, perToken)
		}
	}
	for _, v := range load(device.Temperature) {
		o.hottest = max(o.hottest, v)
	}
	for _, v := range t.Samples.Series[d.Series(device.Names[device.Memory].Name)] { // also before the load
		o.memory = max(o.memory, v)
	}
	for reason, by := range throttling {
		if v := load(by.quantity); len(v) > 0 {
			o.throttlingTold = true
			if average(v) > throttledShare {
				o.throttled[reason]++
			}
		}
	}
}

// joulesPerToken divides power by tokens per second: those that a load generated, or those
// of a trial of llama-bench that has one test, whose time is not shared with another.
func joulesPerToken(run *record.Run, t *record.Trial, watts float64) (float64, bool) {
	metric := record.OutputTPS
	if _, serves := t.Measurement(metric); !serves {
		at := slices.IndexFunc(run.Cells, func(c record.Cell) bool { return c.Key == t.Cell })
		if at < 0 || len(run.Cells[at].Metrics) != 1 || run.Cells[at].Metrics[0].Unit != "tok/s" {
			return 0, false
		}
		metric = run.Cells[at].Metrics[0].Name
	}
	m, ok := t.Measurement(metric)
	if !ok || m.Censored {
		return 0, false
	}
	speed := average(m.Values)
	return watts / speed, speed > 0 && !math.IsInf(watts/speed, 0)
}

func average(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// devicesFact says of each device what it did for each arm; nil where none was used.
func devicesFact(run *record.Run) Text {
	var each []Text
	all := onDevices(run)
	for _, o := range all[:min(len(all), mostOnDevices)] {
		var did []string
		if len(o.clock) > 0 {
			did = append(did, significant(average(o.clock), 4)+" MHz")
		}
		if len(o.power) > 0 {
			did = append(did, significant(average(o.power), 3)+" W")
		}
		if len(o.joules) > 0 {
			did = append(did, significant(average(o.joules), 3)+" J a token")
		}
		if o.hottest > 0 {
			did = append(did, "at most "+significant(o.hottest, 3)+" °C")
		}
		if o.memory > 0 {
			did = append(did, "at most "+significant(o.memory/(1<<30), 3)+" GiB of its memory in use")
		}
		did = append(did, o.reasons()...)
		each = append(each, concat(quote(o.arm), say(" on "), quote(strings.TrimSpace(o.device+" "+o.model)), say(": %s", strings.Join(did, ", "))))
	}
	if n := len(all) - mostOnDevices; n > 0 {
		each = append(each, say("%d more", n))
	}
	return join("; ", each...)
}

// reasons says how often the device was throttled, reason by reason.
func (o *onDevice) reasons() (list []string) {
	for reason, n := range o.throttled {
		if n > 0 {
			list = append(list, fmt.Sprintf("throttled %s in %d of %s", throttling[reason].words, n, plural(o.trials, "trial")))
		}
	}
	if len(list) == 0 && o.throttlingTold {
		list = append(list, "never throttled")
	}
	return list
}

// throttledNotes says where one arm's trials were throttled more often than another's:
// what the one build does to the device, or what only its trials met, and which of the two
// no figure tells.
func throttledNotes(runs []*record.Run) (notes []Text) {
	byDevice := make(map[string][]onDevice)
	var order []string
	for _, run := range runs {
		for _, o := range onDevices(run) {
			key := o.device + " " + o.model
			if byDevice[key] == nil {
				order = append(order, key)
			}
			byDevice[key] = append(byDevice[key], o)
		}
	}
	for _, key := range order {
		for reason, by := range throttling {
			if note := throttledNote(key, byDevice[key], reason, by.words); note != nil && len(notes) < mostOnDevices {
				notes = append(notes, note)
			}
		}
	}
	return notes
}

func throttledNote(device string, arms []onDevice, reason int, words string) Text {
	least, largest := 1.0, 0.0
	var each []Text
	for _, o := range arms {
		share := float64(o.throttled[reason]) / float64(max(1, o.trials))
		least, largest = min(least, share), max(largest, share)
		each = append(each, concat(say("%d of %d trials of ", o.throttled[reason], o.trials), quote(o.arm)))
	}
	if len(arms) < 2 || largest-least < 0.25 {
		return nil
	}
	t := concat(quote(strings.TrimSpace(device)), say(" was throttled %s in ", words), join(", in ", each...))
	if reason == forPower {
		return concat(t, say(". What a build draws is its own doing, so this is a part of the change and no disturbance."))
	}
	return concat(t, say(". Conditions that only one side met are not taken out of a comparison: measure again when the device is cool and alone."))
}
