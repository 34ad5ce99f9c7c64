package host

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// limits fills in the hard keys of what bounds the processor's and graphics
// card's speed: a machine whose limits were changed is another machine.
func (t tree) limits(k keys) {
	if f := t.turbo(); f.Severity != Unknown {
		k.set("turbo", f.Found)
	}
	k.set("clock_limit", t.clockLimit())
	k.set("power_limit", t.powerLimit("sys/class/powercap/intel-rapl:*/constraint_0_power_limit_uw"))
	k.set("gpu_power_limit", t.powerLimit("sys/class/drm/card*/device/hwmon/hwmon*/power1_cap"))
}

// clockLimit is the highest clock that the processors may take, where that is
// set lower than what they could: "3.5 GHz", with several kinds of cores the
// limit of each; "none" where it is not.
func (t tree) clockLimit() string {
	limits, limited := make(map[string]bool), false
	for _, n := range t.online() {
		dir := fmt.Sprintf(cpus+"cpu%d/cpufreq/", n)
		now, ok1 := wholeNumber([]byte(t.text(dir + "scaling_max_freq")))
		could, ok2 := wholeNumber([]byte(t.text(dir + "cpuinfo_max_freq")))
		if ok1 && ok2 {
			limited = limited || now < could
			limits[fmt.Sprintf("%.2f GHz", now/1e6)] = true // kHz
		}
	}
	switch {
	case len(limits) == 0:
		return ""
	case !limited:
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(limits)), ", ")
}

// powerLimit lists limits in µW as whole watts, "65 W", several of one kind as
// "2 x 65 W".
func (t tree) powerLimit(pattern string) string {
	files, _ := fs.Glob(t.FS, pattern)
	var watts []string
	for _, file := range files {
		if strings.Count(file, ":") > 1 { // a part of a package
			continue
		}
		if uw, ok := wholeNumber([]byte(t.text(file))); ok && uw > 0 {
			watts = append(watts, fmt.Sprintf("%.0f W", uw/1e6))
		}
	}
	return counted(watts)
}

// runnerClass is what kind of runner a CI job got: its own name for it, else
// GitHub's word, "github-hosted" or "self-hosted", with the image's name. ""
// outside of CI.
func runnerClass(getenv func(string) string) string {
	return cmp.Or(getenv("LLAMA_REGRESS_RUNNER_CLASS"), strings.TrimSpace(getenv("RUNNER_ENVIRONMENT")+" "+getenv("ImageOS")))
}

// surroundings fills in soft keys: settings of the kernel, memory and warmth.
func (t tree) surroundings(k keys) {
	k.set("memory_speed", t.memorySpeed())
	k.set("transparent_hugepages", chosen(t.text("sys/kernel/mm/transparent_hugepage/enabled")))
	if t.text("proc/sys/kernel/numa_balancing") != "" && len(t.set("sys/devices/system/node/online")) > 1 {
		k.set("numa_balancing", t.text("proc/sys/kernel/numa_balancing"))
	}
	k.set("clocksource", t.text("sys/devices/system/clocksource/clocksource0/current_clocksource"))
	k.set("kernel_options", t.kernelOptions())
	probes := t.processorSensors()
	if c := highest(probes) / 1e3; !math.IsNaN(c) {
		// To tens: a machine is never twice at the same degree.
		k.set("start_temperature", fmt.Sprintf("about %.0f °C", 10*math.Round(c/10)))
	}
	for _, p := range probes {
		p.close()
	}
}

// speedOptions are the kernel's options that change how fast programs run; the
// rest of its command line names disks and consoles.
var speedOptions = []string{
	"isolcpus", "nohz", "nohz_full", "rcu_nocbs", "mitigations", "nosmt", "maxcpus", "intel_pstate", "amd_pstate", "intel_idle.max_cstate",
	"processor.max_cstate", "idle", "transparent_hugepage", "hugepages", "hugepagesz", "default_hugepagesz", "numa_balancing", "preempt", "clocksource", "tsc",
}

func (t tree) kernelOptions() string {
	var options []string
	for option := range strings.FieldsSeq(t.text("proc/cmdline")) {
		if name, _, _ := strings.Cut(option, "="); slices.Contains(speedOptions, name) {
			options = append(options, option)
		}
	}
	slices.Sort(options)
	return strings.Join(options, " ")
}

// memorySpeed is what the memory modules are clocked at, "8 x 4800 MT/s", where
// this process may read the firmware's table (mostly as root): the structure of
// type 17 of the System Management BIOS, configured speed at 0x20 (DSP0134 7.18).
func (t tree) memorySpeed() string {
	files, _ := fs.Glob(t.FS, "sys/firmware/dmi/entries/17-*/raw")
	var speeds []string
	for _, file := range files {
		f, err := t.Open(file)
		if err != nil {
			continue
		}
		raw, _ := io.ReadAll(io.LimitReader(f, 256))
		f.Close()
		if len(raw) < 0x22 || raw[1] < 0x22 { // raw[1]: length of the structure
			continue
		}
		if speed := binary.LittleEndian.Uint16(raw[0x20:]); speed > 0 && speed < math.MaxUint16 {
			speeds = append(speeds, strconv.Itoa(int(speed))+" MT/s")
		}
	}
	return counted(speeds)
}
