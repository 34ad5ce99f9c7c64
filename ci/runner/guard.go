package runner

import (
	"io"
	"runtime"
	"sync"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
)

// LeaveNothing sees to it that nothing which this process starts to measure or
// to build outlives it, whatever ends it and whatever the programs do. guard is a
// command that calls Guard with its standard input and its last argument. It is
// to be called by a program before it starts the first; later calls do nothing. On
// systems other than Linux it does nothing.
func LeaveNothing(guard ...string) error { return leave(guard) }

// leave is done once in the life of a process.
var leave = func() func([]string) error {
	var once sync.Once
	var err error
	return func(guard []string) error {
		once.Do(func() {
			if runtime.GOOS != "linux" {
				return
			}
			if err = proc.Adopt(); err == nil {
				err = proc.StartGuard(guard...)
			}
		})
		return err
	}
}()

// Guard is the whole of the process that LeaveNothing starts. The error says that
// mark is not from there.
func Guard(in io.Reader, mark string) error { return proc.Guard(in, mark) }
