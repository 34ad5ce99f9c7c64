package host

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const cpus = "sys/devices/system/cpu/"

func (t tree) governors() Finding {
	of := make(map[string]int)
	var change []Setting
	for _, n := range t.online() {
		dir := fmt.Sprintf(cpus+"cpu%d/cpufreq/", n)
		governor := t.text(dir + "scaling_governor")
		if governor == "" {
			continue
		}
		of[governor]++
		choices := strings.Fields(t.text(dir + "scaling_available_governors"))
		if governor != "performance" && (len(choices) == 0 || slices.Contains(choices, "performance")) {
			change = append(change, Setting{"/" + dir + "scaling_governor", "performance"})
		}
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		found = append(found, fmt.Sprintf("%s on %d processors", name, of[name]))
	}
	switch {
	case len(of) == 0:
		return unknown("no clock control is to be seen: a hypervisor or the firmware decides")
	case of["performance"] > 0 && len(of) == 1:
		return fine(strings.Join(found, ", "))
	}
	return Finding{
		Severity: Soft, Found: strings.Join(found, ", "), Settings: change,
		Why:    "the clock follows the load of the moment before, so the first passes of a trial run slower than the last",
		Change: "echo performance | sudo tee /" + cpus + "cpu*/cpufreq/scaling_governor",
	}
}

// turbo is not a Setting that Fix writes: without it all numbers are others
// than those that users of the machine get.
func (t tree) turbo() Finding {
	f := Finding{Severity: Soft, Found: "on", Why: "the clock depends on temperature and on how many cores work: a warm machine is a slower one"}
	for _, way := range []struct{ file, on, off string }{
		{cpus + "intel_pstate/no_turbo", "0", "1"},
		{cpus + "cpufreq/boost", "1", "0"},
	} {
		switch t.text(way.file) {
		case way.on:
			f.Change = fmt.Sprintf("echo %s | sudo tee /%s", way.off, way.file)
			return f
		case way.off:
			return fine("off")
		}
	}
	return unknown("no clock control is to be seen")
}

func (t tree) smt() Finding {
	switch t.text(cpus + "smt/active") {
	case "0":
		return fine("one hardware thread a core")
	case "1":
		return Finding{
			Severity: Soft, Found: "several hardware threads a core",
			Why:    "whatever runs on the other thread of a core takes from it what it can",
			Change: "use as many threads as there are cores (the default), or: echo off | sudo tee /" + cpus + "smt/control",
		}
	}
	return unknown("not told")
}

func (t tree) numaBalancing() Finding {
	nodes, on := len(t.set("sys/devices/system/node/online")), t.text("proc/sys/kernel/numa_balancing")
	switch {
	case nodes == 1:
		return fine("one NUMA node")
	case nodes == 0 || on == "":
		return unknown("not told")
	case on == "0":
		return fine(fmt.Sprintf("off, %d NUMA nodes", nodes))
	}
	return Finding{
		Severity: Soft, Found: fmt.Sprintf("on, %d NUMA nodes", nodes),
		Why:      "the kernel unmaps and moves pages of weights while they are read",
		Change:   "echo 0 | sudo tee /proc/sys/kernel/numa_balancing",
		Settings: []Setting{{"/proc/sys/kernel/numa_balancing", "0"}},
	}
}

// chosen is the word in brackets of a kernel file such as "always [madvise] never".
func chosen(text string) string {
	_, rest, _ := strings.Cut(text, "[")
	word, _, _ := strings.Cut(rest, "]")
	return word
}

func (t tree) hugePages() Finding {
	const file = "sys/kernel/mm/transparent_hugepage/enabled"
	switch mode := chosen(t.text(file)); mode {
	case "":
		return unknown("not told")
	case "madvise", "never":
		return fine(mode)
	default:
		return Finding{
			Severity: Soft, Found: mode,
			Why:      "a process gets huge pages when the kernel finds some, so equal processes differ by the memory's history",
			Change:   "echo madvise | sudo tee /" + file,
			Settings: []Setting{{"/" + file, "madvise"}},
		}
	}
}

// addressLayout likes randomness: each process then draws its own layout, and a
// trial is a process, so that its luck is part of the spread that is estimated.
func (t tree) addressLayout() Finding {
	switch level := t.text("proc/sys/kernel/randomize_va_space"); level {
	case "":
		return unknown("not told")
	case "0":
		return Finding{
			Severity: Soft, Found: "off",
			Why:    "every process has the same layout of memory, and a build that is lucky with it stays lucky in all trials",
			Change: "echo 2 | sudo tee /proc/sys/kernel/randomize_va_space",
		}
	default:
		return fine("on: each trial draws a layout of its own")
	}
}

func (t tree) clockSource() Finding {
	const dir = "sys/devices/system/clocksource/clocksource0/"
	now, choices := t.text(dir+"current_clocksource"), strings.Fields(t.text(dir+"available_clocksource"))
	switch {
	case now == "":
		return unknown("not told")
	case !slices.Contains([]string{"hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit"}, now):
		return fine(now)
	}
	f := Finding{Severity: Soft, Found: now, Why: "each look at the clock is a slow call into the kernel or coarse", Change: "find out why the kernel gave up tsc: dmesg | grep -i clocksource"}
	if slices.Contains(choices, "tsc") {
		f.Change = "echo tsc | sudo tee /" + dir + "current_clocksource"
	}
	return f
}

func (t tree) isolated() Finding {
	for option := range strings.FieldsSeq(t.text("proc/cmdline")) {
		if list, ok := strings.CutPrefix(option, "isolcpus="); ok {
			return Finding{
				Severity: Soft, Found: "isolcpus=" + list,
				Why:    "sched_ext schedulers do not load beside it, and threads are not spread over those processors",
				Change: "remove isolcpus from the kernel's command line; pin with cpusets or taskset instead",
			}
		}
	}
	if t.text("proc/cmdline") == "" {
		return unknown("the kernel's command line is not told")
	}
	return fine("none")
}

func (t tree) cpuQuota() Finding {
	quota, known := t.quota()
	switch {
	case !known:
		return unknown("not told")
	case quota > 1e6:
		return fine("none")
	}
	return Finding{
		Severity: Soft, Found: fmt.Sprintf("%.3g processors of %d", quota, len(t.online())),
		Why:    "who has used up the quota is stopped for the rest of each tenth of a second",
		Change: "run the job without a CPU limit (docker run without --cpus); give it processors of its own instead (--cpuset-cpus)",
	}
}

// cpuset is no fault: processors of one's own are the right way to share a machine.
func (t tree) cpuset() Finding {
	allowed, online := t.allowed(), t.online()
	switch {
	case allowed == nil || online == nil:
		return unknown("not told")
	case len(allowed) < len(online):
		return fine(fmt.Sprintf("%d of %d processors", len(allowed), len(online)))
	}
	return fine(fmt.Sprintf("all %d processors", len(online)))
}

func (t tree) container() Finding {
	soft := keys{}
	t.soft(soft)
	switch {
	case soft["container"] != "":
		return fine("in a container (" + soft["container"] + ")")
	case t.exists("proc"):
		return fine("none to be seen")
	}
	return unknown("not told")
}
