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
	"time"

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

	cLibrary string // of the system
}

// leastValgrind is the oldest version that is known to do what is asked of it.
var leastValgrind = [2]int{3, 15}

var valgrindVersion = regexp.MustCompile(`^valgrind-(\d+)\.(\d+)`)

const valgrindAdvice = "install it from the system's packages (apt-get install valgrind), or put the folder of what 'llama-regress provision valgrind' prints into PATH"

// chooseTool finds what counts: what the configuration asks for, or, of auto, the
// processor's counters where they are, else valgrind.
func (c *Counter) chooseTool(ctx context.Context, asked string) (countTool, error) {
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
	path, err := c.valgrind(ctx)
	if err != nil {
		return countTool{}, fmt.Errorf("the processor's counters are not to be had, and %w", err)
	}
	version, err := versionOf(ctx, path)
	if err != nil {
		return countTool{}, fmt.Errorf("%s --version failed (%w): %s", path, err, valgrindAdvice)
	}
	m := valgrindVersion.FindStringSubmatch(version)
	if m == nil {
		return countTool{}, fmt.Errorf("%s is not valgrind: to --version it printed %.60q; %s", path, version, valgrindAdvice)
	}
	if have := [2]int{atoi(m[1]), atoi(m[2])}; slices.Compare(have[:], leastValgrind[:]) < 0 {
		return countTool{}, fmt.Errorf("%s is older than valgrind %d.%d: %s", version, leastValgrind[0], leastValgrind[1], valgrindAdvice)
	}
	return countTool{kind: record.Valgrind, version: version[:min(len(version), 60)], path: path}, nil
}

// valgrind is where it is.
func (c *Counter) valgrind(ctx context.Context) (path string, err error) {
	if c.Find != nil {
		return c.Find(ctx)
	}
	if path, err = exec.LookPath("valgrind"); err != nil {
		return "", fmt.Errorf("valgrind is not in PATH: %s", valgrindAdvice)
	}
	return path, nil
}

// versionLimit is how long a program may take to say its version, on a busy machine.
const versionLimit = time.Minute

// versionOf is what a program prints to --version.
func versionOf(ctx context.Context, path string) (string, error) {
	end, err := runChild(ctx, childSpec{program: path, args: []string{"--version"}, env: os.Environ(), maxStdout: 4 << 10, timeout: versionLimit, limit: versionLimit})
	if err != nil {
		return "", err
	}
	if f := failureOf(end, childSpec{program: path, limit: versionLimit}, false); f != nil {
		return "", errors.New(f.Message)
	}
	return strings.TrimSpace(string(end.stdout)), nil
}

// Usable says why nothing counts on this machine, of the tools that are asked for as
// in the configuration, and what to do.
func (c *Counter) Usable(ctx context.Context, asked string) error {
	_, err := c.tool(ctx, asked)
	return err
}

// tool is what counts, chosen once.
func (c *Counter) tool(ctx context.Context, asked string) (countTool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.chosen == nil && c.refused == nil {
		tool, err := c.chooseTool(ctx, asked)
		if err != nil && ctx.Err() != nil {
			return countTool{}, ctx.Err()
		}
		tool.cLibrary = cLibraryOfSystem()
		c.chosen, c.refused = &tool, err
	}
	return *c.chosen, c.refused
}

// A counted is what one invocation of the program executed.
type counted struct {
	instructions int64              // of all processes
	profile      *callgrind.Profile // of the process that executed most; nil where the tool tells none

	before     int64              // of the process with the repetition, until that began
	repetition *callgrind.Profile // from its beginning to the end of its context; nil where nothing tells it apart
}

// run runs the program once and counts. dir is an empty folder for files of the tool.
// The error is that of the context.
func (t countTool) run(ctx context.Context, spec childSpec, dir string) (counted, *childEnd, *record.Failure, error) {
	program := spec.program
	if t.kind == record.Valgrind {
		spec.args = slices.Concat([]string{"--tool=callgrind", "--trace-children=yes", "--dump-line=no"}, markArgs(),
			[]string{"--callgrind-out-file=" + filepath.Join(dir, "%p.out"), "--log-file=" + filepath.Join(dir, "%p.log"), program}, spec.args)
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
