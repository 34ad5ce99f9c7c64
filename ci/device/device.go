// Package device says what a machine's accelerators are, how they are set, and what
// they do while something runs on them.
//
// NVIDIA's are read from one long-lived nvidia-smi, which prints a line for each
// device a few times a second, and from a second one that names the processes on
// them. AMD's and Intel's are read from the files of their drivers in /sys. What a
// driver does not tell is absent: NaN or "", never 0. Nothing here can end a run: what
// goes wrong is a warning, one line for each thing that went wrong.
package device

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Bounds of what is read of a machine.
const (
	mostDevices  = 64
	mostWarnings = 32
)

// A State is what one device does now: a value for each quantity, NaN where nothing
// tells it.
type State [Quantities]float64

// A Process is one that has memory or a context on a device.
type Process struct {
	Device string // Device.Name
	PID    int
	Name   string  // of its program; foreign, one bounded line
	Busy   float64 // share of the device's time that it used, 0 to 1; NaN where not told
	Memory float64 // bytes on the device; NaN where not told

	index int // of the device among its source's
}

// A source is where the devices of one maker are read from. Its methods are called
// with the Set's lock held.
type source interface {
	devices() []record.Device
	// read fills in what each device does; passed is the time since the call before.
	read(states []State, passed time.Duration)
	// processes are those on its devices; told is false where that is not known.
	processes() (on []Process, told bool)
	pids() []int // of the programs that this source runs itself
	close()
}

// A Set is the accelerators of this machine. Its methods may be called from any
// goroutine. The nil Set is that of a machine without any.
type Set struct {
	mu       sync.Mutex
	sources  []source
	list     []record.Device
	warnings warnings
	met      bool // a watched process was met on some device
}

// Options say where devices are looked for. The zero value is this machine.
type Options struct {
	Root    fs.FS         // the root folder, for /sys and /proc; nil: the machine's
	SMI     string        // nvidia-smi; "": the one in PATH, where there is one
	Environ []string      // of nvidia-smi; nil: this process's
	Every   time.Duration // between two of its readings; 0: a quarter of a second

	patience time.Duration // for its first answer and line; 0: 20 s
	silence  time.Duration // for each line after that; 0: 20 s, which a starved machine may take
}

// Open finds the devices and begins to read them. It asks nvidia-smi, where there is
// one, which takes a second or more where no other program holds the driver open. It
// returns a Set even where nothing was found. Close must be called.
func Open(ctx context.Context, o Options) *Set {
	if o.Root == nil {
		o.Root = os.DirFS("/")
	}
	if o.Every <= 0 {
		o.Every = 250 * time.Millisecond
	}
	if o.patience <= 0 {
		o.patience = 20 * time.Second
	}
	if o.silence <= 0 {
		o.silence = 20 * time.Second
	}
	s := new(Set)
	if smi := openSMI(ctx, o, &s.warnings); smi != nil {
		s.sources = append(s.sources, smi)
	}
	s.sources = append(s.sources, openSys(tree{o.Root}, &s.warnings))
	for _, source := range s.sources {
		for _, d := range source.devices() {
			d.Name = fmt.Sprintf("gpu%d", len(s.list))
			s.list = append(s.list, d)
		}
	}
	return s
}

// Devices are the devices, in a fixed order: NVIDIA's as nvidia-smi counts them, then
// the others by their cards. The slice is the caller's.
func (s *Set) Devices() []record.Device {
	if s == nil {
		return nil
	}
	return slices.Clone(s.list)
}

// Read returns what each device does now, in the order of Devices. ours says which
// processes are watched: those that are not are the others. passed is the time since
// the call before, which counters are spread over.
func (s *Set) Read(ours func(pid int) bool, passed time.Duration) []State {
	if s == nil || len(s.list) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	states := make([]State, len(s.list))
	for i := range states {
		states[i] = absent()
	}
	at := 0
	for _, source := range s.sources {
		n := len(source.devices())
		source.read(states[at:at+n], passed)
		if on, told := source.processes(); told {
			s.share(states[at:at+n], on, ours)
		}
		at += n
	}
	return states
}

