package device

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// smi reads NVIDIA's devices by nvidia-smi. Its methods but those of streams are
// called with the Set's lock held; the two streams keep what they read themselves.
type smi struct {
	warnings *warnings
	list     []record.Device
	rows     *rows      // the latest of each device
	on       *processes // the latest of each device
	streams  []*stream
}

// identity are the fields of nvidia-smi that say what a device is and how it is set,
// and readings those that say what it does. The name is last: it may hold a comma.
var (
	identity = []string{
		"index", "uuid", "pci.bus_id", "driver_version", "vbios_version", "memory.total", "power.limit", "power.default_limit", "clocks.max.sm",
		"persistence_mode", "ecc.mode.current", "mig.mode.current", "display_active",
		"pcie.link.gen.max", "pcie.link.width.max", "pcie.link.gen.current", "pcie.link.width.current", "name",
	}
	readings = []string{
		"index", "uuid", "clocks.sm", "clocks.mem", "temperature.gpu", "power.draw", "utilization.gpu", "memory.used",
		"pcie.link.gen.current", "clocks_throttle_reasons.active",
	}
	// newNames are what newer drivers call a field.
	newNames = map[string]string{"clocks_throttle_reasons.active": "clocks_event_reasons.active"}
)

// openSMI asks nvidia-smi for the devices and lets it run on; nil where there is none
// or it knows no device.
func openSMI(ctx context.Context, o Options, w *warnings) *smi {
	program := o.SMI
	if program == "" {
		found, err := exec.LookPath("nvidia-smi")
		if err != nil {
			if (tree{o.Root}).exists("proc/driver/nvidia/version") {
				w.add("nvidia-smi", "the NVIDIA driver is loaded, and nvidia-smi is not in PATH: clocks, temperature and power of its devices are not recorded")
			}
			return nil
		}
		program = found
	}
	environ := o.Environ
	if environ == nil {
		environ = os.Environ()
	}
	q := query{program: program, environ: append(slices.Clone(environ), "LC_ALL=C"), patience: o.patience}
	ctx, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
	lines, fields, err := q.ask(ctx, identity)
	if err != nil {
		w.add("nvidia-smi", "nvidia-smi does not tell of its devices, which are not recorded: %v", err)
		return nil
	}
	s := &smi{warnings: w}
	for _, line := range lines {
		if d, ok := deviceOf(line, fields); ok && len(s.list) < mostDevices {
			s.list = append(s.list, d)
		} else if !ok {
			w.add(line, "nvidia-smi: %s", line)
		}
	}
	if len(s.list) == 0 {
		return nil
	}
	q.details(ctx, s.list)
	if _, fields, err = q.ask(ctx, readings); err != nil {
		w.add("readings", "nvidia-smi does not tell what its devices do, which is not recorded: %v", err)
		return s
	}
	s.rows = newRows(s.list, fields, w)
	s.on = newProcesses(s.list)
	s.start(q, o, "--query-gpu", []string{"--query-gpu=" + strings.Join(fields, ","), "--format=csv,noheader,nounits", "--loop-ms=" + strconv.FormatInt(o.Every.Milliseconds(), 10)}, s.rows.line)
	s.start(q, o, "pmon", []string{"pmon", "-s", "um", "-d", "1"}, s.on.line)
	return s
}

func (s *smi) start(q query, o Options, what string, args []string, line func(string)) {
	one := &stream{
		program: q.program, args: args, environ: q.environ, patience: o.patience, silence: max(o.silence, 4*o.Every), line: line,
		gaveUp: func(why string) {
			s.warnings.add(what, "nvidia-smi %s ended twice, and what it reads is not recorded from then on: %s", what, why)
		},
	}
	one.start()
	s.streams = append(s.streams, one)
}

func (s *smi) devices() []record.Device { return s.list }

func (s *smi) read(states []State, passed time.Duration) {
	if s.rows != nil {
		s.rows.read(states, passed, time.Now())
	}
}

func (s *smi) processes() ([]Process, bool) {
	if s.on == nil {
		return nil, false
	}
	return s.on.latest(time.Now())
}

func (s *smi) pids() (all []int) {
	for _, stream := range s.streams {
		if pid := stream.pid(); pid > 0 {
			all = append(all, pid)
		}
	}
	return all
}

func (s *smi) close() {
	for _, stream := range s.streams {
		stream.close()
	}
}

// A query asks nvidia-smi once.
type query struct {
	program  string
	environ  []string
	patience time.Duration
}

// ask returns the rows of the fields that this version of nvidia-smi knows, and those
// fields. An older or newer one refuses all of them for a name that it does not know.
func (q query) ask(ctx context.Context, wanted []string) (rows, fields []string, err error) {
	fields = slices.Clone(wanted)
	for range 2 * len(wanted) {
		lines, err := q.run(ctx, "--query-gpu="+strings.Join(fields, ","), "--format=csv,noheader,nounits")
		unknown := unknownField(lines)
		i := slices.Index(fields, unknown)
		switch {
		case i >= 0 && newNames[unknown] != "":
			fields[i] = newNames[unknown]
		case i >= 0:
			fields = slices.Delete(fields, i, i+1)
		case err != nil && !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "GPU-") }):
			return nil, nil, err
		default: // a device that is lost makes it fail, after it told of the others
			return lines, fields, nil
		}
	}
	return nil, nil, errors.New("it knows none of the fields")
}

// run returns the lines that nvidia-smi prints to either output, bounded; the error
// tells its first one.
func (q query) run(ctx context.Context, args ...string) ([]string, error) {
	out := proc.Head{Max: 1 << 20}
	cmd := exec.CommandContext(ctx, q.program, args...)
	proc.EndTogether(cmd)
	cmd.Env, cmd.Stdout, cmd.Stderr = q.environ, &out, &out
	err := cmd.Run()
	var lines []string
	for line := range strings.SplitSeq(out.String(), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, errors.New("no answer within " + q.patience.String())
	case err != nil && len(lines) > 0:
		return lines, errors.New(proc.OneLine(lines[0], 200))
	}
	return lines, err
}
