//go:build !linux && !darwin

package host

import (
	"context"
	"os"
	"runtime"
	"strconv"
)

func describe(_ context.Context, hard, _ keys) {
	hard.set("cpu_logical", strconv.Itoa(runtime.NumCPU()))
	hard.set("cpu", os.Getenv("PROCESSOR_IDENTIFIER")) // Windows sets it for every process
}

func physicalCores() int { return runtime.NumCPU() }
