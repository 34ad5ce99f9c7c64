package runner

import (
	"fmt"
	"os"
	"syscall"
)

// noFollow refuses a symbolic link, and does not wait for the other end of a pipe.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// ownFile makes sure that f is a plain file of one name: a second name would let
// somebody have us write another file of ours.
func ownFile(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.Mode().IsRegular() || ok && stat.Nlink != 1 {
		return fmt.Errorf("%s is not a plain file of one name", f.Name())
	}
	return nil
}
