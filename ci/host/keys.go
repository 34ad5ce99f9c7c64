package host

import (
	"fmt"
	"io/fs"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// hard fills in what changes a measurement.
func (t tree) hard(k keys) {
	k.set("kernel", majorMinor(t.text("proc/sys/kernel/osrelease")))
	k.set("cpu", t.cpuName())
	k.set("cpu_features", t.cpuFeatures())
	k.set("cpu_kinds", t.cpuKinds())
	online := t.online()
	if len(online) > 0 {
		k.set("cpu_logical", strconv.Itoa(len(online)))
		k.set("cpu_physical", strconv.Itoa(len(t.cores(online))))
	}
	if allowed := t.allowed(); allowed != nil {
		k.set("cpu_allowed", strconv.Itoa(len(allowed)))
	}
	if quota, known := t.quota(); known && math.IsInf(quota, 1) {
		k.set("cpu_quota", "none")
	} else if known {
		k.set("cpu_quota", strconv.FormatFloat(quota, 'f', -1, 64))
	}
	if nodes := t.set("sys/devices/system/node/online"); nodes != nil {
		k.set("numa_nodes", strconv.Itoa(len(nodes)))
	}
	k.set("scheduler", t.scheduler())
	k.set("gpu", t.gpus())
	k.set("gpu_driver", driverVersion.FindString(t.text("proc/driver/nvidia/version")))
	t.limits(k)
}

// soft fills in what may change one.
func (t tree) soft(k keys) {
	k.set("kernel_full", t.text("proc/sys/kernel/osrelease"))
	k.set("microcode", t.ofProcessors("microcode"))
	for _, fields := range t.fields("proc/meminfo") {
		if kib, err := strconv.ParseFloat(strings.TrimSuffix(fields["memtotal"], " kB"), 64); err == nil {
			// Rounded, because a new kernel keeps some other kilobytes to itself.
			k.set("memory_total", fmt.Sprintf("%.1f GiB", kib/(1<<20)))
		}
	}
	k.set("governor", t.governor())
	k.set("virtualization", t.virtualization())
	switch {
	case t.exists("run/.containerenv"):
		k.set("container", "podman")
	case t.exists(".dockerenv"):
		k.set("container", "docker")
	}
	dmi := "sys/class/dmi/id/"
	machine := strings.TrimSpace(t.text(dmi+"sys_vendor") + " " + t.text(dmi+"product_name"))
	if machine == "" {
		machine = t.text("proc/device-tree/model") // small boards
	}
	k.set("machine", machine)
	k.set("bios", t.text(dmi+"bios_version"))
	t.surroundings(k)
}

// ofProcessors lists the different values of a field of /proc/cpuinfo.
func (t tree) ofProcessors(field string) string {
	values := make(map[string]bool)
	for _, f := range t.cpuinfo() {
		if f[field] != "" {
			values[f[field]] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(values)), ", ")
}

// cpuName is what the processors call themselves. Arm's have numbers instead of
// names: implementer and part, as in the MIDR register.
func (t tree) cpuName() string {
	for _, field := range []string{"model name", "cpu model", "uarch", "cpu"} {
		if name := t.ofProcessors(field); name != "" {
			return name
		}
	}
	kinds := make(map[string]bool)
	for _, f := range t.cpuinfo() {
		if f["cpu part"] != "" {
			kinds[armKind(f)] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")
}

func armKind(f map[string]string) string {
	return "arm " + f["cpu implementer"] + "/" + f["cpu part"]
}

// cpuKinds says how many hardware threads are of which kind on a machine that
// mixes fast and slow cores, "" on any other.
func (t tree) cpuKinds() string {
	var kinds []string
	for _, kind := range []string{"core", "atom"} { // Intel's names of its two
		for range t.set("sys/devices/cpu_" + kind + "/cpus") {
			kinds = append(kinds, kind)
		}
	}
	for _, f := range t.cpuinfo() {
		if f["cpu part"] != "" {
			kinds = append(kinds, armKind(f))
		}
	}
	if text := counted(kinds); strings.Contains(text, ", ") {
		return text
	}
	return ""
}

// features are the instruction sets for which ggml brings code of its own, as
// /proc/cpuinfo names them. Machines of one processor differ in them where a
// hypervisor hides some. Source: the variants built by ggml/src/CMakeLists.txt.
var features = strings.Fields(`
	sse4_2 avx f16c fma bmi2 avx2 avx_vnni avx512f avx512cd avx512vl avx512dq avx512bw
	avx512vbmi avx512_vnni avx512_bf16 amx_tile amx_int8
	asimd asimddp asimdhp i8mm sve sve2 sme rvv`)

func (t tree) cpuFeatures() string {
	has := make(map[string]bool)
	for _, f := range t.cpuinfo() {
		for name := range strings.FieldsSeq(f["flags"] + " " + f["features"]) {
			has[name] = true
		}
	}
	known := slices.DeleteFunc(slices.Clone(features), func(name string) bool { return !has[name] })
	return strings.Join(known, " ")
}

// scheduler is the sched_ext scheduler that is loaded, or the kernel's default.
func (t tree) scheduler() string {
	if !t.exists("sys/kernel") {
		return ""
	}
	switch t.text("sys/kernel/sched_ext/state") {
	case "", "disabled": // "": a kernel without sched_ext
		return "default"
	case "enabled":
		return t.text("sys/kernel/sched_ext/root/ops")
	}
	return "" // on its way from one to the other
}

func (t tree) governor() string {
	found := make(map[string]bool)
	for _, n := range t.online() {
		if g := t.text(fmt.Sprintf("sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", n)); g != "" {
			found[g] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), ", ")
}

// virtualization says whether a hypervisor is below; only x86 tells.
func (t tree) virtualization() string {
	flags := t.ofProcessors("flags")
	switch {
	case flags == "":
		return ""
	case slices.Contains(strings.Fields(flags), "hypervisor"):
		return "hypervisor"
	}
	return "none"
}

var driverVersion = regexp.MustCompile(`\b\d{3}\.\d+(\.\d+)?\b`)

// gpus lists NVIDIA's by the files of their driver and AMD's by their numbers;
// others are told by llama.cpp.
func (t tree) gpus() string {
	files, _ := fs.Glob(t.FS, "proc/driver/nvidia/gpus/*/information")
	var models []string
	for _, file := range files {
		for _, fields := range t.fields(file) {
			models = append(models, fields["model"])
		}
	}
	cards, _ := fs.Glob(t.FS, "sys/class/drm/card*/device/vendor")
	for _, file := range cards {
		dir := strings.TrimSuffix(file, "vendor")
		if t.text(file) == "0x1002" && t.exists(dir+"device") && t.exists("sys/class/kfd") { // not the picture of a server's console
			models = append(models, "AMD "+t.text(dir+"device"))
		}
	}
	return counted(models)
}
