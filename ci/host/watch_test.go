package host

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A fake is a machine whose files change between readings.
type fake struct {
	fstest.MapFS
	now time.Time
}

func (f fake) set(name, format string, args ...any) {
	text := []byte(fmt.Sprintf(format, args...))
	if file := f.MapFS[name]; file != nil {
		file.Data = text // which a probe that holds it open sees
		return
	}
	f.MapFS[name] = &fstest.MapFile{Data: text}
}

// process writes the files of one: its times in ticks, memory in pages.
func (f fake) process(pid, user, system, faults, started, pages int, children string) {
	f.set(fmt.Sprintf("proc/%d/stat", pid), "%d (llama) server (x) S 1 9 9 0 -1 4194560 500 7 %d 0 %d %d 3 4 20 0 8 0 %d 123456 %d 18446744073709551615 1 1\n", pid, faults, user, system, started, pages)
	f.set(fmt.Sprintf("proc/%d/task/%d/children", pid, pid), "%s", children)
}

func (f fake) cpu(user, system, idle, steal int) {
	f.set("proc/stat", "cpu  %d 0 %d %d 50 0 0 %d 40 0\ncpu0 1 2 3\n", user, system, idle, steal)
}

// machine is one with everything that can be read.
func (f fake) machine() {
	f.cpu(1000, 500, 90000, 30)
	f.set("proc/uptime", "1000.00 900.00\n")
	for i, name := range []string{"cpu", "memory", "io"} {
		f.set("proc/pressure/"+name, "some avg10=0.00 avg60=0.00 avg300=0.00 total=%d\nfull avg10=0.00 total=77\n", 1000*(i+1))
	}
	f.set("proc/vmstat", "pswpinfo 3\npswpin 100\npswpout 7\n")
	f.set("sys/devices/system/cpu/online", "0-1\n")
	for i := range 2 {
		cpu := fmt.Sprintf("sys/devices/system/cpu/cpu%d/", i)
		f.set(cpu+"cpufreq/scaling_cur_freq", "%d\n", 2_000_000+i*1_000_000)
		f.set(cpu+"thermal_throttle/core_throttle_count", "5\n")
		f.set(cpu+"thermal_throttle/package_throttle_count", "6\n")
	}
	f.set("sys/class/hwmon/hwmon0/name", "nvme\n")
	f.set("sys/class/hwmon/hwmon0/temp1_input", "99000\n")
	f.set("sys/class/hwmon/hwmon1/name", "coretemp\n")
	f.set("sys/class/hwmon/hwmon1/temp1_input", "61000\n")
	f.set("sys/class/hwmon/hwmon2/name", "coretemp\n")
	f.set("sys/class/hwmon/hwmon2/temp1_input", "64500\n")
	f.set("sys/class/powercap/intel-rapl:0/energy_uj", "999000000\n")
	f.set("sys/class/powercap/intel-rapl:0/max_energy_range_uj", "1000000000\n")
	f.set("sys/class/powercap/intel-rapl:0:0/energy_uj", "5\n")
	f.set("sys/class/powercap/intel-rapl:0:0/max_energy_range_uj", "1000000000\n")
	f.process(7, 100, 50, 3, 100, 1000, "")     // this program
	f.process(20, 400, 100, 10, 200, 50000, "") // the server
}

func (f fake) watch(pids ...int) *Watcher {
	return newWatcher(tree{f}, func() []int { return pids }, 7, 250*time.Millisecond, f.now, nil)
}

func (w *Watcher) samples(began time.Time) *record.Samples {
	return w.readings.samples(began, w.devices.told)
}

func newFake() fake { return fake{MapFS: fstest.MapFS{}, now: time.Unix(1_700_000_000, 0)} }

