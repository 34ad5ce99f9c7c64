package sched

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A limit of 0.5 on 2 processors, with 3 periods of 0.1 s and a tick of 10 ms on
// each forgiven, a twentieth of all, and a quarter of a second.
func TestLimitKept(t *testing.T) {
	type reading struct{ at, used float64 } // s
	for name, c := range map[string]struct {
		readings []reading
		says     string
	}{
		"kept":                    {[]reading{{1, 0.5}, {2, 1}, {60, 30}}, ""},
		"idle":                    {[]reading{{1, 0}, {2, 0}}, ""},
		"a first period at once":  {[]reading{{0.05, 0.1}}, ""},
		"three periods at once":   {[]reading{{0.05, 0.42}}, ""},
		"short, kept":             {[]reading{{0.3, 0.2}}, ""},
		"short, lifted":           {[]reading{{1, 2}}, "2.00 processors' worth of time was used for 1.0 s"},
		"lifted a little":         {[]reading{{10, 5.8}}, "asked for 0.5, but 0.58 processors' worth of time was used for 10.0 s"},
		"a burst after long idle": {[]reading{{60, 0}, {61, 1}}, "1.00 processors' worth of time was used for 1.0 s"},
		"readings that are close": {[]reading{{5, 1}, {5.2, 1.42}, {5.3, 1.6}}, ""},
		"lifted for a while":      {[]reading{{10, 1}, {11, 2.5}, {60, 3}}, "1.50 processors' worth of time was used for 1.0 s"},
	} {
		k := &keeper{cores: 0.5, cpus: 2}
		start := time.Now()
		k.first.at = start
		k.last = k.first
		seconds := func(s float64) time.Duration { return time.Duration(s * 1e9) }
		for _, r := range c.readings {
			k.judge(usage{start.Add(seconds(r.at)), seconds(r.used)})
		}
		if (k.fault == nil) != (c.says == "") || k.fault != nil && !strings.Contains(k.fault.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, k.fault, c.says)
		}
	}
}

// Whoever follows a process is told at its end that its group used more than its
// share, although the file with the limit still reads as set.
func TestLimitThatNobodyKeeps(t *testing.T) {
	for name, c := range map[string]struct{ stat, says string }{
		"lifted":  {"usage_usec 36000000000\nuser_usec 1\n", "does not keep the limits of control groups"}, // 10 hours
		"kept":    {"usage_usec 0\nuser_usec 0\n", ""},
		"no stat": {"", "whether it was kept cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := place(t, map[string]string{CPULimit: "1.5"})
			files := map[string]string{"cpu.max": "150000 100000\n"}
			if c.stat != "" {
				files["cpu.stat"] = c.stat
			}
			for file, text := range files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			seen, err := p.Follow(os.Getpid(), &Group{dir: dir, kept: newKeeper(dir, p.cores)})()
			if seen[CPULimit] != "150000 100000" || err == nil { // this process is in no group of that name
				t.Fatalf("%v, %v", seen, err)
			}
			if told := strings.Contains(err.Error(), CPULimit); told != (c.says != "") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}
