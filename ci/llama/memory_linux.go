package llama

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memoryKills returns how many processes the kernel has killed for memory so
// far: of our control group, or of the machine where the group does not tell.
func memoryKills() int {
	if n, ok := counter(filepath.Join("/sys/fs/cgroup", ownGroupPath(), "memory.events"), "oom_kill"); ok {
		return n
	}
	n, _ := counter("/proc/vmstat", "oom_kill")
	return n
}

// peakOf is the most memory that was resident of a running process, bytes; 0 when that
// is not known.
func peakOf(pid int) int64 {
	data, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// ownGroupPath is our control group (version 2) below its mount point.
func ownGroupPath() string {
	data, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(data)) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			return strings.TrimSpace(path)
		}
	}
	return ""
}

// counter reads "NAME N" from a file of such lines.
func counter(path, name string) (int, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			n, err := strconv.Atoi(value)
			return n, err == nil
		}
	}
	return 0, false
}
