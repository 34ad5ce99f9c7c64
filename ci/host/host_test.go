package host

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/llama-regress/llama-regress/ci/record"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// recorded is the tree in testdata/name.txtar: where it is from, then each file
// after a line "-- its path --".
func recorded(t testing.TB, name string) tree {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	files := make(fstest.MapFS)
	for _, part := range strings.Split(string(data), "\n-- ")[1:] {
		path, text, ok := strings.Cut(part, " --\n")
		if !ok {
			t.Fatalf("%s: file %.20q has no end of its path", name, part)
		}
		files[path] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	if len(files) == 0 {
		t.Fatalf("%s: no files", name)
	}
	return tree{files}
}

func TestUsableCores(t *testing.T) {
	for _, c := range []struct {
		machine string
		want    int
		because string
	}{
		{"vm-epyc", 2, "lscpu says: 2 cores, 1 thread each"},
		{"hybrid-laptop", 13, "6 cores of two threads and 7 of one; the eighth is switched off"},
		{"arm64-board", 4, "8 cores, the affinity mask has the last 4"},
		{"container", 2, "4 cores of two threads, but a quota of 2.5"},
		{"gpu-server", 1, "the lists are damaged, /proc/cpuinfo has one processor"},
	} {
		if got := recorded(t, c.machine).usableCores(); got != c.want {
			t.Errorf("%s: %d cores, want %d: %s", c.machine, got, c.want, c.because)
		}
	}
	if got := (tree{fstest.MapFS{}}).usableCores(); got != 0 {
		t.Errorf("nothing to read: %d cores, want 0, unknown", got)
	}
}

// Four processors, two cores, told in each way there is.
func TestCores(t *testing.T) {
	const topology = "sys/devices/system/cpu/cpu%d/topology/"
	ways := map[string]func(files fstest.MapFS, cpu int){
		"core_cpus_list": func(files fstest.MapFS, cpu int) {
			files[fmt.Sprintf(topology+"core_cpus_list", cpu)] = &fstest.MapFile{Data: []byte([]string{"0,2\n", "1,3\n"}[cpu%2])}
		},
		"thread_siblings_list": func(files fstest.MapFS, cpu int) {
			files[fmt.Sprintf(topology+"thread_siblings_list", cpu)] = &fstest.MapFile{Data: []byte([]string{"0,2\n", "1,3\n"}[cpu%2])}
		},
		"cpuinfo": func(files fstest.MapFS, cpu int) {
			info := files["proc/cpuinfo"]
			info.Data = fmt.Appendf(info.Data, "processor\t: %d\nphysical id\t: %d\ncore id\t: 0\n\n", cpu, cpu%2)
		},
	}
	for name, tell := range ways {
		files := fstest.MapFS{"proc/cpuinfo": {}}
		for cpu := range 4 {
			tell(files, cpu)
		}
		if got := len((tree{files}).cores([]int{0, 1, 2, 3})); got != 2 {
			t.Errorf("%s: %d cores, want 2", name, got)
		}
		if got := len((tree{files}).cores([]int{1, 3})); got != 1 {
			t.Errorf("%s: processors 1 and 3 are %d cores, want 1", name, got)
		}
	}
	if got := len((tree{fstest.MapFS{}}).cores([]int{0, 1, 2, 3})); got != 4 {
		t.Errorf("not told: %d cores, want 4", got)
	}
}

func TestKeys(t *testing.T) {
	for _, machine := range []string{"vm-epyc", "hybrid-laptop", "arm64-board", "container", "gpu-server"} {
		got := record.Host{Hard: map[string]string{}, Soft: map[string]string{}}
		root := recorded(t, machine)
		root.hard(got.Hard)
		root.soft(got.Soft)
		golden := filepath.Join("testdata", machine+".json")
		if *update {
			data, err := json.MarshalIndent(got, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, append(data, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		var want record.Host
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-golden +got):\n%s", machine, diff)
		}
	}
}

// What the machine the test runs on must have whatever it is.
func TestDescribeThisMachine(t *testing.T) {
	h := Describe(context.Background(), nil)
	if h.Hard["os"] != runtime.GOOS || h.Hard["arch"] != runtime.GOARCH {
		t.Errorf("hard keys: %v", h.Hard)
	}
	if n := PhysicalCores(); n < 1 || n > runtime.NumCPU() {
		t.Errorf("%d physical cores of %d hardware threads", n, runtime.NumCPU())
	}
	if runtime.GOOS == "linux" && (h.Hard["kernel"] == "" || !strings.HasPrefix(h.Soft["kernel_full"], h.Hard["kernel"])) {
		t.Errorf("kernel %q of %q", h.Hard["kernel"], h.Soft["kernel_full"])
	}
	again := Describe(context.Background(), nil)
	delete(h.Soft, "start_temperature")
	delete(again.Soft, "start_temperature")
	if diff := cmp.Diff(h, again); diff != "" {
		t.Errorf("the machine changed:\n%s", diff)
	}
}

func TestParseSet(t *testing.T) {
	for text, want := range map[string][]int{
		"0":          {0},
		"0-3,8":      {0, 1, 2, 3, 8},
		"8,0-1\n":    {0, 1, 8},
		"0-1,1-2":    {0, 1, 2},
		"":           nil,
		"3-1":        nil,
		"0,x":        nil,
		"-1":         nil,
		"0-8192":     nil,
		"0-9,0-8191": nil,
	} {
		if got := parseSet(text); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestQuota(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string // cpu_quota
	}{
		"version 2":              {map[string]string{"proc/self/cgroup": "0::/a/b", "sys/fs/cgroup/a/b/cpu.max": "150000 100000"}, "1.5"},
		"version 2, from above":  {map[string]string{"proc/self/cgroup": "0::/a/b", "sys/fs/cgroup/a/cpu.max": "300000 100000", "sys/fs/cgroup/a/b/cpu.max": "max 100000"}, "3"},
		"version 2, the tighter": {map[string]string{"proc/self/cgroup": "0::/a/b", "sys/fs/cgroup/a/cpu.max": "300000 100000", "sys/fs/cgroup/a/b/cpu.max": "400000 100000"}, "3"},
		"version 1":              {map[string]string{"proc/self/cgroup": "5:memory:/m\n4:cpu,cpuacct:/docker/1", "sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us": "50000", "sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us": "100000"}, "0.5"},
		"version 1, container":   {map[string]string{"proc/self/cgroup": "4:cpu:/docker/1", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, "2"},
		"version 1, none":        {map[string]string{"proc/self/cgroup": "4:cpu:/", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, "none"},
		"other group's limit":    {map[string]string{"proc/self/cgroup": "0::/a", "sys/fs/cgroup/cgroup.controllers": "cpu", "sys/fs/cgroup/b/cpu.max": "1 2"}, "none"},
		"no period":              {map[string]string{"proc/self/cgroup": "0::/a", "sys/fs/cgroup/a/cpu.max": "5 0"}, "none"},
		"nothing to see":         {map[string]string{"proc/self/cgroup": "0::/a"}, ""},
	} {
		files := make(fstest.MapFS)
		for path, text := range c.files {
			files[path] = &fstest.MapFile{Data: []byte(text)}
		}
		hard := keys{}
		tree{files}.hard(hard)
		if hard["cpu_quota"] != c.want {
			t.Errorf("%s: cpu_quota %q, want %q", name, hard["cpu_quota"], c.want)
		}
	}
}

func FuzzTree(f *testing.F) {
	for _, machine := range []string{"vm-epyc", "hybrid-laptop", "arm64-board", "container", "gpu-server"} {
		t := recorded(f, machine)
		f.Add(t.text("proc/cpuinfo"), t.text("proc/self/status"), t.text("sys/devices/system/cpu/online"), t.text("proc/self/cgroup"), t.text("sys/fs/cgroup/cpu.max"))
	}
	f.Fuzz(func(t *testing.T, cpuinfo, status, online, cgroup, max string) {
		root := tree{fstest.MapFS{
			"proc/cpuinfo":                  {Data: []byte(cpuinfo)},
			"proc/self/status":              {Data: []byte(status)},
			"sys/devices/system/cpu/online": {Data: []byte(online)},
			"proc/self/cgroup":              {Data: []byte(cgroup)},
			"sys/fs/cgroup/cpu.max":         {Data: []byte(max)},
		}}
		if n := root.usableCores(); n < 0 || n > 8192 {
			t.Errorf("%d cores", n)
		}
		k := keys{}
		root.hard(k)
		root.soft(k)
		for key, value := range k {
			if value == "" || strings.ContainsFunc(value, unicode.IsControl) {
				t.Errorf("%s: %q", key, value)
			}
		}
	})
}
