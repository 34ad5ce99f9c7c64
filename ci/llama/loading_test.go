package llama

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakeprogram"
)

// Lines of progress reach nobody else, however they are cut, and every other byte does.
func TestLoadClock(t *testing.T) {
	said, err := os.ReadFile(recorded + "progress.stderr")
	if err != nil {
		t.Fatal(err)
	}
	long := progressPrefix + strings.Repeat("x", 300) + "\n"
	for name, c := range map[string]struct {
		in, want string
		ready    bool
	}{
		"recorded":   {string(said), strings.SplitAfter(string(said), "\n")[0], true},
		"starting":   {"a\n" + progressPrefix + "1/2: starting\nb", "a\nb", false},
		"almost":     {"llama-bench: bench\nllama-bench: error\n", "llama-bench: bench\nllama-bench: error\n", false},
		"inside":     {"x " + progressPrefix + "1/2: prompt run 1/2\n", "x " + progressPrefix + "1/2: prompt run 1/2\n", false},
		"cut":        {progressPrefix + "1/", progressPrefix + "1/", false},
		"too long":   {long + "after\n", long + "after\n", false},
		"empty line": {"\n\n", "\n\n", false},
	} {
		for _, size := range []int{1, 7, 1 << 20} {
			var out strings.Builder
			clock := &loadClock{next: &out}
			for rest := c.in; rest != ""; {
				n := min(size, len(rest))
				if written, err := clock.Write([]byte(rest[:n])); written != n || err != nil {
					t.Fatalf("%s: %d, %v", name, written, err)
				}
				rest = rest[n:]
			}
			clock.end()
			if out.String() != c.want || clock.ready.IsZero() == c.ready {
				t.Errorf("%s by %d: %q, ready %v", name, size, out.String(), !clock.ready.IsZero())
			}
		}
	}
}

// What the real llama-bench takes: memory for at least the model, as /usr/bin/time has it
// too, and a load time that is part of the trial.
func TestRealTaken(t *testing.T) {
	bin, _ := realLlama(t)
	model := t.TempDir() + "/small.gguf"
	shape, _ := gguf.Preset("small")
	if _, err := gguf.WriteFile(t.Context(), model, shape, 1); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(model)
	if err != nil {
		t.Fatal(err)
	}
	mine := ownPeak() // of the tests before this one
	p := onePlan(bin, model, map[string]string{"threads": "1"}, "pp8")
	p.Cells[0].Cell.Metrics = append(p.Cells[0].Cell.Metrics, record.ResourceMetrics()...)
	trial, err := new(Bench).Measure(t.Context(), p, p.Trials[0])
	if err != nil || trial.Failure != nil {
		t.Fatalf("%v, %+v", err, trial.Failure)
	}
	memory, _ := trial.Measurement(record.PeakMemory)
	load, _ := trial.Measurement(record.LoadTime)
	if len(load.Values) != 1 || len(memory.Values) != 1 && mine < info.Size() {
		t.Fatalf("%+v", trial.Measurements)
	}
	if len(memory.Values) == 0 {
		if os.Getenv("LLAMA_REGRESS_REQUIRE_MEMORY") == "1" {
			t.Fatalf("no peak of the program beside %d bytes of these tests: run this test alone", mine)
		}
		t.Skipf("the tests before this one took %d bytes, more than the program", mine)
	}
	if memory.Values[0] < float64(info.Size()) {
		t.Errorf("%.0f bytes were resident, and the model has %d", memory.Values[0], info.Size())
	}
	t.Logf("model %d MiB, resident %.0f MiB, ready after %.3f s of %.3f s of processor", info.Size()>>20, memory.Values[0]/(1<<20), load.Values[0], trial.Resources.UserSeconds+trial.Resources.SystemSeconds)
	if _, ok := trial.Measurement(record.EnergyPerToken); ok {
		t.Error("energy of a machine without a device")
	}
	oracle, err := exec.LookPath("/usr/bin/time")
	if err != nil {
		return
	}
	out, err := exec.Command(oracle, append([]string{"-f", "peak %M"}, trial.Command...)...).CombinedOutput()
	_, text, ok := strings.Cut(string(out), "peak ")
	kib, _ := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if ratio := memory.Values[0] / (kib * 1024); err != nil || !ok || ratio < 0.95 || ratio > 1.05 {
		t.Errorf("resident %.0f bytes, and %s says %.0f KiB (%v)", memory.Values[0], oracle, kib, err)
	}
}

// A parent that holds more than its child does not pass its memory off as the child's.
func TestPeakMemoryIsTheChilds(t *testing.T) {
	fakeprogram.Fill(200 << 20)
	more := ownPeak() + 100<<20 // of tests before this one, too, and with the race detector twice as much
	for size, known := range map[int64]bool{more: true, 60 << 20: false} {
		p := onePlan(fake(t, fmt.Sprintf("FAKE_MEMORY=%dM", size>>20)), modelFile(t), nil, "pp8")
		p.Cells[0].Cell.Metrics = append(p.Cells[0].Cell.Metrics, record.ResourceMetrics()...)
		trial, err := new(Bench).Measure(t.Context(), p, p.Trials[0])
		if err != nil || trial.Failure != nil {
			t.Fatalf("%v, %+v", err, trial.Failure)
		}
		m, ok := trial.Measurement(record.PeakMemory)
		if ok != known || known && (m.Values[0] < float64(size>>20<<20) || m.Values[0] > 1.5*float64(size)) || !known && trial.Resources.MaxRSSBytes != 0 {
			t.Errorf("%d MiB beside 200 MiB of the parent: %+v, resources %+v", size>>20, m, trial.Resources)
		}
	}
}
