package sched

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// keptEvery is how often the processor time of a group with a limit is read:
// often enough that a burst of a server that idles most of the time shows.
const keptEvery = time.Second

// A usage is the processor time that a group has used until a moment.
type usage struct {
	at   time.Time
	used time.Duration
}

// A keeper watches whether a group keeps within its limit of processor time.
// The file cpu.max does not tell: a sched_ext scheduler that does not implement
// it lifts the limit of every group while the file still reads as set.
type keeper struct {
	file  string // cpu.stat of the group
	cores float64
	cpus  int // of the machine
	first usage
	last  usage
	fault error // the first
}

// newKeeper begins to watch a group before anything runs in it.
func newKeeper(dir string, cores float64) *keeper {
	k := &keeper{file: filepath.Join(dir, "cpu.stat"), cores: cores, cpus: runtime.NumCPU()}
	k.first.at = time.Now()
	k.last = k.first
	return k
}

// keeps watches until quit is closed and says whether the group of the process
// kept within its limit all the time; the group must still be there then.
func (g *Group) keeps(quit <-chan struct{}) error {
	if g == nil || g.kept == nil {
		return nil
	}
	every := time.NewTicker(keptEvery)
	defer every.Stop()
	for {
		select {
		case <-quit:
			g.kept.look()
			return g.kept.fault
		case <-every.C:
			g.kept.look()
		}
	}
}

// look judges what was used until now.
func (k *keeper) look() {
	used, err := k.used()
	if err != nil && k.fault == nil {
		k.fault = fmt.Errorf("%s: whether it was kept cannot be read: %w", CPULimit, err)
	}
	if err == nil {
		k.judge(usage{time.Now(), used})
	}
}

// judge compares what was used since the first reading, and since the one before
// where enough time has passed for the clocks to agree.
func (k *keeper) judge(now usage) {
	k.compare(k.first, now)
	if now.at.Sub(k.last.at) >= keptEvery {
		k.compare(k.last, now)
		k.last = now
	}
}

func (k *keeper) compare(from, to usage) {
	if err := k.within(to.at.Sub(from.at), to.used-from.used); err != nil && k.fault == nil {
		k.fault = err
	}
}

// slack is by how much the clock and the account of processor time of a virtual
// machine were seen to differ that its host leaves little time.
const slack = 250 * time.Millisecond

// within says whether a group may have used so much in such a time. The kernel
// hands out the share period by period, so both ends may hold a whole period's
// more, and a processor notices at its next tick, 10 ms at most, that the share
// is used up. A reading that came late by up to a period is forgiven too.
func (k *keeper) within(wall, used time.Duration) error {
	allowed := time.Duration(k.cores*float64(wall+3*cpuPeriod*time.Microsecond)) + time.Duration(k.cpus)*10*time.Millisecond
	if used <= allowed+allowed/20+slack {
		return nil
	}
	return fmt.Errorf("%s: asked for %s, but %.2f processors' worth of time was used for %.1f s: the scheduler in force does not keep the limits of control groups (cpu.max)",
		CPULimit, strconv.FormatFloat(k.cores, 'f', -1, 64), used.Seconds()/wall.Seconds(), wall.Seconds())
}

// used is the processor time of the group and of all that were in it.
func (k *keeper) used() (time.Duration, error) {
	data, err := os.ReadFile(k.file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if n, ok := strings.CutPrefix(line, "usage_usec "); ok {
			used, err := strconv.ParseInt(strings.TrimSpace(n), 10, 64)
			return time.Duration(used) * time.Microsecond, err
		}
	}
	return 0, fmt.Errorf("%s has no usage_usec", k.file)
}
