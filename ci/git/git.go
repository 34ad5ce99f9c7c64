// Package git runs git for those who read commits (compare/history), check them
// out (ci/bisect), and keep records on a branch (ci/store).
//
// A repository may be anybody's. No hook and no file system monitor of it runs,
// nobody is asked for a password, and what git prints is bounded. Variables that
// would tie git to another repository than the one named play no part; those
// that say how to reach a remote or who commits do.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// A Command is how git is run. The zero value runs it in the current folder.
type Command struct {
	Dir     string        // folder to run in, the current one where empty
	Env     []string      // variables beside our own environment
	Without []string      // names of variables of our environment to leave out
	Stdin   []byte        // what it reads
	Timeout time.Duration // 0 for none but the context's
	Most    int           // bytes that it may print; 0 for 64 MiB
}

// An Error is a git command that failed.
type Error struct {
	Status int    // exit status
	Said   string // what git wrote, one line
	text   string
}

func (e *Error) Error() string { return e.text }

// ErrTooMuch is wrapped by the error of a command that printed more than allowed.
var ErrTooMuch = errors.New("it prints more than is allowed")

// Run runs a git command and returns what it printed. The error is an *Error
// when git says no, the context's cause when that ended it, and otherwise says
// why git could not be run to its end.
func (c Command) Run(ctx context.Context, args ...string) ([]byte, error) {
	limited, end := context.WithCancel(ctx)
	defer end()
	if c.Timeout > 0 {
		limited, end = context.WithTimeout(limited, c.Timeout)
		defer end()
	}
	most := c.Most
	if most == 0 {
		most = 64 << 20
	}
	fixed := []string{"--no-pager", "-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false"}
	if c.Dir != "" {
		fixed = append(fixed, "-C", c.Dir)
	}
	cmd := exec.CommandContext(limited, "git", append(fixed, args...)...)
	proc.EndTogether(cmd)
	cmd.WaitDelay = 10 * time.Second // helpers that keep the pipes open; long, for machines under load
	cmd.Env, cmd.Stdin = c.environment(), bytes.NewReader(c.Stdin)
	stdout, stderr := &proc.Head{Max: most, Full: end}, &proc.Head{Max: 64 << 10}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case stdout.Over:
		return nil, fmt.Errorf("git %s: %w", args[0], ErrTooMuch)
	case err == nil:
		return stdout.Data, nil
	case limited.Err() != nil:
		return nil, fmt.Errorf("git %s took longer than %v and was ended", args[0], c.Timeout)
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("git is not installed: %w", err)
	case !errors.As(err, &exit):
		return nil, fmt.Errorf("git %s: %w", args[0], err)
	}
	said := proc.OneLine(stderr.String(), 600)
	if said == "" {
		said = proc.OneLine(stdout.String(), 600)
	}
	return nil, &Error{exit.ExitCode(), said, strings.TrimSuffix(fmt.Sprintf("git %s: %v: %s", args[0], err, said), ": ")}
}

// Line is Run for a command that prints one line, without the blanks around it.
func (c Command) Line(ctx context.Context, args ...string) (string, error) {
	out, err := c.Run(ctx, args...)
	return string(bytes.TrimSpace(out)), err
}

// handedDown begin the variables of git that it is given from our environment:
// where its programs are, how to reach remotes, who commits, and settings. All
// others of its own would tie it to another repository, or to a terminal.
var handedDown = []string{
	"GIT_EXEC_PATH", "GIT_CONFIG_", "GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_SSH", "GIT_SSL_", "GIT_ASKPASS",
	"GIT_HTTP_", "GIT_PROXY_", "GIT_ALLOW_PROTOCOL", "GIT_TRACE", "GIT_CURL_",
}

func (c Command) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		ties := strings.HasPrefix(name, "GIT_") && !slices.ContainsFunc(handedDown, func(p string) bool { return strings.HasPrefix(name, p) })
		return ties || slices.Contains(c.Without, name)
	})
	return append(append(env, "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0"), c.Env...)
}
