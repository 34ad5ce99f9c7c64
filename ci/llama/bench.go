// Package llama drives llama.cpp's programs: it finds out what a build
// understands, spells every setting in that build's own form, runs it so that
// nothing is left behind, and reads what it prints, whatever its age.
package llama

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A Bench measures trials with llama-bench. Its zero value is ready to use.
// It must not be copied after its first use.
type Bench struct {
	// Threads is what a trial gets for which neither cell nor arm says how
	// many; 0 is host.PhysicalCores().
	Threads int

	// LogDir is an existing folder that gets one file a trial, ID.log: the
	// commands, what they wrote to stderr (16 MiB at most) and, of a trial
	// that failed, the beginning of its results. "" writes none.
	LogDir string

	// Environ is the environment that programs inherit, os.Environ() when nil.
	// Variables of llama.cpp itself (GGML_*, LLAMA_*) are not inherited.
	Environ []string

	mu       sync.Mutex
	programs map[string]*program // by name of the arm
}

// A program is the llama-bench of an arm, as it was when the run began.
type program struct {
	build   record.Build
	caps    capabilities
	files   []watchedFile
	env     []string // the whole environment it runs in
	dropped []string // inherited variables that are not in it

	// What its first result called the build; every later one must agree.
	commit string
	number int
	seen   bool
}

// identifyTimeout covers the loading of every backend on a cold disk.
const identifyTimeout = 60 * time.Second

// Identify finds the llama-bench of an arm, learns from its help what it
// understands, and checks that the arm's own parameters can be passed to it. Commit and
// number are filled in where the build has --version (b11669 has); of other
// builds they are known after the first trial, from its Echo.
func (b *Bench) Identify(ctx context.Context, arm record.Arm) (record.Build, error) {
	p, err := b.identify(ctx, arm)
	if err != nil {
		if ctx.Err() != nil {
			return record.Build{}, ctx.Err()
		}
		return record.Build{}, fmt.Errorf("arm %s: %w", arm.Name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.programs == nil {
		b.programs = make(map[string]*program)
	}
	b.programs[arm.Name] = p
	return p.build, nil
}

func (b *Bench) identify(ctx context.Context, arm record.Arm) (*program, error) {
	path, err := findProgram(arm.Bin, "llama-bench")
	if err != nil {
		return nil, err
	}
	p := &program{build: record.Build{Program: path}}
	p.env, p.dropped = environment(b.environ(), arm.Env)
	if p.files, err = watch(path); err != nil {
		return nil, err
	}
	p.build.SHA256 = p.files[0].sha256

	help, err := p.ask(ctx, "-h")
	if err != nil {
		return nil, err
	}
	caps, ok := readHelp(string(help.stdout))
	if !ok {
		return nil, fmt.Errorf("%s is not llama-bench: to -h it printed %s; point bin at the folder that holds llama-bench", path, quoted(help))
	}
	p.caps = caps
	if caps.has("--version") {
		if answer, err := p.ask(ctx, "--version"); err == nil {
			if v, ok := readVersion(string(answer.stdout) + "\n" + answer.stderr); ok {
				p.build.Version, p.build.Commit, p.build.Number = v.text, v.commit, v.number
			}
		}
	}
	values, asked := parameters(1, nil, arm.Params)
	if _, err := parameterArgs(caps, values, asked); err != nil {
		return nil, fmt.Errorf("%s: %w", p.name(), err)
	}
	return p, nil
}

// ask runs the program with one flag that prints something and ends.
func (p *program) ask(ctx context.Context, flag string) (*childEnd, error) {
	end, err := runChild(ctx, childSpec{
		program: p.build.Program, args: []string{flag}, env: p.env,
		timeout: identifyTimeout, maxStdout: 1 << 20,
	})
	switch {
	case err != nil:
		return nil, cannotStart(p.build.Program, err)
	case end.reason == endedTimeout:
		return nil, fmt.Errorf("%s %s did not end within %s; it printed %s", p.build.Program, flag, identifyTimeout, quoted(end))
	case end.reason == endedFlood:
		return nil, fmt.Errorf("%s is not llama-bench: %s prints without end", p.build.Program, flag)
	case !end.state.Success():
		return nil, fmt.Errorf("%s %s failed (%s): it printed %s; %s", p.build.Program, flag, end.state, quoted(end), libraryAdvice(end.stderr))
	}
	return end, nil
}

// name is how messages call the build: what it says of itself, or its path.
func (p *program) name() string {
	if p.build.Version != "" {
		return fmt.Sprintf("%s (%s)", p.build.Program, p.build.Version)
	}
	return p.build.Program
}

func (b *Bench) environ() []string {
	if b.Environ != nil {
		return b.Environ
	}
	return os.Environ()
}

// cannotStart explains why the kernel refused a program that is there.
func cannotStart(path string, err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("%s cannot be run: it is no program, or one for another processor; build llama.cpp on this machine: %w", path, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s cannot be run: the file is there, but not the interpreter or loader it names; build llama.cpp on this machine: %w", path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s cannot be run: it is not executable for this user, or its file system is mounted noexec: %w", path, err)
	}
	var wrapped *exec.Error
	if errors.As(err, &wrapped) {
		return err
	}
	return fmt.Errorf("%s cannot be run: %w", path, err)
}

// libraryAdvice is the next step after a program that failed to print its help.
func libraryAdvice(stderr string) string {
	for _, mark := range []string{"error while loading shared libraries", "Library not loaded", "cannot open shared object"} {
		if strings.Contains(stderr, mark) {
			return "its libraries are not where it looks: keep the whole build folder together, set LD_LIBRARY_PATH in the arm's env, or build with -DBUILD_SHARED_LIBS=OFF"
		}
	}
	return "run it by hand to see what it lacks"
}

// quoted shows what a program printed, in one bounded line.
func quoted(end *childEnd) string {
	text := bytes.TrimSpace(end.stdout)
	if other := lastLines(end.stderr, 300); len(text) == 0 && other != "" {
		text = []byte(other)
	}
	if len(text) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%.200q", oneLine(string(text)))
}

// logFile opens the log of a trial; its name is the trial's ID made harmless.
func (b *Bench) logFile(id string) (*os.File, error) {
	harmless := func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '_'
		}
		return r
	}
	return os.Create(filepath.Join(b.LogDir, strings.Map(harmless, id)+".log"))
}
