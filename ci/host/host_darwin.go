package host

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

func describe(_ context.Context, hard, soft keys) {
	hard.set("cpu_logical", strconv.Itoa(runtime.NumCPU()))
	if n, err := syscall.SysctlUint32("hw.physicalcpu"); err == nil {
		hard.set("cpu_physical", fmt.Sprint(n))
	}
	if name, err := syscall.Sysctl("machdep.cpu.brand_string"); err == nil {
		hard.set("cpu", strings.TrimSpace(name))
	}
	if release, err := syscall.Sysctl("kern.osrelease"); err == nil {
		hard.set("kernel", majorMinor(release))
		soft.set("kernel_full", release)
	}
	if model, err := syscall.Sysctl("hw.model"); err == nil {
		soft.set("machine", model)
	}
}

func physicalCores() int {
	if n, err := syscall.SysctlUint32("hw.physicalcpu"); err == nil {
		return int(n)
	}
	return runtime.NumCPU()
}
