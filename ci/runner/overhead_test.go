package runner_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
)

// BenchmarkOverhead is the time the tool itself adds to a run: the wall time of
// Run less that of the processes it waits for, b.N of about a second each.
//
//	go test -run '^$' -bench Overhead -benchtime 100x ./ci/runner
//
// overhead-% is of the whole run and is to stay below 1; peak-MB is the largest
// resident memory of this process and is to stay below 64.
func BenchmarkOverhead(b *testing.B) {
	dir := b.TempDir()
	p := makePlan(b, dir, b.N/4+1)
	p.Trials = p.Trials[:b.N]
	var children time.Duration
	bench := &fakeBench{before: func(context.Context, plan.Trial) {
		start := time.Now()
		cmd := exec.Command(os.Args[0])
		cmd.Env = []string{napVar + "=1s"}
		if err := cmd.Run(); err != nil {
			b.Error(err)
		}
		children += time.Since(start)
	}}
	opts := options(filepath.Join(dir, "out"))
	opts.Observer = runner.NewLiveLine(io.Discard, 100, nil)
	b.ResetTimer()
	start := time.Now()
	if _, err := runner.Run(context.Background(), p, bench, opts); err != nil {
		b.Fatal(err)
	}
	added := time.Since(start) - children
	b.StopTimer()
	b.ReportMetric(100*added.Seconds()/(added+children).Seconds(), "overhead-%")
	b.ReportMetric(1000*added.Seconds()/float64(b.N), "overhead-ms/trial")
	b.ReportMetric(peakMB(b), "peak-MB")
}

// BenchmarkTrial is what one trial costs beside its measurement: the journal's
// line, written and synced, the progress line, the checks.
//
//	go test -run '^$' -bench Trial ./ci/runner
func BenchmarkTrial(b *testing.B) {
	dir := b.TempDir()
	p := makePlan(b, dir, b.N/4+1)
	p.Trials = p.Trials[:b.N]
	opts := options(filepath.Join(dir, "out"))
	size := &journalSize{path: filepath.Join(opts.Dir, runner.JournalFile)}
	opts.Observer = size
	b.ResetTimer()
	if _, err := runner.Run(context.Background(), p, &fakeBench{}, opts); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(size.after-size.before)/float64(b.N), "journal-B/trial")
	b.ReportMetric(peakMB(b), "peak-MB")
}

// journalSize looks at the journal when it begins and when all trials are in it.
type journalSize struct {
	eventLog
	path          string
	last          string
	before, after int64
}

func (s *journalSize) Begin(p *plan.Plan, _ []record.Trial) {
	s.last = p.Trials[len(p.Trials)-1].ID
	s.before = sizeOf(s.path)
}

func (s *journalSize) Finished(t plan.Trial, _ record.Trial) {
	if t.ID == s.last {
		s.after = sizeOf(s.path)
	}
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// peakMB is the largest resident memory of this process so far.
func peakMB(b *testing.B) float64 {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	unit := 1024.0 // Linux counts KiB
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return float64(use.Maxrss) * unit / 1e6
}
