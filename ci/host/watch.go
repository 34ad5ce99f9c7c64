package host

import (
	"math"
	"os"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/disturbance"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Names of the series that Watch reads. Each value is of the time since the
// reading before; when a long trial is thinned out it is their mean, their
// largest (memory, temperature) or their sum (counts and energy).
const (
	CPUGroup      = "cpu_group"            // cores that the watched processes kept busy
	CPUSelf       = "cpu_self"             // cores that this program and what it reads devices by kept busy; this program is 0 where it is one of those watched
	CPUMachine    = "cpu_machine"          // cores of the machine that were busy
	CPUOther      = disturbance.OtherCPU   // cores that all others kept busy: the machine's less the two; about 0 it may be below
	RSSBytes      = "rss_bytes"            // B of resident memory of the watched processes, shared pages counted in each
	RSSPeak       = "rss_peak_bytes"       // B, sum over processes of the most each has had so far
	PSICPU        = "psi_cpu"              // share of time, 0 to 1, in which some task waited for a processor
	PSIMemory     = "psi_memory"           // for memory
	PSIIO         = "psi_io"               // for input or output
	Steal         = disturbance.Steal      // share of processor time, 0 to 1, that a hypervisor gave to others
	FrequencyMHz  = "freq_mhz"             // MHz, mean over processors; at most 16 of them are asked
	TemperatureC  = "temp_c"               // °C of the hottest processor
	ThrottleCount = disturbance.Throttling // times a core or package was slowed down for heat; at most 16 processors are asked
	EnergyJ       = "energy_j"             // J of all processor packages, where RAPL may be read
	SwapIn        = disturbance.SwapIn     // pages of the machine read back from swap
	MajorFaults   = "major_faults"         // of the watched processes: pages that had to be read from disk
)

const (
	defaultEvery = 250 * time.Millisecond
	leastEvery   = 50 * time.Millisecond
)

// A Watcher reads what the machine and some of its processes do, at a steady
// pace. Its methods may be called from any goroutine.
type Watcher struct {
	stop chan struct{}
	done chan struct{}
	once sync.Once

	mu       sync.Mutex
	machine  *machine
	devices  *onDevices
	group    *group
	pids     func() []int
	last     time.Time // of the latest reading
	lastRSS  float64
	readings readings
	began    time.Time // what Samples.At counts from
}

// Watch begins to read: at once, for what later readings are compared with, and
// then every so often, by default (0) each 250 ms and at most each 50 ms. group
// returns the processes to watch, asked before each reading (nil for none); the processes that
// their first threads started are watched too. devices are the machine's accelerators, nil
// where there is none: those that the processes use have series of their own, by
// record.Device.Series. Stop must be called.
//
// Only Linux, whose files it reads, tells anything: see BenchmarkReading for what
// that costs.
func Watch(group func() []int, every time.Duration, devices *device.Set) *Watcher {
	if every <= 0 {
		every = defaultEvery
	}
	if group == nil {
		group = func() []int { return nil }
	}
	w := newWatcher(tree{os.DirFS("/")}, group, os.Getpid(), max(every, leastEvery), time.Now(), devices)
	go w.run()
	return w
}

func newWatcher(t tree, pids func() []int, self int, every time.Duration, now time.Time, devices *device.Set) *Watcher {
	w := &Watcher{
		stop: make(chan struct{}), done: make(chan struct{}),
		machine: newMachine(t), group: newGroup(t, self, devices.PIDs), devices: newOnDevices(devices), pids: pids,
		last: now, began: now,
	}
	w.readings = newReadings(now.Add(every), every, w.devices.kinds())
	w.take(time.Second) // its rates are of an unknown time and are not kept
	return w
}

func (w *Watcher) run() {
	defer close(w.done)
	every := w.readings.every
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-w.stop:
			return
		case now := <-ticker.C:
			if next := w.read(now); next != every {
				every = next
				ticker.Reset(every)
			}
		}
	}
}

// read takes one reading and returns the time to the next, which grows in a
// long trial.
func (w *Watcher) read(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if passed := now.Sub(w.last); passed > 0 {
		r := w.take(passed)
		w.last = now
		w.readings.add(r, now)
	}
	return w.readings.every
}

func (w *Watcher) take(passed time.Duration) reading {
	r := absent(len(w.readings.kinds))
	w.machine.read(r, passed)
	w.group.read(r, w.pids(), passed)
	w.devices.read(r, w.group.has, passed)
	r[cpuOther] = r[cpuMachine] - r[cpuGroup] - r[cpuSelf]
	w.lastRSS = r[rssBytes]
	return r
}

// Began says when the load began, which the times of the samples count from: the
// beginning of Watch unless it is called.
func (w *Watcher) Began(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began = t
}

// RSSAt returns the resident memory of the watched processes, in bytes, at the
// last reading before t; 0 when it is not known. In a long trial it is the
// largest of the readings that were joined.
func (w *Watcher) RSSAt(t time.Time) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	rss := w.lastRSS
	if t.Before(w.last) {
		rss = w.readings.at(rssBytes, t)
	}
	if math.IsNaN(rss) {
		return 0
	}
	return int64(rss)
}

// Stop ends the watch and returns what was read; nil where this machine tells
// nothing. A trial shorter than one interval has one reading, of its own length.
// It may be called again and returns the same.
func (w *Watcher) Stop() *record.Samples {
	w.once.Do(func() {
		close(w.stop)
		<-w.done
		now := time.Now()
		w.finish(now)
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.readings.samples(w.began, w.devices.told)
}

// finish takes the only reading of a short trial.
func (w *Watcher) finish(now time.Time) {
	w.mu.Lock()
	short := w.readings.count == 0 && now.Sub(w.last) >= time.Millisecond
	if short {
		w.readings.every = now.Sub(w.last)
		w.readings.first = now
	}
	w.mu.Unlock()
	if short {
		w.read(now)
	}
	w.group.close()
	w.machine.close()
}
