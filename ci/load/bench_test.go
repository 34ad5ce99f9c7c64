package load_test

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/fixtures/fakeserver"
)

// fakeProcess makes the test binary a fake server, so that a benchmark's own
// CPU time and memory are the load generator's alone.
const fakeProcess = "LOAD_TEST_FAKE_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(fakeProcess) == "" {
		os.Exit(m.Run())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		bufio.NewReader(os.Stdin).ReadByte() // the benchmark holds it open
		os.Exit(0)
	}()
	fmt.Println("http://" + l.Addr().String())
	fakeserver.New(fakeserver.Settings{Slots: 1000, Ctx: 1000 * 4096, Prompt: 1e5, Gen: 20}).Serve(l)
}

func startProcess(b *testing.B) (url string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fakeProcess+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); cmd.Wait() })
	if _, err := fmt.Fscanln(out, &url); err != nil {
		b.Fatal(err)
	}
	return url
}

// BenchmarkStreams holds 1000 streams of 20 tokens/s each at the same time. Of
// a budget of 60 µs of CPU time an event and 40 KiB of memory a stream it
// reports the shares used, 1 being all of it.
func BenchmarkStreams(b *testing.B) {
	const streams = 1000
	url := startProcess(b)
	opts := load.Options{URL: url, Concurrency: streams, Requests: streams, Output: 100, Timeout: 5 * time.Minute}
	var events int
	var cpu, memory float64
	for b.Loop() {
		runtime.GC()
		before, used := heap(), cpuTime()
		stop := make(chan float64)
		go func() { // the most that was in use while the streams ran
			var most float64
			for {
				select {
				case <-time.After(100 * time.Millisecond):
					most = max(most, heap())
				case stop <- most:
					return
				}
			}
		}()
		res, err := load.Run(context.Background(), prompts(100), opts)
		if err != nil {
			b.Fatal(err)
		}
		cpu += (cpuTime() - used).Seconds()
		memory = max(memory, <-stop-before)
		for _, r := range res.Requests {
			if r.Failure != nil {
				b.Fatalf("request %d: %+v", r.Index, r.Failure)
			}
			events += r.Events
		}
	}
	perEvent := cpu / float64(events) * 1e6
	perStream := memory / streams / 1024
	b.ReportMetric(perEvent, "µs/event")
	b.ReportMetric(perEvent/60, "of-60µs")
	b.ReportMetric(perStream, "KiB/stream")
	b.ReportMetric(perStream/40, "of-40KiB")
	b.ReportMetric(0, "ns/op")
}

// heap returns the bytes of heap and stacks in use, garbage included.
func heap() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}

// cpuTime returns what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTTFTError sends 200 requests/s in an open loop and compares each
// TTFT, sending late included, with the server's own from the arrival of the
// request. Of a budget of 2 ms for the 99th percentile it reports the share
// used.
func BenchmarkTTFTError(b *testing.B) {
	var errs, delays []float64
	for b.Loop() {
		srv := fakeserver.New(fakeserver.Settings{Slots: 400, Ctx: 400 * 4096, Prompt: 1000, Gen: 100})
		res, err := load.Run(context.Background(), prompts(1000), load.Options{URL: srv.Start(b), Rate: 200, Output: 10})
		if err != nil {
			b.Fatal(err)
		}
		srv.Close()
		truth := map[string]time.Duration{} // by prompt
		number := regexp.MustCompile(`number (\d+) `)
		for _, x := range srv.Requests() {
			truth["p"+number.FindStringSubmatch(x.Body)[1]] = x.FirstContent.Sub(x.Arrived)
		}
		for _, r := range res.Requests {
			ttft, ok := truth[r.Prompt]
			if r.Failure != nil || !ok {
				b.Fatalf("request %d: %+v", r.Index, r.Failure)
			}
			errs = append(errs, math.Abs(r.TTFT-ttft.Seconds()))
		}
		delays = append(delays, res.Delays...)
	}
	slices.Sort(errs)
	slices.Sort(delays)
	p99 := errs[len(errs)*99/100]
	b.ReportMetric(errs[len(errs)/2]*1e3, "ms-p50")
	b.ReportMetric(p99*1e3, "ms-p99")
	b.ReportMetric(p99/2e-3, "of-2ms")
	b.ReportMetric(delays[len(delays)*99/100]*1e3, "ms-delay-p99")
	b.ReportMetric(0, "ns/op")
}