// share says whose the processes on a source's devices are. Whoever sees none of the
// watched processes on any device, as in a container with process numbers of its own,
// cannot tell others from them.
func (s *Set) share(states []State, on []Process, ours func(int) bool) {
	own := s.pids()
	mine := func(p Process) bool { return ours != nil && ours(p.PID) }
	s.met = s.met || slices.ContainsFunc(on, mine)
	if !s.met {
		return
	}
	for i := range states {
		states[i][Own], states[i][OtherProcesses], states[i][OtherBusy], states[i][OtherMemory] = 0, 0, 0, 0
	}
	for _, p := range on {
		switch state := &states[p.index]; {
		case mine(p):
			state[Own]++
		case !slices.Contains(own, p.PID):
			state[OtherProcesses]++
			state[OtherBusy] = min(1, state[OtherBusy]+p.Busy) // NaN stays NaN
			state[OtherMemory] += p.Memory
		}
	}
}

// Temperatures are those of the devices now, °C, in their order; NaN where not told.
func (s *Set) Temperatures() []float64 {
	var all []float64
	for _, state := range s.Read(nil, time.Second) {
		all = append(all, state[Temperature])
	}
	return all
}

// Processes are those that have something on a device now, the tool's own left out.
func (s *Set) Processes() []Process {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	own := append(s.pids(), os.Getpid())
	var all []Process
	at := 0
	for _, source := range s.sources {
		on, _ := source.processes()
		for _, p := range on {
			if p.Device = s.list[at+p.index].Name; !slices.Contains(own, p.PID) {
				all = append(all, p)
			}
		}
		at += len(source.devices())
	}
	return all
}

// PIDs are the programs that read the devices: load of this tool, and nobody else's.
func (s *Set) PIDs() []int {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pids()
}

func (s *Set) pids() []int {
	var all []int
	for _, source := range s.sources {
		all = append(all, source.pids()...)
	}
	return all
}

// Warnings say, a line each, what could not be read and why; the same thing is told once.
func (s *Set) Warnings() []string {
	if s == nil {
		return nil
	}
	return s.warnings.list()
}

// Close ends the programs that read the devices. It may be called again.
func (s *Set) Close() {
	if s == nil {
		return
	}
	for _, source := range s.sources {
		source.close()
	}
}

// warnings keeps one line for each thing that went wrong.
type warnings struct {
	mu    sync.Mutex
	about map[string]bool
	lines []string
}

// add keeps a line, once for each thing that it is about. What it quotes of a program or
// a file is made safe here.
func (w *warnings) add(about, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.about == nil {
		w.about = make(map[string]bool)
	}
	if w.about[about] || len(w.lines) == mostWarnings {
		return
	}
	w.about[about] = true
	w.lines = append(w.lines, proc.OneLine(fmt.Sprintf(format, args...), 300))
}

func (w *warnings) list() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.lines)
}

// Environment are the variables that hide devices from programs or put them in
// another order, as this process passes them on: NAME=value each, sorted.
func Environment(environ []string) []string {
	found := make(map[string]string)
	for _, entry := range environ {
		for _, name := range visibility {
			if value, ok := cutName(entry, name); ok {
				found[name] = proc.OneLine(name+"="+value, 300)
			}
		}
	}
	return slices.Sorted(maps.Values(found))
}

// visibility are the variables by which CUDA, ROCm, oneAPI and container runtimes
// choose devices. Those of llama.cpp itself (GGML_*) an arm sets.
var visibility = []string{
	"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES", "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE",
	"HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ONEAPI_DEVICE_SELECTOR", "ZE_AFFINITY_MASK",
}

func cutName(entry, name string) (value string, ok bool) {
	if len(entry) > len(name) && entry[:len(name)] == name && entry[len(name)] == '=' {
		return entry[len(name)+1:], true
	}
	return "", false
}
