package llama

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A program is one of llama.cpp's in the build of an arm, as it was when the
// run began.
type program struct {
	kind    string  // "llama-bench" or "llama-server"
	path    string  // absolute
	version version // zero where the build does not tell before it runs
	caps    capabilities
	env     []string // the whole environment it runs in
	dropped []string // inherited variables that are not in it

	libraries []record.Library // of llama.cpp that it loads, by name
	remarks   []string         // what every trial's record is to say of them, a sentence each

	mu    sync.Mutex
	files []watchedFile // the program itself first
	said  string        // what its first result called the build, "" before one
}

// programs keeps what was found out about each arm's program.
type programs struct {
	mu    sync.Mutex
	byArm map[string]*program
}

func (ps *programs) get(arm string) *program {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.byArm[arm]
}

func (ps *programs) put(arm string, p *program) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.byArm == nil {
		ps.byArm = make(map[string]*program)
	}
	ps.byArm[arm] = p
}

func (ps *programs) libraries(arm string) []record.Library {
	if p := ps.get(arm); p != nil {
		return p.libraries
	}
	return nil
}

// identifyTimeout covers the loading of every backend on a cold disk.
const identifyTimeout = 60 * time.Second

// identify finds a program of an arm and learns from its help, which read
// understands, what flags it has.
func identify(ctx context.Context, arm record.Arm, inherited []string, kind string, read func(help string) (capabilities, bool)) (*program, error) {
	path, err := findProgram(arm.Bin, kind)
	if err != nil {
		return nil, err
	}
	p := &program{kind: kind, path: path}
	p.env, p.dropped = environment(inherited, arm.Env)
	if err := startable(path); err != nil {
		return nil, err
	}
	help, loaded, err := p.askTraced(ctx, "-h")
	if err != nil {
		return nil, err
	}
	caps, ok := read(string(help.stdout))
	if !ok {
		return nil, fmt.Errorf("%s is not %s: to -h it printed %s; point bin at the folder that holds %s", path, kind, quoted(help), kind)
	}
	p.caps = caps
	if err := p.settleLibraries(ctx, arm, loaded); err != nil {
		return nil, err
	}
	if p.files, err = watch(path, p.libraries); err != nil {
		return nil, err
	}
	if caps.has("--version") {
		if answer, err := p.ask(ctx, "--version", p.env); err == nil {
			p.version, _ = readVersion(string(answer.stdout) + "\n" + answer.stderr)
		}
	}
	return p, nil
}

// ask runs the program with one flag that prints something and ends.
func (p *program) ask(ctx context.Context, flag string, env []string) (*childEnd, error) {
	end, err := runChild(ctx, childSpec{
		program: p.path, args: []string{flag}, env: env,
		timeout: identifyTimeout, maxStdout: 1 << 20,
	})
	switch {
	case err != nil:
		return nil, cannotStart(p.path, err)
	case end.reason == endedTimeout:
		return nil, fmt.Errorf("%s %s did not end within %s; it printed %s", p.path, flag, identifyTimeout, quoted(end))
	case end.reason == endedFlood:
		return nil, fmt.Errorf("%s is not %s: %s prints without end", p.path, p.kind, flag)
	case !end.state.Success() && !(p.kind == opsProgram && flag == "-h" && end.state.ExitCode() == 1): // as that ends after its help
		return nil, fmt.Errorf("%s %s failed (%s): it printed %s; %s", p.path, flag, end.state, quoted(end), libraryAdvice(end.stderr))
	}
	return end, nil
}

// name is how messages call the build: what it says of itself, or its path.
func (p *program) name() string {
	if p.version.text != "" {
		return fmt.Sprintf("%s (%s)", p.path, p.version.text)
	}
	return p.path
}

// unchanged says which file of the build is no longer what it was.
func (p *program) unchanged() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return recheck(p.files)
}

// agrees holds what a result calls the build against what the arm's first one
// did, which is returned. Libraries outside the program's folder change without
// a trace in it. --version is no measure: packagers' wrappers may print another
// one there.
func (p *program) agrees(build string) (first string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.said == "" {
		p.said = build
	}
	return p.said, p.said == build
}

// forArm says which arm an error is about. The error of a context passes as it is.
func forArm(ctx context.Context, arm record.Arm, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("arm %s: %w", arm.Name, err)
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
		switch {
		case !strings.Contains(stderr, mark):
		case strings.Contains(stderr, "Permission denied"):
			return "this user may not read one of its libraries: make the whole build folder readable (chmod -R a+rX)"
		case strings.Contains(stderr, "invalid ELF header"), strings.Contains(stderr, "wrong ELF class"), strings.Contains(stderr, "file too short"):
			return "one of its libraries is broken or for another processor: build llama.cpp again on this machine"
		default:
			return "its libraries are not where it looks: keep the whole build folder together, set LD_LIBRARY_PATH in the arm's env, or build with -DBUILD_SHARED_LIBS=OFF"
		}
	}
	return "run it by hand to see what it lacks"
}

// quoted shows what a program printed, in one bounded line.
func quoted(end *childEnd) string {
	text := bytes.TrimSpace(end.stdout)
	if other := proc.LastLines(end.stderr, 300); len(text) == 0 && other != "" {
		text = []byte(other)
	}
	if len(text) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%.200q", proc.OneLine(string(text), 200))
}
