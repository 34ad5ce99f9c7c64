package llama

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/llama-regress/llama-regress/ci/callgrind"
	"github.com/llama-regress/llama-regress/ci/record"
)

// An instructionCounter counts the instructions that programs execute in user mode.
type instructionCounter interface {
	// Begin counts what the children of this thread execute, from their start on. The
	// thread is locked. An error says why nothing is counted, and what to do.
	Begin() (countReading, error)
}

// A countReading is a count under way.
type countReading interface {
	// End returns the count, after the children have ended.
	End() (instructions int64, err error)
}

// A countTool is what counts on this machine.
type countTool struct {
	kind    record.CountTool
	version string
	path    string             // of valgrind
	counter instructionCounter // of the processor
}

// leastValgrind is the oldest version that is known to do what is asked of it.
var leastValgrind = [2]int{3, 15}

var valgrindVersion = regexp.MustCompile(`^valgrind-(\d+)\.(\d+)`)

const valgrindAdvice = "install it from the system's packages (apt-get install valgrind), or put the folder of what 'llama-regress provision valgrind' prints into PATH"

// chooseTool finds what counts: what the configuration asks for, or, of auto, the
// processor's counters where they are, else valgrind.
func (c *Counter) chooseTool(asked string) (countTool, error) {
	counters := c.counters
	if counters == nil {
		counters = perfCounters{}
	}
	perf := func() error {
		r, err := counters.Begin()
		if err == nil {
			_, err = r.End()
		}
		return err
	}
	if asked != string(record.Valgrind) {
		err := perf()
		if err == nil {
			return countTool{kind: record.Perf, counter: counters}, nil
		}
		if asked == string(record.Perf) {
			return countTool{}, err
		}
	}
	path, err := exec.LookPath("valgrind")
	if err != nil {
		return countTool{}, fmt.Errorf("valgrind is not in PATH, and the processor's counters are not to be had: %s", valgrindAdvice)
	}
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return countTool{}, fmt.Errorf("%s --version failed (%w): %s", path, err, valgrindAdvice)
	}
	version := strings.TrimSpace(string(out))
	m := valgrindVersion.FindStringSubmatch(version)
	if m == nil {
		return countTool{}, fmt.Errorf("%s is not valgrind: to --version it printed %.60q; %s", path, version, valgrindAdvice)
	}
	if have := [2]int{atoi(m[1]), atoi(m[2])}; slices.Compare(have[:], leastValgrind[:]) < 0 {
		return countTool{}, fmt.Errorf("%s is older than valgrind %d.%d: %s", version, leastValgrind[0], leastValgrind[1], valgrindAdvice)
	}
	return countTool{kind: record.Valgrind, version: version[:min(len(version), 60)], path: path}, nil
}

// A counted is what one invocation of the program executed.
type counted struct {
	instructions int64
	profile      *callgrind.Profile // of the process that executed most; nil where the tool tells none
}

// run runs the program once and counts. dir is an empty folder for files of the tool.
// The error is that of the context.
func (t countTool) run(ctx context.Context, spec childSpec, dir string) (counted, *childEnd, *record.Failure, error) {
	program := spec.program
	if t.kind == record.Valgrind {
		spec.args = append([]string{"--tool=callgrind", "--trace-children=yes", "--dump-line=no", "--callgrind-out-file=" + filepath.Join(dir, "%p.out"), "--log-file=" + filepath.Join(dir, "%p.log"), program}, spec.args...)
		spec.program = t.path
	} else {
		spec.counter = t.counter
	}
	killsBefore := memoryKills()
	end, err := runChild(ctx, spec)
	switch {
	case ctx.Err() != nil && err != nil:
		return counted{}, nil, nil, ctx.Err()
	case err != nil:
		return counted{}, nil, &record.Failure{Class: record.StartFailed, Message: cannotStart(spec.program, err).Error()}, nil
	}
	if f := failureOf(end, spec, memoryKills() > killsBefore || end.starved); f != nil {
		return counted{}, end, t.explained(f, end, program), nil
	}
	if t.kind == record.Perf {
		if end.uncounted != nil {
			return counted{}, end, &record.Failure{Class: record.NoCounter, Message: end.uncounted.Error()}, nil
		}
		return counted{instructions: end.instructions}, end, nil, nil
	}
	n, err := readProfiles(dir)
	if err != nil {
		return counted{}, end, &record.Failure{Class: record.BadOutput, Message: fmt.Sprintf("what valgrind wrote cannot be read: %v; see that the folder for temporary files has room", err)}, nil
	}
	return n, end, nil, nil
}

