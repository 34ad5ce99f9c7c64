package device

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// amd reads a card of amdgpu. Source: the kernel's Documentation/gpu/amdgpu/thermal.rst
// and driver-misc.rst. Why it is slowed down is told in a binary file of which every
// generation has another form (gpu_metrics), and is left out.
func (t tree) amd(dir string, d *record.Device, c *card) {
	dev, mon := dir+"/device/", t.first(dir+"/device/hwmon/hwmon*")+"/"
	d.Vendor, d.VBIOS = "amd", proc.OneLine(t.text(dev+"vbios_version"), 60)
	if name := t.text(dev + "product_name"); name != "" {
		d.Model = proc.OneLine(name, 120)
	}
	if id := t.text(dev + "unique_id"); id != "" {
		d.ID = "AMD-" + proc.OneLine(id, 60)
	}
	if bytes := t.number(dev + "mem_info_vram_total"); bytes > 0 && bytes <= most[Memory] {
		d.MemoryBytes = int64(bytes)
	}
	d.PowerLimit, d.Default = t.scaled(mon+"power1_cap", 1e-6), t.scaled(mon+"power1_cap_default", 1e-6)
	d.Slowdown = t.scaled(mon+"temp1_crit", 1e-3)
	d.Link = linkOf(t.text(dev+"max_link_speed"), t.text(dev+"max_link_width"))
	d.LinkNow = linkOf(t.text(dev+"current_link_speed"), t.text(dev+"current_link_width"))
	c.sensors = []sensor{
		{Busy, dev + "gpu_busy_percent", 0.01}, {Memory, dev + "mem_info_vram_used", 1},
		{Temperature, mon + "temp1_input", 1e-3}, {Power, t.first(mon+"power1_average", mon+"power1_input"), 1e-6},
		{Clock, mon + "freq1_input", 1e-6}, {MemoryClock, mon + "freq2_input", 1e-6},
	}
	c.more = func(s *State) { // cards without freq*_input mark the step that they are at
		for _, step := range []struct {
			quantity int
			file     string
		}{{Clock, dev + "pp_dpm_sclk"}, {MemoryClock, dev + "pp_dpm_mclk"}} {
			if math.IsNaN(s[step.quantity]) {
				s.set(step.quantity, marked(t.text(step.file)))
			}
		}
	}
}

// marked is the step with a star of a file such as "0: 300Mhz \n1: 588Mhz *"; NaN for none.
func marked(text string) float64 {
	for line := range strings.SplitSeq(text, "\n") {
		if value, ok := strings.CutSuffix(strings.TrimSpace(line), "*"); ok {
			_, value, _ = strings.Cut(value, ":")
			return number(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(value)), "mhz"))
		}
	}
	return math.NaN()
}

// scaled is a file's number in another unit, nil where there is none above 0.
func (t tree) scaled(file string, factor float64) *float64 {
	if v := t.number(file) * factor; v > 0 && v < 1e6 {
		return &v
	}
	return nil
}

// generations of PCI Express, by GT/s.
var generations = map[string]int{"2.5": 1, "5.0": 2, "5": 2, "8.0": 3, "16.0": 4, "32.0": 5, "64.0": 6}

// linkOf reads "16.0 GT/s PCIe" and "16".
func linkOf(speed, width string) string {
	number, _, _ := strings.Cut(speed, " ")
	lanes, err := strconv.Atoi(width)
	if g := generations[number]; g > 0 && err == nil && lanes > 0 {
		return "gen " + strconv.Itoa(g) + " x" + width
	}
	return ""
}

// intel reads a card of i915 or xe. Source: the kernel's Documentation/ABI/testing/
// sysfs-driver-intel-i915-hwmon, sysfs-driver-intel-xe-hwmon, xe_gt_freq.c, xe_gt_throttle.c
// and i915's intel_gt_sysfs_pm.c. The clock of a device that sleeps is 0.
func (t tree) intel(driver, dir string, d *record.Device, c *card) {
	mon := t.first(dir+"/device/hwmon/hwmon*") + "/"
	d.Vendor = "intel"
	clock, why := dir+"/device/tile0/gt0/freq0/act_freq", dir+"/device/tile0/gt0/freq0/throttle/"
	reason, limit := "reason_", "rp0_freq"
	if driver == "i915" {
		clock = t.first(dir+"/gt/gt0/rps_act_freq_mhz", dir+"/gt_act_freq_mhz")
		why, reason, limit = dir+"/gt/gt0/", "throttle_reason_", "gt_RP0_freq_mhz"
	}
	d.MostClock = t.scaled(cmp.Or(t.first(dir+"/device/tile0/gt0/freq0/"+limit, dir+"/"+limit), "none"), 1)
	d.PowerLimit = t.scaled(cmp.Or(t.first(mon+"power1_max", mon+"power1_crit"), "none"), 1e-6)
	d.Default = t.scaled(mon+"power1_rated_max", 1e-6)
	d.Slowdown = t.scaled(t.first(mon+"temp2_crit", mon+"temp1_crit"), 1e-3)
	c.sensors = []sensor{{Clock, clock, 1}, {Temperature, t.first(mon+"temp2_input", mon+"temp1_input"), 1e-3}}
	c.energy.file = t.first(mon + "energy1_input")
	c.idle.file = t.first(dir+"/device/tile0/gt0/gtidle/idle_residency_ms", dir+"/gt/gt0/rc6_residency_ms", dir+"/power/rc6_residency_ms")
	c.more = func(s *State) {
		for _, r := range []struct {
			quantity int
			names    []string
		}{
			{ThrottlePower, []string{"pl1", "pl2", "pl4", "vr_tdc"}},
			{ThrottleThermal, []string{"thermal", "ratl", "vr_thermalert"}},
			{ThrottleBrake, []string{"prochot"}},
		} {
			for _, name := range r.names {
				if v := t.number(why + reason + name); !math.IsNaN(v) && !(s[r.quantity] > 0) {
					s.set(r.quantity, min(1, v))
				}
			}
		}
	}
}
