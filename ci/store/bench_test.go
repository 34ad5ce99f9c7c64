package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"
)

// nights is a folder with so many sessions of 100 cells, 2 metrics, 6 trials
// and 5 repetitions, some 500 kB each.
func nights(b *testing.B, n int) string {
	dir := b.TempDir()
	first := testRun(night, 100, 6)
	text, err := json.Marshal(first)
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		at := night.AddDate(0, 0, i)
		run := *first
		run.Started, run.ID = at, at.Format(keyTime)+"-3f2a"
		data := bytes.ReplaceAll(text, []byte(first.ID), []byte(run.ID))
		data = bytes.Replace(data, []byte(`"started":"2026-03-09T21:15:00Z"`), []byte(`"started":"`+at.Format(time.RFC3339)+`"`), 1)
		path := filepath.Join(dir, KeyOf(&run, "", 1).String())
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("a record has %d bytes", len(text))
	return dir
}

// Budget: 3 s and 300 MB of memory for 1 000 nights, every night but the first
// on a machine. "cold" is that first, without an index.
func BenchmarkLoad(b *testing.B) {
	const n = 1000
	s := open(b, "dir:"+nights(b, n), Options{})
	for _, how := range []string{"cold", "warm"} {
		b.Run(how, func(b *testing.B) {
			o := LoadOptions{Cache: b.TempDir(), Now: night.AddDate(0, 0, n)}
			if how == "warm" {
				load(b, s, o)
			}
			peak := watchMemory()
			spent := processorTime()
			var c *Contents
			for b.Loop() {
				if how == "cold" {
					os.RemoveAll(filepath.Join(o.Cache, "index"))
				}
				c = load(b, s, o)
			}
			b.ReportMetric(float64(processorTime()-spent)/1e9/float64(b.N), "cpu-s/op") // a busy machine changes it less than the time
			b.ReportMetric(peak()/1e6, "peak-MB")
			debug.FreeOSMemory()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapAlloc)/1e6, "kept-MB")
			if len(c.Sessions) != n || len(c.Faults) > 0 {
				b.Fatalf("%d sessions, faults %v", len(c.Sessions), c.Faults)
			}
		})
	}
}

// processorTime is what this process has used of all processors, in ns.
func processorTime() int64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// watchMemory samples the memory taken from the system; the function it
// returns gives the largest, in bytes.
func watchMemory() func() float64 {
	debug.FreeOSMemory()
	done, result := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.Sys-m.HeapReleased)
			select {
			case <-done:
				result <- most
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() float64 { close(done); return float64(<-result) }
}

// Budget: 1 s for one more record on a branch that holds 5 000.
func BenchmarkGitAppend(b *testing.B) {
	remote := bareRepository(b)
	fillBranch(b, remote, 5000)
	record := testRun(night, 10, 6)
	for _, how := range []string{"cold", "warm"} {
		b.Run(how, func(b *testing.B) {
			s := open(b, "git:"+remote+"#perf-data", Options{Cache: b.TempDir()})
			if how == "warm" {
				s.List(context.Background(), "")
			}
			i := 0
			for b.Loop() {
				if how == "cold" {
					s = open(b, "git:"+remote+"#perf-data", Options{Cache: b.TempDir()})
				}
				i++
				record.ID = fmt.Sprintf("%s-%d", how, time.Now().UnixNano())
				keep(b, s, record)
			}
		})
	}
}

// fillBranch commits n small objects at once, as records of as many nights.
func fillBranch(b *testing.B, remote string, n int) {
	work := filepath.Join(b.TempDir(), "work")
	runGit(b, "", "init", "--quiet", work)
	for i := range n {
		run := testRun(night.AddDate(0, 0, -i), 1, 1)
		path := filepath.Join(work, KeyOf(run, "", 1).String())
		os.MkdirAll(filepath.Dir(path), 0o755)
		data, _ := json.Marshal(run)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	runGit(b, work, "add", ".")
	runGit(b, work, "commit", "--quiet", "-m", "history")
	runGit(b, work, "push", "--quiet", remote, "HEAD:refs/heads/perf-data")
}