// explained says of a failure under valgrind what it comes from.
func (t countTool) explained(f *record.Failure, end *childEnd, program string) *record.Failure {
	signal, _ := endedBy(end)
	switch {
	case t.kind != record.Valgrind:
	case signal == syscall.SIGILL:
		f.Class = record.NoCounter
		f.Message = fmt.Sprintf("%s does not know an instruction of this build, as none of AVX-512: %s", t.version, withoutAVX512(program))
	case f.Class == record.TimedOut:
		f.Message += "; under valgrind a program is 50 to 400 times slower, so that few tokens of a small model are counted in the time"
	}
	return f
}

// withoutAVX512 is how to get a build that valgrind can run.
func withoutAVX512(program string) string {
	const build = "build with -DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON, or with -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON, which chooses what the processor under valgrind can do"
	other := filepath.Join(filepath.Dir(filepath.Dir(program)), "haswell")
	if _, err := os.Stat(filepath.Join(other, filepath.Base(program))); err == nil && other != filepath.Dir(program) {
		return "use the variant in " + other + ", or " + build
	}
	return build
}

// readProfiles adds up what the processes of one invocation executed: a wrapper
// script is a process too, and what it starts. Their count is that of all, the
// profile that of the largest.
func readProfiles(dir string) (n counted, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.out*"))
	if err != nil {
		return n, err
	}
	for _, file := range files {
		p, err := readProfile(file)
		if err != nil {
			return n, err
		}
		n.instructions += p.Instructions
		if n.profile == nil || p.Instructions > n.profile.Instructions {
			n.profile = p
		}
	}
	if n.profile == nil {
		return n, errors.New("it wrote no profile")
	}
	return n, nil
}

func readProfile(file string) (*callgrind.Profile, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return callgrind.Read(f)
}

// libcVersion is what glibc says of itself within its library.
var libcVersion = regexp.MustCompile(`GNU C Library [^\n]{0,200}?version (\d{1,2}\.\d{1,3})`)

// cLibrary names the C library that a profile shows, or else that of the system;
// "" where nothing tells.
func cLibrary(p *callgrind.Profile) string {
	if p != nil {
		for _, f := range p.Functions {
			if !strings.HasPrefix(filepath.Base(f.Object), "libc.so") && !strings.HasPrefix(filepath.Base(f.Object), "libc-") {
				continue
			}
			if data, err := os.ReadFile(f.Object); err == nil {
				if m := libcVersion.FindSubmatch(data); m != nil {
					return "glibc " + string(m[1])
				}
			}
			break
		}
	}
	out, err := exec.Command("getconf", "GNU_LIBC_VERSION").Output()
	if text := strings.TrimSpace(string(out)); err == nil && strings.HasPrefix(text, "glibc ") && len(text) < 40 {
		return text
	}
	return ""
}

// tunables keep the C library from choosing its functions by what is new in a
// processor, and by the sizes of its caches. A library that does not know one leaves
// it out.
const tunables = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM:" +
	"glibc.cpu.x86_data_cache_size=32768:glibc.cpu.x86_shared_cache_size=1048576:glibc.cpu.x86_non_temporal_threshold=786432"

const tunablesVariable = "GLIBC_TUNABLES"

// pinned is an environment with the tunables, unless it has some, and those that are
// in force.
func pinned(env []string) (all []string, inForce string) {
	for _, entry := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(entry, tunablesVariable+"="); ok {
			return env, value
		}
	}
	return append(slices.Clip(env), tunablesVariable+"="+tunables), tunables
}
