package bisect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/environ"
	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// A Builder makes llama.cpp's programs of a commit.
type Builder struct {
	Command string        // for the shell, in the top folder of the checkout
	Bin     string        // folder of the programs after it, relative to that
	Timeout time.Duration // of one build; 0 for none
}

// DefaultBuilder builds llama.cpp as its documentation does. It takes ccache
// by itself where that is installed.
func DefaultBuilder() Builder {
	return Builder{
		Command: "cmake -B build -DCMAKE_BUILD_TYPE=Release -DLLAMA_CURL=OFF && cmake --build build --parallel --target llama-bench llama-server",
		Bin:     "build/bin",
		Timeout: time.Hour,
	}
}

// A BuildError is a commit that cannot be built.
type BuildError struct {
	Commit Commit
	Why    string // the end of what the build said, or what it lacks
	Log    string // file with all of it
}

func (e *BuildError) Error() string {
	return fmt.Sprintf("%s does not build (%s); see %s", e.Commit.Short(), e.Why, e.Log)
}

// Build checks a commit out and builds it, and returns the folder of its
// programs. What the build says goes to the file log. A commit that does not
// build is a *BuildError.
func (b Builder) Build(ctx context.Context, c *Clone, commit Commit, log string) (bin string, err error) {
	if err := c.discard(ctx); err != nil {
		return "", err
	}
	if err := c.Checkout(ctx, commit); err != nil {
		return "", err
	}
	bin = filepath.Join(c.Dir, b.Bin)
	// A program that an earlier commit left would be measured in the place of
	// one that this commit does not make.
	for _, name := range programs {
		if err := os.Remove(filepath.Join(bin, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	out, err := os.Create(log)
	if err != nil {
		return "", err
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
	cmd.Dir = c.Dir
	// ccache then finds again what it compiled in the other checkout.
	cmd.Env = append(environ.Without(os.Environ()), "CCACHE_BASEDIR="+c.Dir, "CCACHE_NOHASHDIR=true", "LC_ALL=C", proc.Mark())
	cmd.Stdout = io.MultiWriter(last, deaf{out}) // a full disk does not end the build
	cmd.Stderr = cmd.Stdout
	proc.EndTogether(cmd)
	before := proc.Children()
	if err = cmd.Run(); cmd.Process != nil { // nothing goes on compiling while something is measured
		proc.EndAdopted(cmd.Process.Pid, before)
	}
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case limit.Err() != nil:
		return "", &BuildError{commit, fmt.Sprintf("not done after %v", b.Timeout), log}
	case err != nil:
		return "", &BuildError{commit, complaint(last.String(), err), log}
	}
	for _, name := range programs {
		if _, err := os.Stat(filepath.Join(bin, name)); err == nil {
			return bin, nil
		}
	}
	return "", &BuildError{commit, fmt.Sprintf("the build succeeded and left no llama-bench in %s", b.Bin), log}
}

// programs are those that a build may leave.
var programs = []string{"llama-bench", "llama-server", "llama-bench.exe", "llama-server.exe"}

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
