package host

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"time"
)

const mostProcesses = 256 // that a group follows

// A group is the processes that are watched and those they started.
type group struct {
	tree    tree
	self    *process // this program
	selfPID int
	readers func() []int     // programs by which this one reads devices
	reading map[int]*process // they
	uptime  *probe
	before  float64 // ticks since boot at the latest reading
	members map[int]*process
	peaks   float64 // B, of members that have ended
}

// A process is what the kernel tells about one.
type process struct {
	stat, status, children *probe

	ticks, faults float64
	rss, peak     float64 // B
	seen          bool    // in the reading under way
}

func newGroup(t tree, self int, readers func() []int) *group {
	return &group{tree: t, selfPID: self, self: t.process(self), readers: readers, reading: make(map[int]*process),
		uptime: t.probe("proc/uptime", 64), members: make(map[int]*process)}
}

// has reports whether a process is watched.
func (g *group) has(pid int) bool { return g.members[pid] != nil }

// process opens the files of a process, nil when there is none.
func (t tree) process(pid int) *process {
	dir := fmt.Sprintf("proc/%d/", pid)
	p := &process{stat: t.probe(dir+"stat", 1024)}
	if _, ok := parseStat(p.stat.read()); !ok {
		p.stat.close()
		return nil
	}
	p.status = t.probe(dir+"status", 4096)
	p.children = t.probe(fmt.Sprintf("%stask/%d/children", dir, pid), 4096)
	return p
}

func (p *process) close() {
	if p != nil {
		p.stat.close()
		p.status.close()
		p.children.close()
	}
}

// read fills in what the processes did in the time passed since they were last
// read. What a process did after its last reading and before its end is lost.
func (g *group) read(r reading, pids []int, passed time.Duration) {
	if g.self == nil { // no processes are told of here
		return
	}
	boot := math.NaN()
	if up, _, ok := bytes.Cut(g.uptime.read(), []byte(" ")); ok {
		if seconds, err := strconv.ParseFloat(string(up), 64); err == nil {
			boot = seconds * ticksPerSecond
		}
	}
	perCore := ticksPerSecond * passed.Seconds()
	ticks, faults, rss, peak := 0.0, 0.0, 0.0, 0.0
	selfWatched := false
	for queue, asked := slices.Clone(pids), 0; len(queue) > 0 && asked < mostProcesses; asked++ {
		pid := queue[0]
		queue = queue[1:]
		p := g.member(pid)
		if p == nil || p.seen {
			continue
		}
		if now, ok := p.read(g.before, boot); ok {
			p.seen = true
			ticks += now.ticks
			faults += now.faults
			rss += p.rss
			peak += p.peak
			selfWatched = selfWatched || pid == g.selfPID
			queue = append(queue, p.startedPIDs()...)
		}
	}
	g.forget()
	reader := g.readerTicks(boot)
	g.before = boot
	r[cpuGroup], r[rssBytes], r[rssPeak], r[majorFaults] = ticks/perCore, rss, g.peaks+peak, faults
	r[cpuSelf] = reader / perCore
	if now, ok := g.self.read(0, 0); ok && !selfWatched {
		r[cpuSelf] += now.ticks / perCore
	}
}

// readerTicks is what the programs used by which this one reads devices.
func (g *group) readerTicks(boot float64) (ticks float64) {
	if g.readers == nil {
		return 0
	}
	for _, pid := range g.readers() {
		p := g.reading[pid]
		if p == nil {
			if p = g.tree.process(pid); p == nil {
				continue
			}
			p.ticks = math.NaN()
			g.reading[pid] = p
		}
		if now, ok := p.read(g.before, boot); ok {
			ticks += now.ticks
		}
	}
	return ticks
}

// member returns a process of the group, a new one if it was not known.
func (g *group) member(pid int) *process {
	p := g.members[pid]
	if p == nil && pid > 0 && len(g.members) < mostProcesses {
		if p = g.tree.process(pid); p != nil {
			p.ticks = math.NaN()
			g.members[pid] = p
		}
	}
	return p
}

// forget closes the members that were not met in this reading.
func (g *group) forget() {
	for pid, p := range g.members {
		if !p.seen {
			g.peaks += p.peak
			p.close()
			delete(g.members, pid)
		}
		p.seen = false
	}
}

// used is what a process did since its last reading.
type used struct{ ticks, faults float64 }

// read updates the process. When it is new, all it did counts if it started
// between the previous reading and this one, at so many ticks since boot, and
// nothing if it did before or that is not known.
func (p *process) read(previous, boot float64) (used, bool) {
	now, ok := parseStat(p.stat.read())
	if !ok {
		return used{}, false
	}
	if math.IsNaN(p.ticks) {
		p.ticks, p.faults = now.ticks, now.faults
		if now.started >= previous && now.started <= boot+1 {
			p.ticks, p.faults = 0, 0
		}
	}
	u := used{max(0, now.ticks-p.ticks), max(0, now.faults-p.faults)}
	p.ticks, p.faults = now.ticks, now.faults
	p.rss = now.pages * float64(os.Getpagesize())
	p.peak = max(p.peak, p.rss)
	if kib, ok := numberAfter(p.status.read(), "VmHWM:"); ok {
		p.peak = max(p.peak, kib*1024)
	}
	return u, true
}

// startedPIDs are the processes that the first thread started. Those of other
// threads are told in files of theirs, one a thread, which are too many to read.
func (p *process) startedPIDs() []int {
	var pids []int
	for _, field := range bytes.Fields(p.children.read()) {
		if pid, err := strconv.Atoi(string(field)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// processStat is what /proc/PID/stat tells.
type processStat struct{ ticks, faults, started, pages float64 }

// parseStat reads fields 12, 14, 15, 22 and 24 of proc_pid_stat(5). The second,
// the program's name in parentheses, may hold blanks and parentheses itself.
func parseStat(text []byte) (s processStat, ok bool) {
	end := bytes.LastIndexByte(text, ')')
	fields := bytes.Fields(text[end+1:])
	if end < 0 || len(fields) < 22 || bytes.ContainsAny(fields[0], "ZX") { // ended
		return s, false
	}
	field := func(n int) float64 {
		v, fine := wholeNumber(fields[n-3])
		ok = ok && fine
		return v
	}
	ok = true
	s = processStat{faults: field(12), ticks: field(14) + field(15), started: field(22), pages: field(24)}
	return s, ok
}

func (g *group) close() {
	for _, p := range g.members {
		p.close()
	}
	for _, p := range g.reading {
		p.close()
	}
	g.self.close()
	g.uptime.close()
}
