// Package host says what machine this is: the keys by which records of two
// sessions are comparable or not.
//
// Hard keys are facts that change what is measured: os, arch, kernel, cpu,
// cpu_features, cpu_kinds, cpu_physical, cpu_logical, cpu_allowed, cpu_quota,
// numa_nodes, scheduler, gpu, gpu_driver, turbo, clock_limit, power_limit,
// gpu_power_limit, gpu_ecc, gpu_mig, runner_class. Soft keys may change it: kernel_full,
// microcode, memory_total, memory_speed, governor, virtualization, container,
// machine, bios, transparent_hugepages, numa_balancing, clocksource,
// kernel_options, start_temperature, gpu_ids, gpu_vbios, gpu_persistence,
// gpu_link, gpu_environment. A key that cannot be read for certain is
// left out. Backends, compiler, model and threads are told where they are set:
// by record.Build, record.Model and record.Cell.
//
// Watch reads what the machine and a trial's processes do meanwhile, and Rules
// say which of that makes the trial's numbers unfit. Examine says whether the
// machine is fit to measure, Fix changes what can be changed back.
package host

import (
	"context"
	"os"
	"runtime"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Describe says what machine this is, with its accelerators, nil for none. It reads
// files and starts no program, so it takes milliseconds and leaves the machine as it was.
// Its name is the host name.
func Describe(ctx context.Context, devices []record.Device) record.Host {
	h := record.Host{
		Hard: map[string]string{"os": runtime.GOOS, "arch": runtime.GOARCH},
		Soft: map[string]string{},
	}
	if name, err := os.Hostname(); err == nil {
		h.Name = name
	}
	describe(ctx, keys(h.Hard), keys(h.Soft))
	describeDevices(h.Hard, h.Soft, devices, os.Environ())
	keys(h.Hard).set("runner_class", runnerClass(os.Getenv))
	return h
}

// keys are a host's, hard or soft.
type keys map[string]string

// set leaves out what is not known, and keeps a value on one printable line.
func (k keys) set(key, value string) {
	value = strings.Join(strings.FieldsFunc(value, notText), " ")
	if value != "" {
		k[key] = strings.ToValidUTF8(value[:min(len(value), 1000)], "?")
	}
}

func notText(r rune) bool { return r <= ' ' || r == 0x7f }

// PhysicalCores is how many physical cores this process may use, at least 1:
// the cores with at least one processor in its affinity mask (which taskset
// and a container's cpuset narrow), and not more than its CPU quota grants,
// rounded down, because threads beyond a quota only get the others throttled.
// Performance and efficiency cores count alike. Where the system does not tell
// cores from hardware threads it counts threads.
//
// Only Linux, whose files it reads, knows affinity and quota here; macOS counts
// the machine's cores, other systems its hardware threads.
func PhysicalCores() int { return max(1, physicalCores()) }
