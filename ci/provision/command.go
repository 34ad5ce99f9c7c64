package provision

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/llama-regress/llama-regress/ci/internal/environ"
	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

const (
	maxStdout = 8 << 20
	maxStderr = 64 << 10
)

// A command is a child process. It runs in a process group of its own, which
// ends with ctx, and reads nothing.
type command struct {
	argv []string
	dir  string   // to run in; "" for ours
	env  []string // added to ours; messages are in English whatever the locale
	// hold is a locked file that the child inherits, so that the lock outlives
	// us for as long as a child that we could not end is still writing.
	hold *os.File
}

type output struct {
	stdout []byte // the first 8 MiB
	stderr string // the last 64 KiB
}

// run starts the command and waits for it. The error of a command that fails
// tells what it wrote last.
func (c command) run(ctx context.Context) (output, error) {
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	stdout, stderr := &proc.Head{Max: maxStdout}, &proc.Excerpt{Tail: maxStderr}
	cmd.Stdout, cmd.Stderr, cmd.Dir = stdout, stderr, c.dir
	cmd.Env = append(append(environ.Without(os.Environ()), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"), c.env...)
	if c.hold != nil {
		cmd.ExtraFiles = []*os.File{c.hold}
	}
	proc.EndTogether(cmd)
	err := cmd.Run()
	out := output{stdout.Data, stderr.String()}
	switch {
	case ctx.Err() != nil:
		return out, fmt.Errorf("%s: %w", filepath.Base(c.argv[0]), context.Cause(ctx))
	case err != nil:
		return out, fmt.Errorf("%s: %w: %s", filepath.Base(c.argv[0]), err, complaint(out))
	}
	return out, nil
}

// complaint picks from a failed command's output what a person needs to read:
// the lines that apt marks as errors and warnings, else the last line.
func complaint(out output) string {
	var marked []string
	for line := range strings.Lines(out.stderr) {
		if strings.HasPrefix(line, "E: ") || strings.HasPrefix(line, "W: ") {
			marked = append(marked, strings.TrimSpace(line))
		}
	}
	if len(marked) > 0 {
		return strings.Join(marked[max(0, len(marked)-8):], "\n")
	}
	if line := lastLine(out.stderr); line != "" {
		return line
	}
	if line := lastLine(string(out.stdout)); line != "" {
		return line
	}
	return "it wrote nothing"
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return strings.TrimSpace(s[strings.LastIndexByte(s, '\n')+1:])
}
