package proc

import (
	"errors"
	"os"
	"syscall"
)

// ErrLocked is what TryLock returns when somebody else holds the lock.
var ErrLocked = errors.New("locked")

// TryLock takes the exclusive lock on f. The lock ends when the last process
// ends that has this open file.
func TryLock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return ErrLocked
		case !errors.Is(err, syscall.EINTR):
			return os.NewSyscallError("flock", err)
		}
	}
}
