package proc

import (
	"os"
	"strconv"
)

// PIDs returns the IDs of all processes that a proc file system lists, in no order;
// none if it cannot be read. Patterns such as /proc/*/stat are no substitute: they
// list every folder of every process.
func PIDs(folder string) []int {
	dir, err := os.Open(folder)
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}
