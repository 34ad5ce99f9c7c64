package host

import (
	"context"
	"os"
	"slices"
	"time"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A Severity says what a finding means for a measurement.
type Severity string

const (
	Hard    Severity = "hard"    // no measurement can succeed, or its numbers are certain to be worthless
	Soft    Severity = "soft"    // numbers spread more, or depend on more than what is compared
	Fine    Severity = "ok"      // as it should be
	Unknown Severity = "unknown" // not told here, so nobody can say
)

// A Finding is one answer to the question whether this machine is fit to
// measure. Its texts are one printable line each; what stems from the machine,
// such as the names of programs, is bounded and escaped.
type Finding struct {
	Check    string   `json:"check"` // stable name of the question, such as "governor"
	Severity Severity `json:"severity"`
	Found    string   `json:"found"`            // what there is
	Why      string   `json:"why,omitempty"`    // it matters; empty when it is fine
	Change   string   `json:"change,omitempty"` // the command that changes it, or what to do

	// Settings are what Fix writes: only what is safe and can be undone.
	Settings []Setting `json:"settings,omitempty"`
}

// A Setting is a value of a kernel file.
type Setting struct {
	Path  string `json:"path"` // absolute
	Value string `json:"value"`
}

// A Subject is what is going to be measured.
type Subject struct {
	Dir      string           // output folder, which need not exist; "" asks nothing about it
	Models   map[string]int64 // bytes of each model file, by name
	Interval time.Duration    // to watch the machine for; 0: a second
	Devices  *device.Set      // accelerators, nil for none
}

// Examine says whether this machine is fit to measure now, a finding for every
// question in a fixed order. It reads files, watches for the interval, and
// leaves nothing behind. The error is ctx.Err().
//
// Only Linux, whose files it reads, answers most of the questions; elsewhere
// they are Unknown.
func Examine(ctx context.Context, s Subject) ([]Finding, error) {
	if s.Interval <= 0 {
		s.Interval = time.Second
	}
	e := examination{tree: tree{os.DirFS("/")}, subject: s, devices: s.Devices.Devices(), room: diskRoom}
	e.before = e.tree.snapshot(time.Now())
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(s.Interval):
	}
	e.after = e.tree.snapshot(time.Now())
	e.own = append(s.Devices.PIDs(), os.Getpid())
	e.states, e.onDevices = s.Devices.Read(nil, s.Interval), s.Devices.Processes()
	return e.findings(), nil
}

// An examination is what the questions are answered from.
type examination struct {
	tree          tree
	subject       Subject
	own           []int // this process and those that read devices for it, whose work counts for nobody
	before, after snapshot
	devices       []record.Device
	states        []device.State   // of each device
	onDevices     []device.Process // of others
	room          func(dir string) (free uint64, err error)
}

// A question has one finding.
type question struct {
	check  string
	answer func() Finding
}

func (e *examination) findings() []Finding {
	var all []Finding
	for _, question := range append([]question{
		{"output", e.output}, {"disk", e.disk}, {"memory", e.memory}, {"swap", e.swap},
		{"programs", e.programs}, {"load", e.load}, {"steal", e.steal}, {"throttling", e.throttling},
		{"governor", e.tree.governors}, {"turbo", e.tree.turbo}, {"smt", e.tree.smt},
		{"numa_balancing", e.tree.numaBalancing}, {"thp", e.tree.hugePages}, {"aslr", e.tree.addressLayout},
		{"clocksource", e.tree.clockSource}, {"isolcpus", e.tree.isolated}, {"sched_ext", e.schedExt},
		{"cpu_quota", e.tree.cpuQuota}, {"cpuset", e.tree.cpuset}, {"container", e.tree.container},
	}, e.accelerators()...) {
		f := question.answer()
		f.Check = question.check
		f.Found = oneLine(f.Found, 300)
		all = append(all, f)
	}
	return all
}

// Worst is the worst severity among findings: Hard, Soft, else Fine.
func Worst(findings []Finding) Severity {
	for _, s := range []Severity{Hard, Soft} {
		if slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == s }) {
			return s
		}
	}
	return Fine
}

func fine(found string) Finding { return Finding{Severity: Fine, Found: found} }

func unknown(found string) Finding { return Finding{Severity: Unknown, Found: found} }
