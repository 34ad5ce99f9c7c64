package host

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/disturbance"
	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

const (
	mostNamed     = 5       // programs that a finding names
	mostLookedAt  = 1 << 15 // processes
	heavyCores    = 0.05    // that a program keeps busy to be named
	busyLoad      = 0.5     // load a processor from which on the machine is busy
	shortestWatch = 50 * time.Millisecond
)

// A snapshot is what the machine has done so far.
type snapshot struct {
	at                  time.Time
	busy, stolen, total float64 // ticks since boot
	ok                  bool    // they are told
	throttled           float64
	throttles           bool // that is told
	processes           map[int]spent
}

// A spent is one process: its name, untrusted, and the ticks it has used.
type spent struct {
	name    string
	ticks   float64
	started float64
}

func (t tree) snapshot(now time.Time) snapshot {
	l := snapshot{at: now, processes: make(map[int]spent)}
	l.busy, l.stolen, l.total, l.ok = parseCPU([]byte(t.text("proc/stat")))
	for _, n := range evenly(t.online(), mostProcessors) {
		for _, what := range []string{"core", "package"} {
			text := t.text(fmt.Sprintf(cpus+"cpu%d/thermal_throttle/%s_throttle_count", n, what))
			if count, ok := wholeNumber([]byte(text)); ok {
				l.throttled += count
				l.throttles = true
			}
		}
	}
	entries, _ := fs.ReadDir(t.FS, "proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid <= 0 || len(l.processes) >= mostLookedAt {
			continue
		}
		text := []byte(t.text("proc/" + entry.Name() + "/stat"))
		if s, ok := parseStat(text); ok {
			open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
			l.processes[pid] = spent{name: string(text[min(open+1, end):end]), ticks: s.ticks, started: s.started}
		}
	}
	return l
}

// seconds is how long the machine was watched, 0 when too short to say anything.
func (e *examination) seconds() float64 {
	if passed := e.after.at.Sub(e.before.at); passed >= shortestWatch && e.before.ok && e.after.ok {
		return passed.Seconds()
	}
	return 0
}

// used is how many cores a process kept busy while the machine was watched.
func (e *examination) used(pid int) float64 {
	now, was := e.after.processes[pid], e.before.processes[pid]
	if was.started != now.started {
		was.ticks = 0 // it began meanwhile, perhaps under the number of another
	}
	return max(0, now.ticks-was.ticks) / ticksPerSecond / e.seconds()
}

// programs says what else runs. It is Soft however much that is: it may be over
// in a minute, and trials that suffer from it are found by their conditions.
func (e *examination) programs() Finding {
	seconds := e.seconds()
	if seconds == 0 {
		return unknown("not told")
	}
	others := (e.after.busy - e.before.busy) / ticksPerSecond / seconds
	for _, pid := range e.own {
		others -= e.used(pid)
	}
	others = max(0, others)
	if others <= disturbance.Standard().OtherCPU {
		return fine(fmt.Sprintf("others use %.2f cores", others))
	}
	type heavy struct {
		pid   int
		cores float64
	}
	var all []heavy
	for pid := range e.after.processes {
		if c := e.used(pid); !slices.Contains(e.own, pid) && c >= heavyCores {
			all = append(all, heavy{pid, c})
		}
	}
	slices.SortFunc(all, func(a, b heavy) int { return cmp.Or(cmp.Compare(b.cores, a.cores), cmp.Compare(a.pid, b.pid)) })
	var names []string
	for _, h := range all {
		names = append(names, fmt.Sprintf("%s (%d) %.2f", oneLine(e.after.processes[h.pid].name, 40), h.pid, h.cores))
	}
	if len(all) == 0 {
		names = []string{"many small or short programs, or some that are not to be seen from here"}
	}
	return Finding{
		Severity: Soft, Found: fmt.Sprintf("others use %.2f cores: %s", others, proc.List(names, mostNamed)),
		Why:    "what they take is missing in some trials and not in others",
		Change: "stop them, or measure when they are done",
	}
}

func (e *examination) load() Finding {
	one, _, _ := strings.Cut(e.tree.text("proc/loadavg"), " ")
	load, err := strconv.ParseFloat(one, 64)
	n := len(e.tree.online())
	switch {
	case err != nil || n == 0:
		return unknown("not told")
	case load <= busyLoad*float64(n):
		return fine(fmt.Sprintf("%.2f in the last minute, on %d processors", load, n))
	}
	return Finding{
		Severity: Soft, Found: fmt.Sprintf("%.2f in the last minute, on %d processors", load, n),
		Why:    "the machine was busy a moment ago and may be again",
		Change: "wait for it to become quiet: see uptime",
	}
}

func (e *examination) steal() Finding {
	if e.seconds() == 0 {
		return unknown("not told")
	}
	share := func(from snapshot) float64 {
		return max(0, e.after.stolen-from.stolen) / max(1, e.after.total-from.total)
	}
	now, ever := share(e.before), share(snapshot{})
	found := fmt.Sprintf("%.1f%% now, %.1f%% since boot", 100*now, 100*ever)
	if now <= disturbance.Standard().Steal && ever <= disturbance.Standard().Steal {
		return fine(found)
	}
	return Finding{
		Severity: Soft, Found: found,
		Why:    "the hypervisor gives this machine's processors to others, at times that nobody here chooses",
		Change: "use a machine with processors of its own (dedicated, bare metal)",
	}
}

func (e *examination) throttling() Finding {
	switch now := e.after.throttled - e.before.throttled; {
	case !e.after.throttles:
		return unknown("not told")
	case now > 0:
		return Finding{
			Severity: Soft, Found: fmt.Sprintf("slowed down for heat %.0f times just now", now),
			Why:    "the processor is at its limit before anything is measured",
			Change: "let it cool down; look at fans and power limits",
		}
	}
	return fine(fmt.Sprintf("none now; %.0f times since boot", e.after.throttled))
}

// schedExt tells of a scheduler that is loaded, and of services that may load one.
func (e *examination) schedExt() Finding {
	var services []string
	for _, pid := range slices.Sorted(maps.Keys(e.after.processes)) {
		if p := e.after.processes[pid]; strings.HasPrefix(p.name, "scx_") && len(services) < mostNamed {
			services = append(services, fmt.Sprintf("%s (%d)", oneLine(p.name, 40), pid))
		}
	}
	loaded := e.tree.scheduler()
	switch {
	case loaded == "" && len(e.after.processes) == 0:
		return unknown("not told")
	case (loaded == "default" || loaded == "") && len(services) == 0:
		return fine("none runs")
	}
	return Finding{
		Severity: Soft, Found: fmt.Sprintf("scheduler: %s; programs: %s", loaded, cmp.Or(strings.Join(services, ", "), "none")),
		Why:    "what is measured is this scheduler too, and a service may load another one meanwhile",
		Change: "sudo systemctl stop scx.service scx_loader.service",
	}
}

// oneLine bounds foreign text and makes it safe to print, also in a log of
// GitHub Actions, which obeys lines with "##[".
func oneLine(text string, most int) string {
	return strings.ReplaceAll(proc.OneLine(text, most), "##[", "# #[")
}
