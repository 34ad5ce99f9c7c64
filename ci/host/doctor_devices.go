package host

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// leastHeadroom is how many °C an idle device should be below the temperature at which
// it slows itself down.
const leastHeadroom = 20

// accelerators are the questions about devices, none on a machine without any.
func (e *examination) accelerators() []question {
	if len(e.devices) == 0 {
		return nil
	}
	return []question{
		{"gpu_persistence", e.persistence}, {"gpu_power_limit", e.devicePower}, {"gpu_display", e.display}, {"gpu_programs", e.devicePrograms},
		{"gpu_ecc", e.ecc}, {"gpu_heat", e.deviceHeat}, {"gpu_link", e.link}, {"aspm", e.tree.aspm},
	}
}

// each collects a sentence about each device of which there is something to say.
func (e *examination) each(say func(i int, d record.Device) string) []string {
	var all []string
	for i, d := range e.devices {
		if text := say(i, d); text != "" {
			all = append(all, d.Name+" "+text)
		}
	}
	return all
}

// has reports whether any device tells of something.
func (e *examination) has(tells func(record.Device) bool) bool {
	return slices.ContainsFunc(e.devices, tells)
}

func (e *examination) persistence() Finding {
	off := e.each(func(_ int, d record.Device) string {
		if d.Persistence == "Disabled" {
			return d.Model
		}
		return ""
	})
	switch {
	case !e.has(func(d record.Device) bool { return d.Persistence != "" }):
		return unknown("only NVIDIA's driver has it")
	case len(off) == 0:
		return fine("on")
	}
	return Finding{
		Severity: Soft, Found: "off: " + proc.List(off, mostNamed),
		Why:    "the driver shuts the device down when the last program on it ends, so each trial begins by starting it again, with limits and clocks of its own",
		Change: "sudo nvidia-smi -pm 1 (until the next start of the machine; the service nvidia-persistenced keeps it)",
	}
}

func (e *examination) devicePower() Finding {
	change := ""
	below := e.each(func(i int, d record.Device) string {
		if d.PowerLimit == nil || d.Default == nil || *d.PowerLimit >= *d.Default-0.5 {
			return ""
		}
		if change == "" && d.Vendor == "nvidia" {
			change = fmt.Sprintf("sudo nvidia-smi -i %d -pl %.0f", i, *d.Default) // NVIDIA's devices come first, in its own order
		} else if change == "" {
			change = fmt.Sprintf("echo %.0f | sudo tee /sys/bus/pci/devices/%s/hwmon/hwmon*/power1_cap", *d.Default*1e6, d.PCI)
		}
		return fmt.Sprintf("%.0f W of %.0f W", *d.PowerLimit, *d.Default)
	})
	switch {
	case !e.has(func(d record.Device) bool { return d.PowerLimit != nil && d.Default != nil }):
		return unknown("not told")
	case len(below) == 0:
		return fine("as the maker set it")
	}
	return Finding{
		Severity: Soft, Found: "below the default: " + proc.List(below, mostNamed),
		Why:    "the clock falls when a load reaches the limit: these are the numbers of a slower device, and a build that draws more power is slower here than elsewhere",
		Change: change,
	}
}

func (e *examination) display() Finding {
	on := e.each(func(_ int, d record.Device) string {
		if d.Display == "Enabled" {
			return "drives a screen"
		}
		return ""
	})
	switch {
	case !e.has(func(d record.Device) bool { return d.Display != "" }):
		return unknown("not told")
	case len(on) == 0:
		return fine("no device drives a screen")
	}
	return Finding{
		Severity: Soft, Found: proc.List(on, mostNamed),
		Why:    "what is drawn takes memory and time of the device, more when somebody works at the screen",
		Change: "attach the screen to another device, or stop the desktop: sudo systemctl isolate multi-user.target",
	}
}

