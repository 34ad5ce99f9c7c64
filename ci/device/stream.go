package device

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

const (
	mostLine = 8 << 10 // bytes of a line of nvidia-smi; longer ones are cut
	starts   = 2       // how often a stream's program is started at most
)

// A stream runs a program that prints lines until it is closed. A program that ends, or
// prints nothing for too long, is ended and started once more, and then given up.
type stream struct {
	program  string
	args     []string
	environ  []string
	patience time.Duration // for its first line
	silence  time.Duration // for every other
	line     func(string)
	gaveUp   func(why string)

	mu     sync.Mutex
	cmd    *exec.Cmd
	closed bool
	done   chan struct{}
}

func (s *stream) start() {
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		why := ""
		for range starts {
			if why = s.once(); s.isClosed() {
				return
			}
		}
		s.gaveUp(why)
	}()
}

// once runs the program until it ends and says why it did.
func (s *stream) once() string {
	cmd := exec.Command(s.program, s.args...)
	cmd.SysProcAttr, cmd.Env = proc.OwnGroup(), s.environ
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err.Error()
	}
	said := proc.Head{Max: 1 << 10}
	cmd.Stderr, cmd.WaitDelay = &said, time.Second
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ""
	}
	if err = cmd.Start(); err == nil {
		s.cmd = cmd
	}
	s.mu.Unlock()
	if err != nil {
		return err.Error()
	}
	silent := time.AfterFunc(s.patience, func() { s.kill(cmd) })
	last := s.lines(out, silent)
	hung := !silent.Stop()
	s.kill(cmd)
	s.mu.Lock()
	s.cmd = nil
	s.mu.Unlock()
	err = cmd.Wait()
	switch {
	case hung:
		return fmt.Sprintf("it printed nothing for %v", s.silence)
	case err != nil:
		return cmp.Or(strings.TrimSpace(said.String()), last, err.Error())
	}
	return cmp.Or(strings.TrimSpace(said.String()), "it ended by itself")
}

// kill ends a program that was not collected yet, so that the number of its group is
// nobody else's.
func (s *stream) kill(cmd *exec.Cmd) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == cmd {
		proc.KillGroup(cmd)
	}
}

// lines hands over each line until the output ends, and returns the last.
func (s *stream) lines(out io.Reader, silent *time.Timer) (last string) {
	in := bufio.NewReaderSize(out, mostLine)
	for cut := false; ; {
		text, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return last
		}
		if !cut {
			last = strings.TrimSpace(string(text))
			s.line(last)
		}
		cut = err != nil // the rest of a long line is not another one
		silent.Reset(s.silence)
	}
}

func (s *stream) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// pid is the program's process now, 0 for none.
func (s *stream) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// close ends the program and all that it started.
func (s *stream) close() {
	s.mu.Lock()
	s.closed = true
	if s.cmd != nil {
		proc.KillGroup(s.cmd)
	}
	s.mu.Unlock()
	<-s.done
}
