package host

import (
	"maps"
	"strings"
	"testing"
)

func TestLimits(t *testing.T) {
	const (
		online = "sys/devices/system/cpu/online"
		freq   = "sys/devices/system/cpu/cpu0/cpufreq/"
		freq1  = "sys/devices/system/cpu/cpu1/cpufreq/"
		rapl   = "sys/class/powercap/intel-rapl:"
		dmi    = "sys/firmware/dmi/entries/"
	)
	module := func(speed ...byte) string {
		return "\x11\x28" + strings.Repeat("\x00", 0x1e) + string(speed) + strings.Repeat("\x00", 6)
	}
	for name, tt := range map[string]struct {
		files map[string]string
		hard  map[string]string
		soft  map[string]string
	}{
		"nothing":              {},
		"turbo on":             {files: map[string]string{"sys/devices/system/cpu/intel_pstate/no_turbo": "0"}, hard: map[string]string{"turbo": "on"}},
		"turbo off":            {files: map[string]string{"sys/devices/system/cpu/cpufreq/boost": "0"}, hard: map[string]string{"turbo": "off"}},
		"no limit":             {files: map[string]string{online: "0", freq + "scaling_max_freq": "4200000", freq + "cpuinfo_max_freq": "4200000"}, hard: map[string]string{"clock_limit": "none"}},
		"limit":                {files: map[string]string{online: "0", freq + "scaling_max_freq": "3500000", freq + "cpuinfo_max_freq": "4200000"}, hard: map[string]string{"clock_limit": "3.50 GHz"}},
		"limit of one kind":    {files: map[string]string{online: "0-1", freq + "scaling_max_freq": "4200000", freq + "cpuinfo_max_freq": "4200000", freq1 + "scaling_max_freq": "2000000", freq1 + "cpuinfo_max_freq": "3000000"}, hard: map[string]string{"clock_limit": "2.00 GHz, 4.20 GHz"}},
		"power":                {files: map[string]string{rapl + "0/constraint_0_power_limit_uw": "65000000", rapl + "1/constraint_0_power_limit_uw": "65000000", rapl + "0:0/constraint_0_power_limit_uw": "9000000"}, hard: map[string]string{"power_limit": "2 x 65 W"}},
		"graphics card":        {files: map[string]string{"sys/class/drm/card1/device/vendor": "0x1002", "sys/class/drm/card1/device/device": "0x744c", "sys/class/kfd/kfd/dev": "1", "sys/class/drm/card1/device/hwmon/hwmon3/power1_cap": "339000000"}, hard: map[string]string{"gpu": "1 x AMD 0x744c", "gpu_power_limit": "1 x 339 W"}},
		"console of a server":  {files: map[string]string{"sys/class/drm/card0/device/vendor": "0x1a03", "sys/class/drm/card0/device/device": "0x2000"}},
		"memory":               {files: map[string]string{dmi + "17-0/raw": module(0xc0, 0x12), dmi + "17-1/raw": module(0xc0, 0x12), dmi + "17-2/raw": module(0, 0), dmi + "17-3/raw": "short", dmi + "17-4/raw": "\x11\x1b" + strings.Repeat("old", 20)}, soft: map[string]string{"memory_speed": "2 x 4800 MT/s"}},
		"kernel":               {files: map[string]string{"proc/cmdline": "root=/dev/sda1 quiet nohz_full=2-5 mitigations=off isolcpus=2-5"}, soft: map[string]string{"kernel_options": "isolcpus=2-5 mitigations=off nohz_full=2-5"}},
		"no options":           {files: map[string]string{"proc/cmdline": "root=/dev/sda1 quiet"}},
		"one node":             {files: map[string]string{"proc/sys/kernel/numa_balancing": "1", "sys/devices/system/node/online": "0"}, hard: map[string]string{"numa_nodes": "1"}},
		"two nodes":            {files: map[string]string{"proc/sys/kernel/numa_balancing": "1", "sys/devices/system/node/online": "0-1"}, hard: map[string]string{"numa_nodes": "2"}, soft: map[string]string{"numa_balancing": "1"}},
		"clock and huge pages": {files: map[string]string{"sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc", "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never"}, soft: map[string]string{"clocksource": "tsc", "transparent_hugepages": "madvise"}},
		"warm":                 {files: map[string]string{"sys/class/hwmon/hwmon2/name": "k10temp", "sys/class/hwmon/hwmon2/temp1_input": "47900"}, soft: map[string]string{"start_temperature": "about 50 °C"}},
	} {
		hard, soft := keys{}, keys{}
		root := treeOf(tt.files)
		root.hard(hard)
		root.soft(soft)
		for what, has := range map[string][2]keys{"hard": {hard, tt.hard}, "soft": {soft, tt.soft}} {
			got, want := maps.Clone(has[0]), has[1]
			delete(got, "scheduler")
			for key, value := range want {
				if got[key] != value {
					t.Errorf("%s: %s key %s is %q, want %q", name, what, key, got[key], value)
				}
				delete(got, key)
			}
			delete(got, "cpu_logical")
			delete(got, "cpu_physical")
			if len(got) > 0 {
				t.Errorf("%s: %s keys too many: %v", name, what, got)
			}
		}
	}
}

func TestRunnerClass(t *testing.T) {
	for want, env := range map[string]map[string]string{
		"":                       {},
		"github-hosted ubuntu24": {"RUNNER_ENVIRONMENT": "github-hosted", "ImageOS": "ubuntu24"},
		"self-hosted":            {"RUNNER_ENVIRONMENT": "self-hosted"},
		"epyc-9004":              {"RUNNER_ENVIRONMENT": "self-hosted", "LLAMA_REGRESS_RUNNER_CLASS": "epyc-9004"},
	} {
		if got := runnerClass(func(name string) string { return env[name] }); got != want {
			t.Errorf("%v: %q, want %q", env, got, want)
		}
	}
}
