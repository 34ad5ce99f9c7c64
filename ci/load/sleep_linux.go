package load

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// doze sleeps for d by a timer of the kernel, which the runtime waits for as
// for a connection. A blocking nanosleep would be as exact and hold up the
// goroutines that read.
func doze(d time.Duration) {
	if d <= 0 {
		return
	}
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		time.Sleep(d)
		return
	}
	timer := os.NewFile(uintptr(fd), "timer")
	defer timer.Close()
	once := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if unix.TimerfdSettime(fd, 0, &once, nil) != nil {
		time.Sleep(d)
		return
	}
	timer.Read(make([]byte, 8))
}
