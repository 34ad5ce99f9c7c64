package callgrind

import (
	"bufio"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// BenchmarkRead50MB reads a profile of 50 MB: many functions with long names, and a
// few lines of costs and calls of each. It reports the most memory that the
// process took from the system for Go's heap, of which the profile is a part.
func BenchmarkRead50MB(b *testing.B) {
	for _, names := range []bool{true, false} {
		b.Run(map[bool]string{true: "compressed", false: "names in full"}[names], func(b *testing.B) {
			for b.Loop() {
				text := generated(50<<20, names)
				p, err := Read(text)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(p.Functions)), "functions")
			}
			b.SetBytes(50 << 20)
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapSys)/1e6, "MB-heap")
			b.ReportMetric(float64(m.Sys)/1e6, "MB-of-system")
		})
	}
}

// generated streams a whole profile of some size.
func generated(size int, compressed bool) io.Reader {
	const functions = 20_000
	r, pipe := io.Pipe()
	go func() {
		w := bufio.NewWriterSize(pipe, 1<<20)
		written, sum := 0, 0
		put := func(format string, args ...any) {
			n, _ := fmt.Fprintf(w, format, args...) // the reader tells what is missing
			written += n
		}
		name := func(i int) string {
			return fmt.Sprintf("ns::%s<%d>::call(std::vector<float, std::allocator<float> > const&)", strings.Repeat("t", 200), i)
		}
		put("# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\ncmd: prog\npositions: line\nevents: Ir\n\n")
		for i := 0; written < size; i++ {
			f := i % functions
			switch {
			case !compressed:
				put("fl=/src/file%d.cpp\nfn=%s\n", f%500, name(f))
			case i < functions:
				put("fl=(%d) /src/file%d.cpp\nfn=(%d) %s\n", i+1, f%500, i+1, name(f))
			default:
				put("fl=(%d)\nfn=(%d)\n", f+1, f+1)
			}
			for line := range 40 {
				put("+%d %d\n", line, f)
				sum += f
			}
			put("calls=3 +2\n* 123456\n\n")
		}
		put("totals: %d\n", sum)
		w.Flush()
		pipe.Close()
	}()
	return r
}
