package sched

import (
	"strings"

	"golang.org/x/sys/unix"
)

// A kernelLog reads the kernel's messages from where it was opened on.
type kernelLog struct{ fd int }

// openKernelLog never fails: where the log may not be read, nothing is.
func openKernelLog(root tree) *kernelLog {
	fd, err := unix.Open(root.path("dev/kmsg"), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return &kernelLog{-1}
	}
	_, _ = unix.Seek(fd, 0, unix.SEEK_END)
	return &kernelLog{fd}
}

// read returns the messages. The kernel gives one a read, its text in the first
// line.
func (l *kernelLog) read() (lines []string) {
	buffer := make([]byte, 16<<10)
	for l.fd >= 0 && len(lines) < 10_000 {
		n, err := unix.Read(l.fd, buffer)
		switch {
		case err == unix.EPIPE || err == unix.EINTR: // overwritten before it was read: there are newer ones
			continue
		case err != nil || n <= 0:
			return lines
		}
		lines = append(lines, strings.Split(string(buffer[:n]), "\n")...)
	}
	return lines
}

func (l *kernelLog) close() {
	if l.fd >= 0 {
		_ = unix.Close(l.fd)
		l.fd = -1
	}
}
