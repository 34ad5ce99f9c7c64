package llama

import (
	"os"
	"runtime"
	"syscall"

	"github.com/llama-regress/llama-regress/ci/record"
)

// endSignal returns the signal that ended the child, 0 when none did.
func endSignal(state *os.ProcessState) syscall.Signal {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return status.Signal()
	}
	return 0
}

// ownPeak is the most memory that was resident of this process so far, bytes; 0 where the
// account of a child does not begin with that of its parent.
func ownPeak() int64 {
	var usage syscall.Rusage
	if runtime.GOOS != "linux" || syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return int64(usage.Maxrss) << 10
}

func resources(state *os.ProcessState) record.Resources {
	r := record.Resources{
		UserSeconds:   state.UserTime().Seconds(),
		SystemSeconds: state.SystemTime().Seconds(),
	}
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		r.MaxRSSBytes = int64(usage.Maxrss)
		if runtime.GOOS != "darwin" && runtime.GOOS != "ios" { // the others count in KiB
			r.MaxRSSBytes <<= 10
		}
	}
	return r
}