func TestReading(t *testing.T) {
	f := newFake()
	f.machine()
	w := f.watch(20)

	// 250 ms later: 40 busy ticks of 50, 5 more stolen; the server took 20 and
	// the load generator 10 of them.
	f.cpu(1030, 510, 90005, 35)
	f.set("proc/uptime", "1000.25 900.00\n")
	f.process(7, 108, 52, 3, 100, 1000, "")
	f.process(20, 415, 105, 12, 200, 60000, "21 ")
	f.process(21, 4, 1, 1, 100_010, 2000, "") // began within the interval
	f.set("proc/20/status", "Name:\tllama\nVmPeak:\t  999999 kB\nVmHWM:\t  400000 kB\n")
	f.set("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=126000\nfull avg10=0.00 total=77\n")
	f.set("proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=900003000\nfull avg10=0.00 total=77\n")
	f.set("proc/vmstat", "pswpinfo 3\npswpin 112\n")
	f.set("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "8\n")
	f.set("sys/class/hwmon/hwmon1/temp1_input", "65250\n")
	f.set("sys/class/powercap/intel-rapl:0/energy_uj", "4000000\n") // began again
	f.set("sys/class/powercap/intel-rapl:0:0/energy_uj", "7000000\n")
	w.read(f.now.Add(250 * time.Millisecond))

	page := float64(os.Getpagesize())
	want := &record.Samples{Every: 0.25, At: 0.25, Series: map[string][]float64{
		CPUMachine: {1.6}, CPUGroup: {1}, CPUSelf: {0.4}, CPUOther: {0.2},
		RSSBytes: {roundTo(62000*page, 1<<16)}, RSSPeak: {roundTo(62000*page, 1<<16)}, // the status file was not there when it began
		PSICPU: {0.5}, PSIMemory: {0}, PSIIO: {1}, Steal: {0.1},
		FrequencyMHz: {2500}, TemperatureC: {65.3}, ThrottleCount: {3}, EnergyJ: {5}, SwapIn: {12}, MajorFaults: {3},
	}}
	if diff := cmp.Diff(want, w.samples(f.now)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	// The child ended, the server stands still; a second later.
	f.process(20, 415, 105, 12, 200, 60000, "")
	delete(f.MapFS, "proc/21/stat")
	w.read(f.now.Add(500 * time.Millisecond))
	got := w.samples(f.now.Add(300 * time.Millisecond)).Series
	for series, value := range map[string]float64{CPUGroup: 0, CPUMachine: 0, RSSBytes: roundTo(60000*page, 1<<16), RSSPeak: roundTo(62000*page, 1<<16), MajorFaults: 0, EnergyJ: 0} {
		if vs := got[series]; len(vs) != 2 || vs[1] != value {
			t.Errorf("%s: %v, want %g at the end", series, vs, value)
		}
	}
	if at := w.samples(f.now.Add(300 * time.Millisecond)).At; at != -0.05 {
		t.Errorf("at %g s of the load, want -0.05", at)
	}
}

// VmHWM tells of peaks between two readings.
func TestPeak(t *testing.T) {
	f := newFake()
	f.machine()
	f.set("proc/20/status", "VmHWM:\t  409600 kB\n")
	w := f.watch(20, 20)
	w.read(f.now.Add(250 * time.Millisecond))
	s := w.samples(f.now).Series
	if want := 50000 * float64(os.Getpagesize()); math.Abs(s[RSSBytes][0]-want) > 1<<15 {
		t.Errorf("resident %g, want %g: a process named twice counts once", s[RSSBytes][0], want)
	}
	if s[RSSPeak][0] != 400<<20 {
		t.Errorf("peak %g, want %d", s[RSSPeak][0], 400<<20)
	}
}

// This program among those watched is not counted twice, and a process that was
// there before it was watched brings nothing of its past.
func TestSelfAndLateProcess(t *testing.T) {
	f := newFake()
	f.machine()
	pids := []int{7}
	w := newWatcher(tree{f}, func() []int { return pids }, 7, 250*time.Millisecond, f.now, nil)
	pids = []int{7, 20, 404, -1, 0}
	f.process(7, 125, 50, 3, 100, 1000, "")
	w.read(f.now.Add(250 * time.Millisecond))
	s := w.samples(f.now).Series
	if s[CPUGroup][0] != 1 || s[CPUSelf][0] != 0 || s[MajorFaults][0] != 0 {
		t.Errorf("group %v, self %v, faults %v, want 1, 0, 0", s[CPUGroup], s[CPUSelf], s[MajorFaults])
	}
}

// What a machine does not tell is absent, and damaged files are not told.
func TestReadingOfLittle(t *testing.T) {
	f := newFake()
	w := f.watch(20)
	w.read(f.now.Add(time.Second))
	if s := w.samples(w.began); s != nil {
		t.Errorf("nothing to read: %+v", s)
	}
	f.machine()
	for name := range f.MapFS {
		f.set(name, "cpu 1 2 x (\n")
	}
	w = f.watch(20)
	w.read(f.now.Add(time.Second))
	if s := w.samples(w.began); s != nil {
		t.Errorf("damaged: %+v", s)
	}
	// A file that fails later: levels stay as they were, counts are 0.
	f = newFake()
	f.machine()
	w = f.watch(20)
	w.read(f.now.Add(250 * time.Millisecond))
	f.set("sys/class/hwmon/hwmon1/temp1_input", "")
	f.set("sys/class/hwmon/hwmon2/temp1_input", "")
	f.set("proc/vmstat", "")
	w.read(f.now.Add(500 * time.Millisecond))
	s := w.samples(f.now).Series
	if diff := cmp.Diff([][]float64{{64.5, 64.5}, {0, 0}}, [][]float64{s[TemperatureC], s[SwapIn]}); diff != "" {
		t.Error(diff)
	}
}

// Hours of readings stay few, keep their sums, means and peaks, and cover all of
// the time, also where readings were missed.
func TestThinning(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	for _, gap := range []int{1, 7} {
		r := newReadings(start.Add(250*time.Millisecond), 250*time.Millisecond, nil)
		now := start
		for i := 0; now.Sub(start) < 3*time.Hour; i++ {
			passed := time.Duration(gap) * r.every
			now = now.Add(passed)
			v := absent(seriesCount)
			v[cpuGroup], v[swapIn], v[rssBytes] = float64(i%2), passed.Seconds(), 1
			if i == 77 {
				v[rssBytes] = 1e9
			}
			r.add(v, now)
			if r.count > mostReadings {
				t.Fatalf("%d readings", r.count)
			}
		}
		s := r.samples(start, func(int) bool { return true })
		if len(s.Series) != 3 || len(s.Series[SwapIn]) != r.count || len(s.Series[CPUGroup]) != r.count {
			t.Fatalf("series of %d values: %d, %d", r.count, len(s.Series[SwapIn]), len(s.Series[CPUGroup]))
		}
		pages := 0.0
		for _, v := range r.values[swapIn] {
			pages += v
		}
		if all := now.Sub(start).Seconds(); math.Abs(pages-all) > 1e-6*all {
			t.Errorf("gap %d: %g pages in all, want %g", gap, pages, all)
		}
		if most := slices.Max(r.values[rssBytes]); most != 1e9 {
			t.Errorf("gap %d: peak %g was lost", gap, most)
		}
		end := r.first.Add(time.Duration(r.count-1) * r.every)
		if d := end.Sub(now).Abs(); d > r.every*time.Duration(min(1, gap-1)) {
			t.Errorf("gap %d: the last interval ends %v from the last reading", gap, d)
		}
		if gap == 1 && math.Abs(averageOf(s.Series[CPUGroup])-0.5) > 0.01 {
			t.Errorf("mean %g, want 0.5", averageOf(s.Series[CPUGroup]))
		}
	}
	// A pause of days, or a clock that ran backwards, is not days of values.
	r := newReadings(start, time.Second, nil)
	r.add(make(reading, seriesCount), start)
	r.add(make(reading, seriesCount), start.Add(1000*time.Hour))
	r.add(make(reading, seriesCount), start.Add(-1000*time.Hour))
	if r.count > mostReadings || r.count < 3 {
		t.Errorf("%d readings", r.count)
	}
}

func TestRSSAt(t *testing.T) {
	f := newFake()
	f.machine()
	w := f.watch(20)
	page := int64(os.Getpagesize())
	at := func(ms int) time.Time { return f.now.Add(time.Duration(ms) * time.Millisecond) }
	if got := w.RSSAt(at(100)); got != 50000*page {
		t.Errorf("before the first reading: %d", got)
	}
	for i := 1; i <= 4; i++ {
		f.process(20, 400, 100, 10, 200, 50000+i*1000, "")
		w.read(at(250 * i))
	}
	for ms, pages := range map[int]int64{-1000: 51000, 250: 51000, 499: 51000, 510: 52000, 999: 53000, 1000: 54000, 9000: 54000} {
		if got := w.RSSAt(at(ms)); got != pages*page {
			t.Errorf("at %d ms: %d pages, want %d", ms, got/page, pages)
		}
	}
	if got := newFake().watch(20).RSSAt(f.now); got != 0 {
		t.Errorf("not known: %d", got)
	}
}

// The real machine: memory that this process takes is seen.
func TestWatchThisProcess(t *testing.T) {
	debug.FreeOSMemory() // so that what is taken is not memory that this process has already
	w := Watch(func() []int { return []int{os.Getpid()} }, time.Hour, nil)
	w.Began(time.Now())
	before := w.RSSAt(time.Now())
	taken := make([]byte, 64<<20)
	for i := range taken {
		taken[i] = byte(i)
	}
	time.Sleep(2 * time.Millisecond) // Stop reads once if a millisecond passed
	s := w.Stop()
	runtime.KeepAlive(taken)
	if runtime.GOOS != "linux" {
		return // absent is all that is promised
	}
	if s == nil || len(s.Series[CPUMachine]) != 1 || s.Series[Steal][0] < 0 || s.Series[Steal][0] > 1 {
		t.Fatalf("%+v", s)
	}
	if grew := s.Series[RSSBytes][0] - float64(before); grew < 60<<20 {
		t.Errorf("memory grew by %.0f bytes, want at least 60 MiB", grew)
	}
	if s.Series[RSSPeak][0] < s.Series[RSSBytes][0] {
		t.Errorf("peak %g below %g", s.Series[RSSPeak][0], s.Series[RSSBytes][0])
	}
	if diff := cmp.Diff(s, w.Stop()); diff != "" {
		t.Errorf("stopped again:\n%s", diff)
	}
	if _, err := json.Marshal(s); err != nil {
		t.Error(err)
	}
}

// Readings, questions and Stop come from different goroutines: for -race.
func TestWatcherIsShared(t *testing.T) {
	w := Watch(nil, time.Nanosecond, nil)
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for range 20 {
				w.RSSAt(time.Now())
				w.Began(time.Now())
				time.Sleep(5 * time.Millisecond)
			}
			w.Stop()
		})
	}
	asking.Wait()
	s := w.Stop()
	if runtime.GOOS == "linux" && (s == nil || s.Series[RSSBytes][0] != 0) {
		t.Errorf("no process watched: %+v", s)
	}
}

// Budget: 0.5 % of a core at the default pace, which is 1.25 ms a reading.
// Measured with one process watched on a virtual machine of 2 processors, busy
// with other work: 0.12 to 0.18 ms, so 0.05 to 0.07 % of a core. Each processor
// whose frequency and throttling can be read (16 are asked at most) adds 3 files.
func BenchmarkReading(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("only Linux tells")
	}
	w := newWatcher(tree{os.DirFS("/")}, func() []int { return []int{os.Getpid()} }, os.Getpid(), defaultEvery, time.Now(), nil)
	defer w.machine.close()
	defer w.group.close()
	b.ReportAllocs()
	for b.Loop() {
		w.take(defaultEvery)
	}
}

func averageOf(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
