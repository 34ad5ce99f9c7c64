package host

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"
)

const (
	ticksPerSecond = 100 // of the times in /proc, whatever the kernel's own clock
	mostProcessors = 16  // that are asked for their frequency and throttling
	mostSensors    = 8
)

// A machine is the kernel's files about the machine as a whole, and what they
// told when they were last read.
type machine struct {
	stat, vmstat *probe
	pressure     [3]*probe // cpu, memory, io
	frequency    []*probe
	temperature  []*probe
	throttle     []*probe
	energy       []energyPackage

	busy, steal, total float64 // ticks
	waited             [3]float64
	swapIn, throttled  float64
}

// A energyPackage is one processor package with a counter of its energy.
type energyPackage struct {
	energy *probe
	most   float64 // µJ at which the counter begins again
	last   float64
}

func newMachine(t tree) *machine {
	m := &machine{stat: t.probe("proc/stat", 256), vmstat: t.probe("proc/vmstat", 32<<10)}
	for i, of := range []string{"cpu", "memory", "io"} {
		m.pressure[i] = t.probe("proc/pressure/"+of, 256)
	}
	for _, n := range evenly(t.online(), mostProcessors) {
		cpu := fmt.Sprintf("sys/devices/system/cpu/cpu%d/", n)
		m.frequency = t.appendProbe(m.frequency, cpu+"cpufreq/scaling_cur_freq")
		m.throttle = t.appendProbe(m.throttle, cpu+"thermal_throttle/core_throttle_count")
		m.throttle = t.appendProbe(m.throttle, cpu+"thermal_throttle/package_throttle_count")
	}
	m.temperature = t.processorSensors()
	zones, _ := fs.Glob(t.FS, "sys/class/powercap/intel-rapl:*") // AMD's have this name too
	for _, zone := range zones {
		if strings.Count(zone, ":") != 1 { // a part of a package
			continue
		}
		most, ok := wholeNumber([]byte(t.text(zone + "/max_energy_range_uj")))
		if p := t.probe(zone+"/energy_uj", 32); p != nil && ok && len(m.energy) < mostSensors {
			m.energy = append(m.energy, energyPackage{energy: p, most: most})
		}
	}
	return m
}

func (t tree) appendProbe(list []*probe, name string) []*probe {
	if p := t.probe(name, 32); p != nil {
		list = append(list, p)
	}
	return list
}

// evenly picks at most n of a list, spread over it.
func evenly(list []int, n int) []int {
	if len(list) <= n {
		return list
	}
	picked := make([]int, n)
	for i := range picked {
		picked[i] = list[i*len(list)/n]
	}
	return picked
}

// processorSensors are the temperatures of processor packages: by the drivers
// made for them, else by thermal zones, of which others may be slow to ask.
func (t tree) processorSensors() []*probe {
	var list []*probe
	drivers, _ := fs.Glob(t.FS, "sys/class/hwmon/hwmon*")
	for _, dir := range drivers {
		if slices.Contains([]string{"coretemp", "k10temp", "zenpower", "cpu_thermal"}, t.text(dir+"/name")) {
			list = t.appendProbe(list, dir+"/temp1_input")
		}
	}
	if len(list) == 0 {
		zones, _ := fs.Glob(t.FS, "sys/class/thermal/thermal_zone*")
		for _, dir := range zones {
			kind := t.text(dir + "/type")
			if kind == "x86_pkg_temp" || strings.HasPrefix(strings.ToLower(kind), "cpu") {
				list = t.appendProbe(list, dir+"/temp")
			}
		}
	}
	return list[:min(len(list), mostSensors)]
}

// read fills in what the machine did in the time passed since it was last read.
func (m *machine) read(r reading, passed time.Duration) {
	seconds := passed.Seconds()
	if busy, stolen, total, ok := parseCPU(m.stat.read()); ok {
		r[cpuMachine] = max(0, busy-m.busy) / ticksPerSecond / seconds
		r[steal] = 0
		if total > m.total {
			r[steal] = min(1, max(0, stolen-m.steal)/(total-m.total))
		}
		m.busy, m.steal, m.total = busy, stolen, total
	}
	for i, p := range m.pressure {
		// The first line is "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345", in µs.
		if line, _, _ := bytes.Cut(p.read(), []byte("\n")); bytes.HasPrefix(line, []byte("some")) {
			if total, ok := numberAfter(line, "total="); ok {
				r[psiCPU+i] = min(1, max(0, total-m.waited[i])/1e6/seconds)
				m.waited[i] = total
			}
		}
	}
	if pages, ok := numberAfter(m.vmstat.read(), "pswpin"); ok {
		r[swapIn] = max(0, pages-m.swapIn)
		m.swapIn = pages
	}
	r[frequency] = average(m.frequency) / 1e3 // kHz
	r[temperature] = highest(m.temperature) / 1e3
	if n, ok := total(m.throttle); ok {
		r[throttled] = max(0, n-m.throttled)
		m.throttled = n
	}
	for i := range m.energy {
		m.energy[i].read(&r[energy])
	}
}

// read adds the package's energy since it was last read, in J.
func (p *energyPackage) read(joules *float64) {
	now, ok := p.energy.number()
	if !ok {
		return
	}
	used := now - p.last
	if used < 0 {
		used += p.most
	}
	if math.IsNaN(*joules) {
		*joules = 0
	}
	*joules += max(0, used) / 1e6
	p.last = now
}

// parseCPU reads the first line of /proc/stat, in ticks: user nice system idle
// iowait irq softirq steal, and guest times that user and nice hold already.
func parseCPU(text []byte) (busy, stolen, total float64, ok bool) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 9 || string(fields[0]) != "cpu" {
		return 0, 0, 0, false
	}
	var ticks [8]float64
	for i := range ticks {
		if ticks[i], ok = wholeNumber(fields[i+1]); !ok {
			return 0, 0, 0, false
		}
		total += ticks[i]
	}
	return ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6], ticks[7], total, true
}

// average is the mean of the probes that tell a number, NaN when none does.
func average(probes []*probe) float64 {
	sum, n := 0.0, 0.0
	for _, p := range probes {
		if v, ok := p.number(); ok {
			sum += v
			n++
		}
	}
	return sum / n
}

// total is the sum over the probes, known when all of them tell a number.
func total(probes []*probe) (sum float64, ok bool) {
	for _, p := range probes {
		v, ok := p.number()
		if !ok {
			return 0, false
		}
		sum += v
	}
	return sum, len(probes) > 0
}

// highest is the largest number of the probes, NaN when none tells one.
func highest(probes []*probe) float64 {
	most := math.NaN()
	for _, p := range probes {
		if v, ok := p.number(); ok && !(v <= most) {
			most = v
		}
	}
	return most
}

func (m *machine) close() {
	for _, list := range [][]*probe{{m.stat, m.vmstat}, m.pressure[:], m.frequency, m.temperature, m.throttle} {
		for _, p := range list {
			p.close()
		}
	}
	for _, p := range m.energy {
		p.energy.close()
	}
}
