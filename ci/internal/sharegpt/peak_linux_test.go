package sharegpt

import (
	"os"
	"syscall"
)

func peakMemory(s *os.ProcessState) int64 {
	return s.SysUsage().(*syscall.Rusage).Maxrss << 10
}
