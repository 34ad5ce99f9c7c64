package sharegpt

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/conversations"
)

// TestMain also is the process whose memory is measured: with a dataset in
// SHAREGPT_SAMPLE it samples that and prints what it took.
func TestMain(m *testing.M) {
	path := os.Getenv("SHAREGPT_SAMPLE")
	if path == "" {
		os.Exit(m.Run())
	}
	start := time.Now()
	if _, err := Sample(context.Background(), path, Selection{Rule: VLLM, Sample: 1000, Seed: 1}, new(words)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Println(time.Since(start).Nanoseconds(), memory.HeapSys)
}

// measure samples a file in a process of its own, on two processors, and returns
// the time, the processor time, the memory that its heap took from the system,
// which is its peak, and the peak of all its resident memory, in bytes.
func measure(t testing.TB, path string) (took, cpu time.Duration, heap, resident int64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "SHAREGPT_SAMPLE="+path, "GOMAXPROCS=2", "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(out), &took, &heap); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	return took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), heap, peakMemory(cmd.ProcessState)
}

func synthetic(t testing.TB, bytes int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "synthetic.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := conversations.Write(t.Context(), f, conversations.Synthetic{Bytes: bytes, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	return path
}

// A sample does not hold the file: its heap takes less memory than the file has
// bytes. (The race detector leaves the heap as it is, and multiplies the rest.)
func TestMemory(t *testing.T) {
	chunk := bytes.Repeat([]byte(exchange(500, 1500)+"\n"), 150)
	path := filepath.Join(t.TempDir(), "dataset.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size := 0
	for size < 80<<20 {
		n, err := f.Write(chunk)
		if err != nil {
			t.Fatal(err)
		}
		size += n
	}
	if _, _, heap, _ := measure(t, path); heap > 48<<20 || heap == 0 {
		t.Errorf("a file of %d bytes took %d bytes of heap, want at most 48 MiB", size, heap)
	}
}

// BenchmarkSample states the budget for a file like the public one: 670 MB in
// under 12 s within 64 MB of memory, on two processors that have nothing else to do.
// Run it alone:
//
//	go test -run '^$' -bench Sample -benchtime 3x ./ci/internal/sharegpt
func BenchmarkSample(b *testing.B) {
	const size = 670e6
	path := synthetic(b, size)
	b.SetBytes(size)
	for b.Loop() {
		took, cpu, _, peak := measure(b, path)
		b.ReportMetric(took.Seconds(), "s/sample")
		b.ReportMetric(cpu.Seconds(), "cpu-s/sample")
		b.ReportMetric(float64(peak)/1e6, "MB-peak")
		if took > 12*time.Second || peak > 64e6 {
			b.Errorf("took %v (%v of processor time) and %d bytes of memory, over the budget", took, cpu, peak)
		}
	}
}