func (e *examination) devicePrograms() Finding {
	var found []string
	for _, p := range e.onDevices {
		text := fmt.Sprintf("%s (%d) on %s", oneLine(p.Name, 40), p.PID, p.Device)
		if p.Memory >= 0 {
			text += fmt.Sprintf(", %.0f MiB", p.Memory/(1<<20))
		}
		if p.Busy >= 0 {
			text += fmt.Sprintf(", %.0f%% busy", 100*p.Busy)
		}
		found = append(found, text)
	}
	hidden := e.each(func(i int, d record.Device) string {
		if i < len(e.states) && e.states[i][device.Busy] >= usedShare && !slices.ContainsFunc(e.onDevices, func(p device.Process) bool { return p.Device == d.Name }) {
			return fmt.Sprintf("is %.0f%% busy with something that is not to be seen from here", 100*e.states[i][device.Busy])
		}
		return ""
	})
	if found = append(found, hidden...); len(found) == 0 {
		return fine("none is to be seen")
	}
	return Finding{
		Severity: Soft, Found: proc.List(found, mostNamed),
		Why:    "what they take of a device's memory and time is missing in some trials and not in others",
		Change: "stop them, or measure on another device: CUDA_VISIBLE_DEVICES, or devices in params",
	}
}

func (e *examination) ecc() Finding {
	modes := make(map[string]bool)
	told := e.each(func(_ int, d record.Device) string {
		if d.ECC != "" {
			modes[d.ECC] = true
		}
		return strings.ToLower(d.ECC)
	})
	switch {
	case len(told) == 0:
		return unknown("not told, or the devices have none")
	case len(modes) == 1 && modes["Disabled"]:
		return fine("off")
	case len(modes) == 1:
		return fine("on: on devices with GDDR memory it takes part of the memory and of its speed, so keep it as it is from one session to the next")
	}
	return Finding{
		Severity: Soft, Found: proc.List(told, mostNamed),
		Why:    "equal devices differ in memory and its speed, and which of them a trial gets decides its numbers",
		Change: "sudo nvidia-smi -e 0 (or 1), then start the machine anew",
	}
}

func (e *examination) deviceHeat() Finding {
	told := false
	hot := e.each(func(i int, d record.Device) string {
		if d.Slowdown == nil || i >= len(e.states) || !(e.states[i][device.Temperature] > 0) {
			return ""
		}
		told = true
		if room := *d.Slowdown - e.states[i][device.Temperature]; room < leastHeadroom {
			return fmt.Sprintf("is at %.0f °C and slows down at %.0f °C", e.states[i][device.Temperature], *d.Slowdown)
		}
		return ""
	})
	switch {
	case !told:
		return unknown("not told")
	case len(hot) == 0:
		return fine(fmt.Sprintf("at least %d °C below where they slow down", leastHeadroom))
	}
	return Finding{
		Severity: Soft, Found: proc.List(hot, mostNamed),
		Why:    "a few minutes of load bring it to that temperature, and the later trials of a session run at lower clocks",
		Change: "let it cool down, look at fans and air, or wait before trials: sampling: {cool_below: {gpu: 60}}",
	}
}

func (e *examination) link() Finding {
	lanes := func(link string) string {
		_, width, _ := strings.Cut(link, " x")
		return width
	}
	narrow := e.each(func(_ int, d record.Device) string {
		if most, now := lanes(d.Link), lanes(d.LinkNow); most != "" && now != "" && most != now {
			return fmt.Sprintf("has %s of %s lanes", now, most)
		}
		return ""
	})
	switch {
	case !e.has(func(d record.Device) bool { return d.Link != "" && d.LinkNow != "" }):
		return unknown("not told")
	case len(narrow) == 0:
		return fine("all lanes")
	}
	return Finding{
		Severity: Soft, Found: proc.List(narrow, mostNamed),
		Why:    "models load more slowly, and layers that stay in the machine's memory, or are split between devices, run more slowly",
		Change: "use a slot with all lanes, or take the card out and put it in again; if it was always so, keep it so",
	}
}

// aspm says whether links to devices fall asleep.
func (t tree) aspm() Finding {
	const file = "sys/module/pcie_aspm/parameters/policy"
	switch policy := chosen(t.text(file)); policy {
	case "":
		return unknown("not told")
	case "powersave", "powersupersave":
		return Finding{
			Severity: Soft, Found: policy,
			Why:      "the link to a device falls asleep between transfers, and waking it adds microseconds to each of many small ones",
			Change:   "echo performance | sudo tee /" + file,
			Settings: []Setting{{"/" + file, "performance"}},
		}
	default:
		return fine(policy)
	}
}
