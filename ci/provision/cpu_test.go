package provision

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	x86Backends = []string{"x64", "sse42", "sandybridge", "ivybridge", "piledriver", "haswell", "skylakex", "cannonlake",
		"cascadelake", "icelake", "cooperlake", "zen4", "alderlake", "sapphirerapids"}
	armBackends = []string{"armv8.0_1", "armv8.2_1", "armv8.2_2", "armv8.2_3", "armv8.6_1", "armv8.6_2", "armv9.2_1", "armv9.2_2"}
)

func libraries(names ...string) map[string]string {
	m := map[string]string{}
	for _, name := range names {
		m[name] = "files/libggml-cpu-" + name + ".so"
	}
	return m
}

// What each processor can run, the fastest first. Checked by hand against the
// features that llama.cpp asks for; epyc-zen4-vm also by running every backend.
func TestRank(t *testing.T) {
	tests := map[string]struct {
		backends []string
		usable   string
	}{
		"xeon-e5-2690-sandybridge": {x86Backends, "sandybridge sse42 x64"},
		"core-i5-4590-haswell":     {x86Backends, "haswell piledriver ivybridge sandybridge sse42 x64"},
		"core-ultra-hybrid":        {x86Backends, "alderlake haswell piledriver ivybridge sandybridge sse42 x64"},
		"xeon-cascadelake":         {x86Backends, "cascadelake skylakex haswell piledriver ivybridge sandybridge sse42 x64"},
		"xeon-icelake":             {x86Backends, "icelake cascadelake cannonlake skylakex haswell piledriver ivybridge sandybridge sse42 x64"},
		"xeon-sapphirerapids-vm": {x86Backends, "sapphirerapids zen4 cooperlake icelake cascadelake cannonlake skylakex alderlake " +
			"haswell piledriver ivybridge sandybridge sse42 x64"},
		"epyc-zen4-vm":   {x86Backends, "zen4 cooperlake icelake cascadelake cannonlake skylakex haswell piledriver ivybridge sandybridge sse42 x64"},
		"raspberry-pi-4": {armBackends, "armv8.0_1"},
		"raspberry-pi-5": {armBackends, "armv8.2_2 armv8.2_1 armv8.0_1"},
		"neoverse-v1":    {armBackends, "armv8.6_1 armv8.2_3 armv8.2_2 armv8.2_1 armv8.0_1"},
		"neoverse-v2":    {armBackends, "armv8.6_2 armv8.6_1 armv8.2_3 armv8.2_2 armv8.2_1 armv8.0_1"},
	}
	recorded, err := os.ReadDir("testdata/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	if len(recorded)-1 != len(tests) { // less the README
		t.Errorf("%d processors recorded, %d tested", len(recorded)-1, len(tests))
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := os.Open(filepath.Join("testdata/cpuinfo", name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var usable []string
			ranked := rank(libraries(tt.backends...), cpuFeatures(f))
			for _, b := range ranked {
				if b.Usable {
					usable = append(usable, b.Name)
				}
			}
			if got := strings.Join(usable, " "); got != tt.usable {
				t.Errorf("usable:\n got %s\nwant %s", got, tt.usable)
			}
			if len(ranked) != len(tt.backends) {
				t.Errorf("%d backends ranked, want all %d", len(ranked), len(tt.backends))
			}
		})
	}
}

// A backend of a later llama.cpp, or a processor that the kernel says nothing
// of, must not be taken for usable, nor be lost.
func TestRankUnknown(t *testing.T) {
	all := map[string]bool{}
	for _, v := range variants {
		for _, need := range v.needs {
			all[need] = true
		}
	}
	ranked := rank(libraries("zen9", "haswell", "aaa"), all)
	var names []string
	for _, b := range ranked {
		names = append(names, b.Name)
		if b.Usable != (b.Name == "haswell") {
			t.Errorf("%s: usable %v", b.Name, b.Usable)
		}
	}
	if want := []string{"haswell", "zen9", "aaa"}; !slices.Equal(names, want) {
		t.Errorf("order %v, want %v", names, want)
	}
	for _, b := range rank(libraries("x64", "haswell"), nil) {
		if b.Usable {
			t.Errorf("%s is usable on a processor of which nothing is known", b.Name)
		}
	}
}

func TestCPUFeatures(t *testing.T) {
	tests := map[string]struct {
		text string
		want int
	}{
		"empty":         {"", 0},
		"no flags":      {"processor\t: 0\ncpu\t\t: POWER9\n", 0},
		"no last break": {"flags : a b c", 3},
		"first counts":  {"flags\t: a b\n\nflags\t: a b c\n", 2},
		"no colon":      {"flags a b\n", 0},
	}
	for name, tt := range tests {
		if got := cpuFeatures(strings.NewReader(tt.text)); len(got) != tt.want {
			t.Errorf("%s: %d features %v, want %d", name, len(got), got, tt.want)
		}
	}
}
