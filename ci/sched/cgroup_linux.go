package sched

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Group is a control group (v2) for one process and what it starts.
type Group struct {
	dir  string // "" for none
	fd   *os.File
	kept *keeper // of its processor time, nil for none
}

const cpuPeriod = 100_000 // µs in which a group may use its share, the kernel's default

// Enter makes the group whose limits the placement asks for, if any, and has a
// process that is to be started with attr begin in it. Leave must be called.
func (p *Placement) Enter(attr *syscall.SysProcAttr) (*Group, error) {
	if p.cores == 0 && p.memory == 0 {
		return &Group{}, nil
	}
	g, err := newGroup(p)
	if err != nil {
		return nil, err
	}
	if g.fd, err = os.Open(g.dir); err != nil {
		g.Leave()
		return nil, err
	}
	attr.UseCgroupFD, attr.CgroupFD = true, int(g.fd.Fd())
	if p.cores > 0 {
		g.kept = newKeeper(g.dir, p.cores)
	}
	return g, nil
}

// newGroup makes a group with limits in the nearest place above this process's
// own group where that is allowed and the controllers are to be had: a group
// that holds processes cannot have groups with controllers below it.
func newGroup(p *Placement) (*Group, error) {
	mount, own, err := cgroup2(p.root)
	if err != nil {
		return nil, err
	}
	var last error
	for at := own; ; at = filepath.Dir(at) {
		parent := p.root.path(filepath.Join(mount, at))
		dir := filepath.Join(parent, fmt.Sprintf("llama-regress-%d-%d", os.Getpid(), time.Now().UnixNano()))
		if err := limit(parent, dir, p); err == nil {
			return &Group{dir: dir}, nil
		} else {
			_ = os.Remove(dir)
			if last == nil || !errors.Is(err, os.ErrPermission) {
				last = err
			}
		}
		if at == filepath.Dir(at) {
			return nil, fmt.Errorf("no control group with limits can be made below %s (%w): run as root, or under systemd-run --user --scope -p Delegate=yes", mount, last)
		}
	}
}

// limit makes the folder and writes its limits.
func limit(parent, dir string, p *Placement) error {
	var controllers []string
	if p.cores > 0 {
		controllers = append(controllers, "cpu")
	}
	if p.memory > 0 {
		controllers = append(controllers, "memory")
	}
	active, err := os.ReadFile(filepath.Join(parent, "cgroup.subtree_control"))
	if err != nil {
		return err
	}
	for _, c := range controllers {
		if !slices.Contains(strings.Fields(string(active)), c) {
			if err := os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+"+c), 0o644); err != nil {
				return err
			}
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	write := func(name, value string) error { return os.WriteFile(filepath.Join(dir, name), []byte(value), 0o644) }
	if p.cores > 0 {
		if err := write("cpu.max", cpuMax(p.cores)); err != nil {
			return err
		}
	}
	if p.memory > 0 {
		if err := write("memory.max", strconv.FormatInt(p.memory, 10)); err != nil {
			return err
		}
		_ = write("memory.swap.max", "0") // not there without swap; a limit that swaps is none
	}
	return nil
}

func cpuMax(cores float64) string {
	return fmt.Sprintf("%d %d", int64(cores*cpuPeriod+0.5), cpuPeriod)
}

// cgroup2 is where version 2 is mounted, and this process's place in it.
func cgroup2(root tree) (mount, own string, err error) {
	for line := range strings.Lines(root.text("proc/self/mountinfo")) {
		before, after, _ := strings.Cut(line, " - ")
		if kind, _, _ := strings.Cut(after, " "); kind != "cgroup2" {
			continue
		}
		if fields := strings.Fields(before); len(fields) > 4 {
			mount = fields[4]
		}
	}
	if mount == "" {
		return "", "", errors.New("no control groups of version 2 are mounted here: mount -t cgroup2 none /sys/fs/cgroup")
	}
	for line := range strings.Lines(root.text("proc/self/cgroup")) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return mount, path, nil
		}
	}
	return "", "", errors.New("this process is in no control group of version 2")
}

// verify reads the limits back, and that the process is in the group.
func (g *Group) verify(pid int, p *Placement, seen map[string]string) error {
	if g == nil || g.dir == "" {
		return nil
	}
	text := func(name string) string {
		data, _ := os.ReadFile(filepath.Join(g.dir, name))
		return strings.TrimSpace(string(data))
	}
	var faults []error
	if p.cores > 0 {
		if seen[CPULimit] = text("cpu.max"); seen[CPULimit] != cpuMax(p.cores) {
			faults = append(faults, fmt.Errorf("cpu_limit: asked for cpu.max %s, the kernel says %s", cpuMax(p.cores), seen[CPULimit]))
		}
	}
	if p.memory > 0 { // the kernel rounds to pages
		have, _ := strconv.ParseInt(text("memory.max"), 10, 64)
		if seen[MemoryLimit] = text("memory.max"); have > p.memory || p.memory-have >= 64<<10 {
			faults = append(faults, fmt.Errorf("memory_limit: asked for %d bytes, the kernel says %s", p.memory, seen[MemoryLimit]))
		}
	}
	in := p.root.text(fmt.Sprintf("proc/%d/cgroup", pid))
	if !strings.Contains(in+"\n", "/"+filepath.Base(g.dir)+"\n") {
		faults = append(faults, errors.New("the process is not in its control group"))
	}
	return errors.Join(faults...)
}

// OutOfMemory says whether the kernel has ended a process for the group's limit.
func (g *Group) OutOfMemory() bool {
	if g == nil || g.dir == "" {
		return false
	}
	data, _ := os.ReadFile(filepath.Join(g.dir, "memory.events"))
	for line := range strings.Lines(string(data)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strings.TrimSpace(n) != "0"
		}
	}
	return false
}

// leaveTries is how often Leave tries, every 5 ms; more in a test.
var leaveTries = 200

// Leave removes the group once its processes have ended.
func (g *Group) Leave() {
	if g == nil {
		return
	}
	if g.fd != nil {
		g.fd.Close()
	}
	for range leaveTries { // a process that was killed leaves a moment later
		if err := os.Remove(g.dir); err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}
