package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"
)

// treeOf is a machine made of these files.
func treeOf(files map[string]string) tree {
	fake := make(fstest.MapFS)
	for path, text := range files {
		fake[path] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	return tree{fake}
}

// answer is one finding about a machine that did not change while it was watched.
func answer(t *testing.T, check string, files map[string]string, s Subject) Finding {
	t.Helper()
	root := treeOf(files)
	at := time.Unix(1_700_000_000, 0)
	e := examination{tree: root, subject: s, own: []int{1}, before: root.snapshot(at), after: root.snapshot(at.Add(time.Second)),
		room: func(string) (uint64, error) { return 0, errors.ErrUnsupported }}
	return find(t, e.findings(), check)
}

func find(t *testing.T, all []Finding, check string) Finding {
	t.Helper()
	i := slices.IndexFunc(all, func(f Finding) bool { return f.Check == check })
	if i < 0 {
		t.Fatalf("no finding %s", check)
	}
	return all[i]
}

func TestFindings(t *testing.T) {
	const (
		cpu0     = "sys/devices/system/cpu/cpu0/"
		governor = cpu0 + "cpufreq/scaling_governor"
		online   = "sys/devices/system/cpu/online"
		thp      = "sys/kernel/mm/transparent_hugepage/enabled"
		nodes    = "sys/devices/system/node/online"
		balance  = "proc/sys/kernel/numa_balancing"
		clock    = "sys/devices/system/clocksource/clocksource0/"
		mem      = "MemTotal: 4194304 kB\nMemAvailable: 2097152 kB\n"
	)
	small, large, huge := Subject{Models: map[string]int64{"m": 1 << 30}}, Subject{Models: map[string]int64{"a": 1, "m": 3 << 30}}, Subject{Models: map[string]int64{"m": 5 << 30}}
	for _, tt := range []struct {
		check   string
		files   map[string]string
		subject Subject
		want    Severity
		found   string // a part of Found
		writes  string // path=value of each setting
	}{
		{check: "governor", want: Unknown, found: "hypervisor"},
		{check: "governor", files: map[string]string{online: "0", governor: "performance"}, want: Fine, found: "performance on 1"},
		{check: "governor", files: map[string]string{online: "0", governor: "powersave"}, want: Soft, found: "powersave on 1", writes: "/" + governor + "=performance"},
		{check: "governor", files: map[string]string{online: "0-1", governor: "performance", "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "schedutil"}, want: Soft, found: "performance on 1 processors, schedutil on 1", writes: "/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor=performance"},
		{check: "governor", files: map[string]string{online: "0", governor: "powersave", cpu0 + "cpufreq/scaling_available_governors": "powersave userspace"}, want: Soft},
		{check: "turbo", want: Unknown},
		{check: "turbo", files: map[string]string{"sys/devices/system/cpu/intel_pstate/no_turbo": "0"}, want: Soft, found: "on"},
		{check: "turbo", files: map[string]string{"sys/devices/system/cpu/intel_pstate/no_turbo": "1"}, want: Fine, found: "off"},
		{check: "turbo", files: map[string]string{"sys/devices/system/cpu/cpufreq/boost": "1"}, want: Soft, found: "on"},
		{check: "turbo", files: map[string]string{"sys/devices/system/cpu/cpufreq/boost": "0"}, want: Fine, found: "off"},
		{check: "smt", want: Unknown},
		{check: "smt", files: map[string]string{"sys/devices/system/cpu/smt/active": "1"}, want: Soft},
		{check: "smt", files: map[string]string{"sys/devices/system/cpu/smt/active": "0"}, want: Fine},
		{check: "numa_balancing", want: Unknown},
		{check: "numa_balancing", files: map[string]string{nodes: "0", balance: "1"}, want: Fine, found: "one NUMA node"},
		{check: "numa_balancing", files: map[string]string{nodes: "0-1", balance: "0"}, want: Fine, found: "off"},
		{check: "numa_balancing", files: map[string]string{nodes: "0-1", balance: "1"}, want: Soft, found: "2 NUMA nodes", writes: "/" + balance + "=0"},
		{check: "thp", want: Unknown},
		{check: "thp", files: map[string]string{thp: "[always] madvise never"}, want: Soft, found: "always", writes: "/" + thp + "=madvise"},
		{check: "thp", files: map[string]string{thp: "always [madvise] never"}, want: Fine, found: "madvise"},
		{check: "aslr", want: Unknown},
		{check: "aslr", files: map[string]string{"proc/sys/kernel/randomize_va_space": "0"}, want: Soft, found: "off"},
		{check: "aslr", files: map[string]string{"proc/sys/kernel/randomize_va_space": "2"}, want: Fine, found: "on"},
		{check: "clocksource", want: Unknown},
		{check: "clocksource", files: map[string]string{clock + "current_clocksource": "tsc"}, want: Fine, found: "tsc"},
		{check: "clocksource", files: map[string]string{clock + "current_clocksource": "kvm-clock"}, want: Fine},
		{check: "clocksource", files: map[string]string{clock + "current_clocksource": "hpet", clock + "available_clocksource": "hpet acpi_pm"}, want: Soft, found: "hpet"},
		{check: "isolcpus", want: Unknown},
		{check: "isolcpus", files: map[string]string{"proc/cmdline": "quiet ro"}, want: Fine},
		{check: "isolcpus", files: map[string]string{"proc/cmdline": "quiet isolcpus=domain,2-5 ro"}, want: Soft, found: "isolcpus=domain,2-5"},
		{check: "sched_ext", want: Unknown},
		{check: "sched_ext", files: map[string]string{"sys/kernel/sched_ext/state": "disabled"}, want: Fine},
		{check: "sched_ext", files: map[string]string{"sys/kernel/sched_ext/state": "enabled", "sys/kernel/sched_ext/root/ops": "rusty_1.0"}, want: Soft, found: "scheduler: rusty_1.0; programs: none"},
		{check: "sched_ext", files: map[string]string{"sys/kernel/sched_ext/state": "disabled", "proc/77/stat": statOf("scx_loader", 5)}, want: Soft, found: "scx_loader (77)"},
		{check: "cpu_quota", want: Unknown},
		{check: "cpu_quota", files: map[string]string{"proc/self/cgroup": "0::/a", "sys/fs/cgroup/cgroup.controllers": "cpu"}, want: Fine, found: "none"},
		{check: "cpu_quota", files: map[string]string{"proc/self/cgroup": "0::/a", "sys/fs/cgroup/a/cpu.max": "150000 100000", online: "0-7"}, want: Soft, found: "1.5 processors of 8"},
		{check: "cpuset", want: Unknown},
		{check: "cpuset", files: map[string]string{"proc/self/status": "Cpus_allowed_list:\t0-1", online: "0-1"}, want: Fine, found: "all 2"},
		{check: "cpuset", files: map[string]string{"proc/self/status": "Cpus_allowed_list:\t2-3", online: "0-7"}, want: Fine, found: "2 of 8"},
		{check: "container", want: Unknown},
		{check: "container", files: map[string]string{"proc/stat": ""}, want: Fine, found: "none"},
		{check: "container", files: map[string]string{".dockerenv": ""}, want: Fine, found: "docker"},
		{check: "swap", want: Unknown},
		{check: "swap", files: map[string]string{"proc/meminfo": mem + "SwapTotal: 0 kB\nSwapFree: 0 kB"}, want: Fine, found: "none"},
		{check: "swap", files: map[string]string{"proc/meminfo": mem + "SwapTotal: 1048576 kB\nSwapFree: 1048576 kB"}, want: Fine, found: "unused"},
		{check: "swap", files: map[string]string{"proc/meminfo": mem + "SwapTotal: 1048576 kB\nSwapFree: 524288 kB"}, want: Soft, found: "512 MiB of 1.0 GiB"},
		{check: "memory", want: Unknown},
		{check: "memory", files: map[string]string{"proc/meminfo": mem}, want: Fine, found: "2.0 GiB free of 4.0 GiB"},
		{check: "memory", files: map[string]string{"proc/meminfo": mem}, subject: small, want: Fine, found: "m takes 1.0 GiB"},
		{check: "memory", files: map[string]string{"proc/meminfo": mem}, subject: large, want: Soft, found: "m takes 3.0 GiB"},
		{check: "memory", files: map[string]string{"proc/meminfo": mem}, subject: huge, want: Hard, found: "m takes 5.0 GiB"},
		{check: "memory", files: map[string]string{"proc/meminfo": mem, "dev/kfd": ""}, subject: huge, want: Soft},
		{check: "memory", files: map[string]string{"proc/meminfo": mem, "proc/self/cgroup": "0::/a/b", "sys/fs/cgroup/a/memory.max": "536870912", "sys/fs/cgroup/a/b/memory.max": "max"}, subject: small, want: Hard, found: "512 MiB free of 512 MiB that this control group may use"},
		{check: "memory", files: map[string]string{"proc/meminfo": mem, "proc/self/cgroup": "0::/a/b", "sys/fs/cgroup/a/memory.max": "3221225472", "sys/fs/cgroup/a/b/memory.max": "536870912"}, subject: small, want: Hard, found: "of 512 MiB"},
		{check: "memory", files: map[string]string{"proc/meminfo": mem, "proc/self/cgroup": "4:memory:/a", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"}, subject: small, want: Fine},
		{check: "load", want: Unknown},
		{check: "load", files: map[string]string{"proc/loadavg": "0.30 0.1 0.1 1/200 9", online: "0-1"}, want: Fine},
		{check: "load", files: map[string]string{"proc/loadavg": "3.00 0.1 0.1 1/200 9", online: "0-1"}, want: Soft, found: "3.00"},
		{check: "steal", want: Unknown},
		{check: "steal", files: map[string]string{"proc/stat": "cpu 100 0 0 900 0 0 0 100 0 0"}, want: Soft, found: "0.0% now, 9.1% since boot"},
		{check: "throttling", want: Unknown},
		{check: "throttling", files: map[string]string{online: "0", cpu0 + "thermal_throttle/core_throttle_count": "7"}, want: Fine, found: "7 times since boot"},
		{check: "programs", want: Unknown},
	} {
		f := answer(t, tt.check, tt.files, tt.subject)
		var writes []string
		for _, s := range f.Settings {
			writes = append(writes, s.Path+"="+s.Value)
		}
		if f.Severity != tt.want || !strings.Contains(f.Found, tt.found) || strings.Join(writes, " ") != tt.writes {
			t.Errorf("%s of %v: %s, %q, writes %v; want %s, %q, %s", tt.check, tt.files, f.Severity, f.Found, writes, tt.want, tt.found, tt.writes)
		}
		if bad := f.Severity == Soft || f.Severity == Hard; bad != (f.Why != "" && f.Change != "") {
			t.Errorf("%s: %s with why %q and change %q", tt.check, f.Severity, f.Why, f.Change)
		}
	}
}

// statOf is the stat file of a process that has used so many ticks.
func statOf(name string, ticks int) string {
	return fmt.Sprintf("9 (%s) S 1 9 9 0 -1 4194560 500 7 0 0 %d 0 3 4 20 0 8 0 50 123456 10 18446744073709551615 1 1", name, ticks)
}

// A machine that is watched for a second, in which others work.
func TestFindingsOfASecond(t *testing.T) {
	before := map[string]string{
		"proc/stat": "cpu 100 0 0 900 0 0 0 0 0 0", "sys/devices/system/cpu/online": "0-1",
		"proc/1/stat": statOf("self", 10), "proc/2/stat": statOf("quiet", 5), "proc/3/stat": statOf("a\x1b[2J(b) c\n", 5),
		"sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "7",
	}
	after := maps.Clone(before)
	// 150 of the 200 ticks are busy: 40 of this process, 90 of one, the others of programs that are gone.
	after["proc/stat"] = "cpu 250 0 0 940 0 0 0 10 0 0"
	after["proc/1/stat"], after["proc/3/stat"] = statOf("self", 50), statOf("a\x1b[2J(b) c\n", 95)
	after["sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count"] = "9"
	at := time.Unix(1_700_000_000, 0)
	e := examination{tree: treeOf(after), own: []int{1}, before: treeOf(before).snapshot(at), after: treeOf(after).snapshot(at.Add(time.Second))}
	if f := e.programs(); f.Severity != Soft || f.Found != "others use 1.10 cores: a[2J(b) c (3) 0.90" {
		t.Errorf("%+v", f)
	}
	if f := e.steal(); f.Severity != Soft || !strings.HasPrefix(f.Found, "5.0% now") {
		t.Errorf("%+v", f)
	}
	if f := e.throttling(); f.Severity != Soft || !strings.Contains(f.Found, "2 times just now") {
		t.Errorf("%+v", f)
	}
	e.after.busy = e.before.busy + 45
	if f := e.programs(); f.Severity != Fine || f.Found != "others use 0.05 cores" {
		t.Errorf("only this process works: %+v", f)
	}
	// Many and long names are bounded.
	e.after.busy += 1000
	for pid := range 300 {
		e.after.processes[1000+pid] = spent{name: strings.Repeat("n", 500), ticks: 50, started: 60}
	}
	if f := find(t, e.withRoom().findings(), "programs"); len([]rune(f.Found)) > 301 {
		t.Errorf("%d characters: %s", len(f.Found), f.Found)
	}
}

func (e examination) withRoom() *examination {
	e.room = func(string) (uint64, error) { return 0, errors.ErrUnsupported }
	return &e
}

func TestOutputAndDisk(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Severity{"": Unknown, dir: Fine, filepath.Join(dir, "a", "b"): Fine, filepath.Join(file, "out"): Hard} {
		if f := (&examination{subject: Subject{Dir: path}}).output(); f.Severity != want {
			t.Errorf("%s: %+v, want %s", path, f, want)
		}
	}
	if left, err := os.ReadDir(dir); len(left) != 1 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
	for free, want := range map[uint64]Severity{0: Hard, 60 << 20: Hard, 500 << 20: Soft, 5 << 30: Fine} {
		e := examination{subject: Subject{Dir: dir}, room: func(string) (uint64, error) { return free, nil }}
		if f := e.disk(); f.Severity != want {
			t.Errorf("%d free: %+v, want %s", free, f, want)
		}
	}
}

// What doctor says of the machine the test runs on is there, found in another
// way; what is not there is unknown, not made up.
func TestExamineThisMachine(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
	begun := time.Now()
	all, err := Examine(t.Context(), Subject{Dir: t.TempDir(), Models: map[string]int64{"m": 1 << 20}, Interval: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < 200*time.Millisecond {
		t.Errorf("watched for %v", took)
	}
	text := func(path string) string {
		data, _ := os.ReadFile(path)
		return strings.TrimSpace(string(data))
	}
	expect := func(check string, want Severity) {
		t.Helper()
		if f := find(t, all, check); f.Severity != want {
			t.Errorf("%s: %+v, want %s", check, f, want)
		}
	}
	told := func(path string, yes Severity) Severity {
		if text(path) == "" {
			return Unknown
		}
		return yes
	}
	expect("output", Fine)
	expect("governor", map[bool]Severity{true: Unknown, false: find(t, all, "governor").Severity}[text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") == ""])
	expect("smt", told("/sys/devices/system/cpu/smt/active", map[string]Severity{"0": Fine, "1": Soft}[text("/sys/devices/system/cpu/smt/active")]))
	thp := Fine
	if strings.Contains(text("/sys/kernel/mm/transparent_hugepage/enabled"), "[always]") {
		thp = Soft
	}
	expect("thp", told("/sys/kernel/mm/transparent_hugepage/enabled", thp))
	aslr := Fine
	if text("/proc/sys/kernel/randomize_va_space") == "0" {
		aslr = Soft
	}
	expect("aslr", told("/proc/sys/kernel/randomize_va_space", aslr))
	isolcpus := Fine
	if strings.Contains(text("/proc/cmdline"), "isolcpus=") {
		isolcpus = Soft
	}
	expect("isolcpus", told("/proc/cmdline", isolcpus))
	if lines := strings.Split(text("/proc/swaps"), "\n"); len(lines) < 2 {
		expect("swap", Fine)
	}
	one, _ := strconv.ParseFloat(strings.Fields(text("/proc/loadavg") + " x")[0], 64)
	if f := find(t, all, "load"); f.Severity == Soft && one < 0.4*float64(runtime.NumCPU()) {
		t.Errorf("%+v at a load of %v", f, one)
	}
	if free := find(t, all, "cpuset").Found; runtime.NumCPU() > 1 && !strings.Contains(free, strconv.Itoa(runtime.NumCPU())) {
		t.Errorf("cpuset %q of %d processors", free, runtime.NumCPU())
	}
	for _, f := range all {
		if f.Check == "" || f.Severity == "" || f.Found == "" || strings.ContainsFunc(f.Found+f.Why+f.Change, unicode.IsControl) {
			t.Errorf("%+v", f)
		}
	}
	if _, err := json.Marshal(all); err != nil {
		t.Error(err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Examine(ctx, Subject{Interval: time.Hour}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestWorst(t *testing.T) {
	for want, of := range map[Severity][]Severity{Fine: {Unknown, Fine}, Soft: {Fine, Soft, Unknown}, Hard: {Soft, Hard, Fine}} {
		var all []Finding
		for _, s := range of {
			all = append(all, Finding{Severity: s})
		}
		if got := Worst(all); got != want {
			t.Errorf("%v: %s", of, got)
		}
	}
}
