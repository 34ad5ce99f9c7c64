package host

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// online lists the machine's processors that are switched on.
func (t tree) online() []int {
	if set := t.set("sys/devices/system/cpu/online"); set != nil {
		return set
	}
	return slices.Sorted(maps.Keys(t.cpuinfo())) // containers may have no /sys
}

// cpuinfo is /proc/cpuinfo by processor number.
func (t tree) cpuinfo() map[int]map[string]string {
	byNumber := make(map[int]map[string]string)
	for _, fields := range t.fields("proc/cpuinfo") {
		if n, err := strconv.Atoi(fields["processor"]); err == nil && n >= 0 {
			byNumber[n] = fields
		}
	}
	return byNumber
}

// cores groups processors by physical core: a list of processors each.
func (t tree) cores(processors []int) [][]int {
	info := t.cpuinfo()
	byCore := make(map[string][]int)
	for _, n := range processors {
		key := t.siblings(n)
		if f := info[n]; key == "" && f["core id"] != "" {
			key = f["physical id"] + "/" + f["core id"]
		}
		if key == "" { // not told: each processor counts as a core
			key = "processor " + strconv.Itoa(n)
		}
		byCore[key] = append(byCore[key], n)
	}
	return slices.Collect(maps.Values(byCore))
}

// siblings names the processors that share n's core. core_cpus_list is its name
// since Linux 5.3, thread_siblings_list before and still.
func (t tree) siblings(n int) string {
	topology := fmt.Sprintf("sys/devices/system/cpu/cpu%d/topology/", n)
	if list := t.text(topology + "core_cpus_list"); list != "" {
		return list
	}
	return t.text(topology + "thread_siblings_list")
}

// allowed lists the processors this process may run on, nil when unknown. A
// kernel narrows it to the container's cpuset by itself.
func (t tree) allowed() []int {
	for _, fields := range t.fields("proc/self/status") {
		return parseSet(fields["cpus_allowed_list"])
	}
	return nil
}

// usableCores counts the physical cores this process may use, 0 when unknown.
func (t tree) usableCores() int {
	online := t.online()
	usable := online
	if allowed := t.allowed(); allowed != nil && online != nil {
		usable = slices.DeleteFunc(slices.Clone(online), func(n int) bool {
			_, ok := slices.BinarySearch(allowed, n)
			return !ok
		})
	} else if allowed != nil {
		usable = allowed
	}
	cores := len(t.cores(usable))
	if quota, _ := t.quota(); quota < float64(cores) {
		cores = max(1, int(quota))
	}
	return cores
}

// quota is how many processors' worth of time the control groups of this
// process grant, +Inf without a limit. It is not known where no control group
// for CPU time is to be seen.
func (t tree) quota() (cpus float64, known bool) {
	cpus = math.Inf(1)
	if t.exists("sys/fs/cgroup/cgroup.controllers") {
		known = true
	}
	for line := range strings.SplitSeq(t.text("proc/self/cgroup"), "\n") {
		part := strings.SplitN(line, ":", 3) // hierarchy:controllers:path
		if len(part) != 3 {
			continue
		}
		mount := "sys/fs/cgroup/" // version 2
		if part[1] != "" {
			if !slices.Contains(strings.Split(part[1], ","), "cpu") {
				continue
			}
			mount += part[1] + "/"
		}
		// A limit above binds too. In a container the path may be the one outside
		// of it, and only the top is there.
		for _, dir := range upward(part[2]) {
			limit, ok := t.limit(mount + dir + "/")
			known = known || ok
			cpus = min(cpus, limit)
		}
	}
	return cpus, known
}

// limit is the CPU quota set on one control group, in processors.
func (t tree) limit(group string) (cpus float64, known bool) {
	group = strings.ReplaceAll(group, "/./", "/")
	quota, period, ok := strings.Cut(t.text(group+"cpu.max"), " ") // version 2
	if !ok {
		quota, period = t.text(group+"cpu.cfs_quota_us"), t.text(group+"cpu.cfs_period_us")
	}
	q, err1 := strconv.ParseFloat(quota, 64)
	p, err2 := strconv.ParseFloat(period, 64)
	if err1 == nil && err2 == nil && q > 0 && p > 0 && !math.IsInf(q/p, 0) {
		return q / p, true
	}
	return math.Inf(1), quota != ""
}
