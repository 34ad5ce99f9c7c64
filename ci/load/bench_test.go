package load_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
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
	var slots int
	var rate float64 // tokens/s of a slot
	if _, err := fmt.Sscan(os.Getenv(fakeProcess), &slots, &rate); err != nil {
		panic(err)
	}
	fmt.Println("http://" + l.Addr().String())
	srv := fakeserver.New(fakeserver.Settings{Slots: slots, Ctx: slots * 4096, Prompt: 2000, Gen: rate})
	go srv.Serve(l)
	io.Copy(io.Discard, os.Stdin) // the benchmark holds it open
	srv.Close()
	var told []benchTruth
	for _, x := range srv.Requests() {
		if x.Came.IsZero() { // the kernel takes a moment to begin with its notes
			x.Came = x.Arrived
		}
		t := benchTruth{Prompt: "p" + promptNumber.FindStringSubmatch(x.Body)[1], TTFT: x.FirstContent.Sub(x.Came).Seconds(), InFlight: x.InFlight}
		if x.Events > 1 {
			t.TPOT = x.LastContent.Sub(x.FirstContent).Seconds() / float64(x.Events-1)
		}
		told = append(told, t)
	}
	json.NewEncoder(os.Stdout).Encode(told)
}

var promptNumber = regexp.MustCompile(`number (\d+) `)

// A benchTruth is what the server knows of a request.
type benchTruth struct {
	Prompt     string
	TTFT, TPOT float64
	InFlight   int
}

// startProcess starts a fake server with that many slots of that many tokens/s; truth
// stops it and returns what it knows by prompt.
func startProcess(b *testing.B, slots int, rate float64) (url string, truth func() map[string]benchTruth) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %g", fakeProcess, slots, rate))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); cmd.Wait() })
	out := bufio.NewReader(pipe)
	if _, err := fmt.Fscanln(out, &url); err != nil {
		b.Fatal(err)
	}
	return url, func() map[string]benchTruth {
		in.Close()
		var told []benchTruth
		if err := json.NewDecoder(out).Decode(&told); err != nil {
			b.Fatal(err)
		}
		by := map[string]benchTruth{}
		for _, t := range told {
			by[t.Prompt] = t
		}
		return by
	}
}

// BenchmarkStreams holds so many streams of 20 tokens/s at the same time, each of 100
// tokens on a connection of its own, as a chat of many users would; of 10 000 they are
// slower and shorter, since a machine of two processors serves no more. It reports the
// processor time of an event, and of those beyond 128 streams alone (margin),
// the memory of a stream, what was lost, how many streams were really open at once,
// and how far the median and the 99th percentile of what was measured lie from what
// the server knows. To it, a request begins when it has come to the machine: what a
// busy server takes to read it is its own. The server is another process. On a machine
// that has nothing else to do:
//
//	go test -run '^$' -bench Streams -benchtime 1x ./ci/load
func BenchmarkStreams(b *testing.B) {
	var base struct{ cpu, events float64 } // of 128 streams
	for _, streams := range []int{16, 128, 512, 2048, 10_000, 30_000} {
		b.Run(strconv.Itoa(streams), func(b *testing.B) {
			rate, tokens := 20.0, 100
			switch streams {
			case 10_000:
				rate, tokens = 1, 30
			case 30_000: // more than one address has ports, and most limits have files
				rate, tokens = 0.25, 10
			}
			var files syscall.Rlimit
			if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files) == nil && files.Cur < uint64(streams)+100 {
				b.Skipf("%d files may be open; raise the limit with 'ulimit -n 40000'", files.Cur)
			}
			var events, lost int
			var cpu, memory float64
			var said, truth [2][]float64 // TTFT, TPOT
			open := 0
			for b.Loop() {
				url, stop := startProcess(b, streams, rate)
				runtime.GC()
				before, used := heap(), cpuTime()
				most := watchHeap()
				res, err := load.Run(context.Background(), prompts(streams), load.Options{
					URL: url, API: load.Chat, Concurrency: streams, Requests: streams, Output: tokens, Timeout: 5 * time.Minute})
				if err != nil {
					b.Fatal(err)
				}
				cpu += (cpuTime() - used).Seconds()
				memory = max(memory, most()-before)
				known := stop()
				for _, r := range res.Requests {
					events += r.Events
					t, ok := known[r.Prompt]
					if r.Failure != nil || !ok {
						lost++
						continue
					}
					open = max(open, t.InFlight)
					said[0], said[1] = append(said[0], r.TTFT), append(said[1], r.TPOT)
					truth[0], truth[1] = append(truth[0], t.TTFT), append(truth[1], t.TPOT)
				}
			}
			n := float64(events)
			b.ReportMetric(cpu/n*1e6, "µs/event")
			if streams == 128 {
				base.cpu, base.events = cpu/float64(b.N), n/float64(b.N)
			} else if streams > 128 {
				b.ReportMetric((cpu/float64(b.N)-base.cpu)/(n/float64(b.N)-base.events)*1e6, "µs/event-margin")
			}
			b.ReportMetric(memory/float64(streams)/1024, "KiB/stream")
			b.ReportMetric(float64(lost), "lost")
			b.ReportMetric(float64(open), "open")
			for i, name := range []string{"ttft", "tpot"} {
				if len(said[i]) == 0 {
					continue
				}
				slices.Sort(said[i])
				slices.Sort(truth[i])
				for _, q := range []int{50, 99} {
					at := len(said[i]) * q / 100
					b.ReportMetric((said[i][at]-truth[i][at])*1e3, fmt.Sprintf("ms-%s-p%d", name, q))
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// watchHeap returns a function that ends the watch, and returns the most that was in use.
func watchHeap() func() float64 {
	stop := make(chan float64)
	go func() {
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
	return func() float64 { return <-stop }
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
		for _, x := range srv.Requests() {
			truth["p"+promptNumber.FindStringSubmatch(x.Body)[1]] = x.FirstContent.Sub(x.Arrived)
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
