package host

import (
	"cmp"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Others finds out which programs used the processors beside what was measured.
// It reads of processes only in Update, so that it disturbs no
// trial; what began and ended between two updates it does not see. It is not safe
// for use by several goroutines.
type Others struct {
	tree   tree
	own    func() []int // this program, and those by which it reads devices
	last   snapshot
	ticks  map[string]float64 // by name
	passed float64            // seconds
}

// WatchOthers takes the first snapshot. The programs by which this one reads devices are
// none of the others.
func WatchOthers(devices *device.Set) *Others {
	return newOthers(tree{os.DirFS("/")}, func() []int { return append(devices.PIDs(), os.Getpid()) }, time.Now())
}

func newOthers(t tree, own func() []int, now time.Time) *Others {
	return &Others{tree: t, own: own, last: t.snapshot(now), ticks: make(map[string]float64)}
}

// Update takes in what the processes that run now have done since the last update.
// What is measured must not run. Within a second of that update it does nothing:
// it takes some milliseconds.
func (o *Others) Update() {
	if now := time.Now(); now.Sub(o.last.at) >= time.Second {
		o.update(now)
	}
}

func (o *Others) update(now time.Time) {
	e, own := examination{tree: o.tree, before: o.last, after: o.tree.snapshot(now)}, o.own()
	seconds := e.seconds()
	if seconds == 0 {
		return // too soon to say anything
	}
	for pid, p := range e.after.processes {
		if !slices.Contains(own, pid) {
			o.ticks[p.name] += e.used(pid) * seconds
		}
	}
	o.passed += seconds
	o.last = e.after
}

// Busiest returns the programs that kept the processors busy for at least a
// twentieth of a core in all the time watched, the busiest first and
// at most five; nil where nothing is told.
func (o *Others) Busiest() []record.Neighbour {
	var list []record.Neighbour
	for name, seconds := range o.ticks {
		if cores := seconds / o.passed; cores >= heavyCores {
			list = append(list, record.Neighbour{Name: oneLine(strings.TrimSpace(name), 40), Cores: math.Round(100*cores) / 100})
		}
	}
	slices.SortFunc(list, func(a, b record.Neighbour) int {
		return cmp.Or(cmp.Compare(b.Cores, a.Cores), cmp.Compare(a.Name, b.Name))
	})
	return list[:min(len(list), mostNamed)]
}
