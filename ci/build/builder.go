package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/llama-regress/llama-regress/ci/internal/environ"
	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// A Builder makes llama.cpp's programs of a checkout.
type Builder struct {
	Command  string        // for the shell, in the top folder of the checkout
	Bin      string        // folder of the programs after it, relative to that
	Programs []string      // that are needed, such as llama-bench
	Timeout  time.Duration // of one build; 0 for none
}

// TargetsVariable holds, while a build command runs, the names of the programs that
// are needed, with blanks between.
const TargetsVariable = "LLAMA_REGRESS_TARGETS"

// DefaultBuilder builds llama-bench as llama.cpp's documentation does. It takes
// ccache by itself where that is installed. Settings of an earlier commit are
// dropped, what it compiled is not: a default that a commit changed is to count.
func DefaultBuilder() Builder {
	return Builder{
		Command:  "rm -f build/CMakeCache.txt && cmake -B build -DCMAKE_BUILD_TYPE=Release -DLLAMA_CURL=OFF && cmake --build build --target $" + TargetsVariable,
		Bin:      "build/bin",
		Programs: []string{"llama-bench"},
		Timeout:  time.Hour,
	}
}

// ForValgrind is a builder whose programs valgrind can run on a processor with AVX-512,
// which valgrind does not know: with all that processors of 2013 and later have.
func ForValgrind() Builder {
	b := DefaultBuilder()
	b.Command = strings.Replace(b.Command, "cmake -B build", "cmake -B build "+forValgrind, 1)
	return b
}

const forValgrind = "-DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DGGML_BMI2=ON"

// An Error is a commit that does not build.
type Error struct {
	Commit Commit
	Why    string // the end of what the build said, or what it lacks
	Log    string // file with all of it

	said string // its end
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s does not build (%s); see %s", e.Commit.Short(), e.Why, e.Log)
}

// build builds the commit that is checked out in dir. What the build says goes to
// the file log. A commit that does not build is an *Error.
func (b Builder) build(ctx context.Context, dir string, commit Commit, log string) error {
	// A program that an earlier commit left would be measured in the place of
	// one that this commit does not make.
	for _, name := range []string{"llama-bench", "llama-server", "llama-bench.exe", "llama-server.exe"} {
		if err := os.Remove(filepath.Join(dir, b.Bin, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return err
	}
	out, err := os.Create(log)
	if err != nil {
		return err
	}
	defer out.Close()
	limit := ctx
	if b.Timeout > 0 {
		var stop context.CancelFunc
		limit, stop = context.WithTimeout(ctx, b.Timeout)
		defer stop()
	}
	last := &proc.Excerpt{Tail: 4 << 10}
	cmd := exec.CommandContext(limit, "sh", "-c", b.Command)
	cmd.Dir, cmd.Env = dir, b.environment(dir)
	cmd.Stdout = io.MultiWriter(last, deaf{out}) // a full disk does not end the build
	cmd.Stderr = cmd.Stdout
	proc.EndTogether(cmd)
	if _, err = proc.StartMarked(cmd); err == nil {
		err = cmd.Wait()
		proc.EndAdopted(cmd.Process.Pid) // nothing goes on compiling while something is measured
	}
	broken := func(why string) error { return &Error{commit, why, log, last.String()} }
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limit.Err() != nil:
		return broken(fmt.Sprintf("not done after %v", b.Timeout))
	case err != nil:
		return broken(complaint(last.String(), err))
	}
	if name := b.lacks(dir); name != "" {
		return broken(fmt.Sprintf("the build succeeded and left no %s in %s", name, b.Bin))
	}
	return nil
}

// environment is what a build inherits: no secret, nothing that ties its git to
// another repository, and the user's language, which is part of what ccache knows a
// file by. CMake runs as many compilers as there are processors.
func (b Builder) environment(dir string) []string {
	env := slices.DeleteFunc(environ.Without(os.Environ()), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"}, name)
	})
	if os.Getenv(parallelVariable) == "" {
		env = append(env, fmt.Sprintf("%s=%d", parallelVariable, runtime.NumCPU()))
	}
	// ccache then finds again what it compiled in another checkout.
	return append(env, "CCACHE_BASEDIR="+dir, "CCACHE_NOHASHDIR=true", TargetsVariable+"="+strings.Join(b.Programs, " "))
}

// parallelVariable is CMake's own.
const parallelVariable = "CMAKE_BUILD_PARALLEL_LEVEL"

// lacks is a program that the build of a checkout should have left and has not.
func (b Builder) lacks(dir string) string {
	for _, name := range b.Programs {
		path := filepath.Join(dir, b.Bin, name)
		if _, err := os.Stat(path); err != nil {
			if _, err := os.Stat(path + ".exe"); err != nil {
				return name
			}
		}
	}
	return ""
}

// full says whether a disk without room is behind what a program said.
func full(said, dir string) bool {
	if strings.Contains(strings.ToLower(said), ErrFull.Error()) {
		return true
	}
	var s unix.Statfs_t // where the words are of another language
	return unix.Statfs(dir, &s) == nil && s.Bavail*uint64(s.Bsize) < 1<<20
}

// deaf is a writer that hears of no error.
type deaf struct{ w io.Writer }

func (d deaf) Write(p []byte) (int, error) {
	d.w.Write(p)
	return len(p), nil
}

// complaint is the last line of what a build said that holds an error, else the
// last line; of a silent one it is how the command ended.
func complaint(said string, err error) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	best := lines[len(lines)-1]
	for _, line := range lines {
		if strings.Contains(line, "error:") {
			best = line
		}
	}
	if best = proc.OneLine(best, 200); best == "" {
		return err.Error()
	}
	return best
}
