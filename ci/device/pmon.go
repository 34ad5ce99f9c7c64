package device

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// staleProcesses is how old a line of pmon may be, which comes once a second.
const staleProcesses = 4 * time.Second

// mostProcesses that are kept of one round.
const mostProcesses = 256

// processes reads nvidia-smi pmon: a line for each process on each device, once a
// second, and the names of its columns now and then. A device without a process has a
// line of dashes.
type processes struct {
	devices int

	mu      sync.Mutex
	columns []string
	round   []Process // under way
	whole   []Process // the one before
	at      time.Time // when whole was complete; zero for never
	last    string    // device and process of the latest line
	met     map[string]bool
	counts  map[int]bool // devices of which a share was ever told
}

func newProcesses(list []record.Device) *processes {
	return &processes{devices: len(list), met: make(map[string]bool), counts: make(map[int]bool)}
}

// line takes in a line. A round is over when a device and process comes again, or a
// device before the last one.
func (p *processes) line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fields := strings.Fields(text)
	if len(fields) > 1 && fields[0] == "#" {
		if fields[1] == "gpu" {
			p.columns = fields[1:]
		}
		return
	}
	at := func(name string) string {
		if i := slices.Index(p.columns, name); i >= 0 && i < len(fields) {
			return fields[i]
		}
		return "-"
	}
	device, err := strconv.Atoi(at("gpu"))
	if err != nil || device < 0 || device >= p.devices {
		return // a word of an error, which the other stream tells too
	}
	key := at("gpu") + " " + at("pid")
	if p.met[key] || len(p.met) > mostProcesses || before(key, p.last) {
		p.whole, p.round, p.at = p.round, nil, time.Now()
		clear(p.met)
	}
	p.met[key], p.last = true, key
	pid, err := strconv.Atoi(at("pid"))
	if err != nil || pid <= 0 {
		return
	}
	one := Process{index: device, PID: pid, Busy: share(at("sm")), Memory: number(at("fb")) * (1 << 20), Name: "?"}
	if i := slices.Index(p.columns, "command"); i >= 0 && i < len(fields) {
		one.Name = proc.OneLine(strings.Join(fields[i:], " "), 40)
	}
	p.counts[device] = p.counts[device] || !math.IsNaN(one.Busy)
	if len(p.round) < mostProcesses {
		p.round = append(p.round, one)
	}
}

// before reports whether a line's device comes before that of the last one.
func before(key, last string) bool {
	a, _, _ := strings.Cut(key, " ")
	b, _, _ := strings.Cut(last, " ")
	m, err1 := strconv.Atoi(a)
	n, err2 := strconv.Atoi(b)
	return err1 == nil && err2 == nil && m < n
}

// share reads percent.
func share(cell string) float64 {
	if v := number(cell); v >= 0 && v <= 100 {
		return v / 100
	}
	return math.NaN()
}

// latest are the processes of the last whole round, false where it is too old. A dash
// in place of a share is a process that did nothing where the device tells any share.
func (p *processes) latest(now time.Time) ([]Process, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.at) > staleProcesses {
		return nil, false
	}
	all := slices.Clone(p.whole)
	for i := range all {
		if math.IsNaN(all[i].Busy) && p.counts[all[i].index] {
			all[i].Busy = 0
		}
	}
	return all, true
}
