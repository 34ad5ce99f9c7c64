package sched

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fakeTree is a root with the files of a kernel.
func fakeTree(t *testing.T, files map[string]string) tree {
	t.Helper()
	root := tree(t.TempDir())
	for name, text := range files {
		put(t, root.path(name), text)
	}
	return root
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// mounted is what /proc/self says of control groups in most sessions of today: the
// process is in a group that holds processes.
var mounted = map[string]string{
	"proc/self/mountinfo": "22 1 0:20 / /proc rw - proc proc rw\n30 1 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n",
	"proc/self/cgroup":    "1:name=systemd:/old\n0::/user.slice/mine.scope\n",
	"sys/fs/cgroup/user.slice/cgroup.subtree_control": "memory\n",
}

// Only what is limited is written, in the nearest group above that lets groups be
// made, and only what is limited is read back.
func TestGroupInItsPlace(t *testing.T) {
	for name, c := range map[string]struct {
		params  map[string]string
		files   string // of the group
		control string // of its parent
		kept    bool
	}{
		"both":      {map[string]string{CPULimit: "0.5", MemoryLimit: "64M"}, "cpu.max memory.max memory.swap.max", "+cpu", true},
		"processor": {map[string]string{CPULimit: "0.5"}, "cpu.max", "+cpu", true},
		"memory":    {map[string]string{MemoryLimit: "64M"}, "memory.max memory.swap.max", "memory\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			root := fakeTree(t, mounted)
			p := place(t, c.params)
			p.root = root
			var attr syscall.SysProcAttr
			g, err := p.Enter(&attr)
			if err != nil {
				t.Fatal(err)
			}
			parent := root.path("sys/fs/cgroup/user.slice")
			if filepath.Dir(g.dir) != parent || !attr.UseCgroupFD || attr.CgroupFD != int(g.fd.Fd()) || (g.kept != nil) != c.kept {
				t.Errorf("group %+v, attributes %+v", g, attr)
			}
			entries, _ := os.ReadDir(g.dir)
			var files []string
			for _, e := range entries {
				files = append(files, e.Name())
			}
			if got := strings.Join(files, " "); got != c.files {
				t.Errorf("wrote %s, want %s", got, c.files)
			}
			if control, _ := os.ReadFile(filepath.Join(parent, "cgroup.subtree_control")); string(control) != c.control {
				t.Errorf("subtree_control %q, want %q", control, c.control)
			}

			base := filepath.Base(g.dir)
			put(t, root.path("proc/77/cgroup"), "1:name=systemd:/old\n0::/user.slice/"+base+"\n")
			put(t, root.path("proc/78/cgroup"), "0::/user.slice/"+base+"-other\n")
			seen, err := p.verify(77, g)
			if err != nil || !slices.Equal(slices.Sorted(maps.Keys(seen)), slices.Sorted(maps.Keys(c.params))) {
				t.Errorf("seen %v, %v", seen, err)
			}
			if _, err := p.verify(78, g); err == nil || !strings.Contains(err.Error(), "not in its control group") {
				t.Errorf("a process elsewhere: %v", err)
			}

			for _, file := range files { // the kernel's go with their folder
				_ = os.Remove(filepath.Join(g.dir, file))
			}
			g.Leave()
			if _, err := os.Stat(g.dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the group stays: %v", err)
			}
			if _, err := g.fd.Stat(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("its folder stays open: %v", err)
			}
		})
	}
}

// A group is left when its last process has gone, which may be a moment later.
func TestLeaveWaits(t *testing.T) {
	tries := leaveTries
	t.Cleanup(func() { leaveTries = tries })
	leaveTries = 4000 // 20 s
	g := &Group{dir: filepath.Join(t.TempDir(), "group")}
	put(t, filepath.Join(g.dir, "process"), "")
	time.AfterFunc(50*time.Millisecond, func() { _ = os.Remove(filepath.Join(g.dir, "process")) })
	g.Leave()
	if _, err := os.Stat(g.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the group stays: %v", err)
	}
}

