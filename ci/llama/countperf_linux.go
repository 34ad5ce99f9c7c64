package llama

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// perfCounters are the processor's own, by perf_event_open.
type perfCounters struct{}

// perfReading is an event of the thread that began it. It counts none of the
// thread's own instructions: it is enabled when a child executes a program.
type perfReading int

func (perfCounters) Begin() (countReading, error) {
	attr := unix.PerfEventAttr{
		Type: unix.PERF_TYPE_HARDWARE, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})), Config: unix.PERF_COUNT_HW_INSTRUCTIONS,
		Read_format: unix.PERF_FORMAT_TOTAL_TIME_ENABLED | unix.PERF_FORMAT_TOTAL_TIME_RUNNING,
		Bits:        unix.PerfBitDisabled | unix.PerfBitInherit | unix.PerfBitEnableOnExec | unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv,
	}
	fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		paranoid, _ := os.ReadFile("/proc/sys/kernel/perf_event_paranoid")
		return nil, perfRefused(err, strings.TrimSpace(string(paranoid)))
	}
	return perfReading(fd), nil
}

// perfRefused says why the kernel gives no counter.
func perfRefused(err error, paranoid string) error {
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		if paranoid == "" {
			paranoid = "not told"
		}
		return fmt.Errorf("the kernel forbids the processor's counters (kernel.perf_event_paranoid is %s): sysctl kernel.perf_event_paranoid=2 as root allows those of user mode; a container also needs CAP_PERFMON or a seccomp profile with perf_event_open", paranoid)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("this machine has no counters of its processor, as most virtual ones have none (%w): count with valgrind", err)
	}
	return fmt.Errorf("perf_event_open: %w; count with valgrind", err)
}

func (r perfReading) End() (int64, error) {
	defer unix.Close(int(r))
	var data [24]byte // value, time enabled, time running
	if n, err := unix.Read(int(r), data[:]); err != nil || n != len(data) {
		return 0, fmt.Errorf("the processor's counter cannot be read (%d bytes, %v); count with valgrind", n, err)
	}
	return perfValue(binary.NativeEndian.Uint64(data[:]), binary.NativeEndian.Uint64(data[8:]), binary.NativeEndian.Uint64(data[16:]))
}

// perfValue refuses a count of a part of the time: the rest would be a guess.
func perfValue(value, enabled, running uint64) (int64, error) {
	if running != enabled {
		return 0, fmt.Errorf("the processor's counter ran in %d of %d ns, because others use the counters too: end them (such as perf or a watchdog), or count with valgrind", running, enabled)
	}
	return int64(value), nil
}