// Without limits there is no group, and nothing to verify or leave.
func TestNoGroup(t *testing.T) {
	p := place(t, map[string]string{Nice: "5"})
	p.root = fakeTree(t, mounted)
	var attr syscall.SysProcAttr
	g, err := p.Enter(&attr)
	if err != nil || g.dir != "" || attr.UseCgroupFD {
		t.Errorf("group %+v, %v, attributes %+v", g, err, attr)
	}
	t.Chdir(t.TempDir())
	put(t, "memory.events", "oom_kill 1\n")
	put(t, "cpu.max", "50000 100000\n")
	for _, g := range []*Group{g, nil} {
		if g.OutOfMemory() {
			t.Error("the working folder was taken for the group")
		}
		if err := g.verify(os.Getpid(), &p, nil); err != nil {
			t.Error(err)
		}
		if err := g.keeps(nil); err != nil {
			t.Error(err)
		}
		g.Leave()
	}
}

// Why no group can be made is said with its cause, and nothing stays behind.
func TestNoPlaceForAGroup(t *testing.T) {
	changed := func(name, text string) map[string]string {
		files := maps.Clone(mounted)
		files[name] = text
		return files
	}
	for name, c := range map[string]struct {
		files map[string]string
		says  string
	}{
		"none mounted":   {nil, "mount -t cgroup2 none"},
		"version 1":      {changed("proc/self/mountinfo", "30 1 0:26 / /sys/fs/cgroup rw - cgroup cgroup rw\n"), "mount -t cgroup2 none"},
		"a line cut off": {changed("proc/self/mountinfo", "30 1 0:26 / - cgroup2 cgroup2 rw\n"), "mount -t cgroup2 none"},
		"in no group":    {changed("proc/self/cgroup", "1:name=systemd:/old\n"), "in no control group of version 2"},
		"nowhere":        {changed("proc/self/cgroup", "0::/system.slice/x\n"), "below /sys/fs/cgroup (open "},
		"no path":        {changed("proc/self/cgroup", "0::\n"), "below /sys/fs/cgroup (open "},
	} {
		t.Run(name, func(t *testing.T) {
			p := place(t, map[string]string{CPULimit: "1"})
			p.root = fakeTree(t, c.files)
			g, err := p.Enter(new(syscall.SysProcAttr))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("group %+v, error %v, want %q", g, err, c.says)
			}
		})
	}
	// A mount without options, as old kernels write it, is one all the same.
	root := fakeTree(t, map[string]string{"proc/self/mountinfo": "30 1 0:26 / /cg - cgroup2 none rw\n", "proc/self/cgroup": "0::/\n"})
	if mount, own, err := cgroup2(root); mount != "/cg" || own != "/" || err != nil {
		t.Errorf("mount %q, group %q, %v", mount, own, err)
	}
}

// The kernel rounds a limit of memory down to whole pages, of 64 KiB at most.
func TestMemoryLimitIsRounded(t *testing.T) {
	p := place(t, map[string]string{MemoryLimit: "1M"})
	p.root = fakeTree(t, map[string]string{"proc/77/cgroup": "0::/group\n"})
	g := &Group{dir: p.root.path("group")}
	for value, good := range map[string]bool{"1048576": true, "1048577": false, "983041": true, "983040": false, "max": false, "": false} {
		put(t, filepath.Join(g.dir, "memory.max"), value+"\n")
		seen := make(map[string]string)
		err := g.verify(77, &p, seen)
		if (err == nil) != good || seen[MemoryLimit] != value {
			t.Errorf("memory.max %s: %v, seen %v", value, err, seen)
		}
		if err != nil && !strings.Contains(err.Error(), "asked for 1048576 bytes, the kernel says "+value) {
			t.Error(err)
		}
	}
}
