package llama

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakebench"
)

func TestMeasureEndsWhatHangs(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	p := onePlan(fake(t, "FAKE_FAULT=hang@1", "FAKE_LOG="+log), modelFile(t), nil, "pp512", "tg128")
	p.Timeout = 3 * time.Second
	trial, err := new(Bench).Measure(t.Context(), p, p.Trials[0])
	if err != nil || trial.Outcome != record.Failed || trial.Failure.Class != record.TimedOut {
		t.Fatalf("%+v, %v", trial.Failure, err)
	}
	if got := trial.Failure.Message; !strings.HasPrefix(got, "still running after 3s, the time limit") { // the grace period is none of it
		t.Error(got)
	}

	p.Timeout = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for n := 0; n < 2; { // the trial before, and this one
			runs, _ := fakebench.Invocations(log)
			n = 0
			for _, run := range runs {
				if run.Args[0] == "-m" {
					n++
				}
			}
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	if _, err := new(Bench).Measure(ctx, p, p.Trials[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	runs, err := fakebench.Invocations(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		groupGone(t, run.PID)
	}
}

// A child that deafens itself, one that becomes a daemon: neither is there when
// the trial has ended, whether it ended well or was cancelled.
func TestMeasureLeavesNothing(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("walks /proc")
	}
	logs := t.TempDir()
	daemon := func(id string) int {
		data, err := os.ReadFile(filepath.Join(logs, id+".log"))
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(data), "fakebench: daemon ")
		line, _, _ := strings.Cut(after, "\n")
		pid, _ := strconv.Atoi(line)
		return pid
	}
	p := onePlan(fake(t, "FAKE_FAULT=daemon"), modelFile(t), nil, "pp512")
	trial, err := (&Bench{LogDir: logs}).Measure(t.Context(), p, p.Trials[0])
	if err != nil || trial.Outcome != record.OK || !strings.Contains(strings.Join(trial.Warnings, "\n"), "left processes behind, which were killed: ") {
		t.Errorf("%v, %+v, warnings %q", err, trial.Failure, trial.Warnings)
	}
	gone(t, daemon(p.Trials[0].ID))

	p = onePlan(fake(t, "FAKE_FAULT=daemon,deaf@1"), modelFile(t), nil, "pp512", "tg128")
	p.Trials[0].ID = "deaf"
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if data, _ := os.ReadFile(filepath.Join(logs, "deaf.log")); strings.Contains(string(data), "daemon ") && strings.HasSuffix(string(data), "\n") {
				cancel()
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if _, err := (&Bench{LogDir: logs}).Measure(ctx, p, p.Trials[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	gone(t, daemon("deaf"))
}

// A memory kill is told from other kills by what the kernel counted, or by
// what the program said.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	end := func(command, stderr string) *childEnd {
		e, err := runChild(t.Context(), shell(command))
		if err != nil {
			t.Fatal(err)
		}
		e.stderr = stderr
		return e
	}
	for i, c := range []struct {
		end     *childEnd
		counted bool
		want    record.FailureClass
	}{
		{end("kill -KILL $$", ""), true, record.OutOfMemory},
		{end("kill -KILL $$", ""), false, record.Crashed},
		{end("exit 137", ""), true, record.OutOfMemory},
		{end("exit 1", ""), true, record.ExitStatus}, // somebody else was killed
		{end("kill -ABRT $$", "terminate called after throwing an instance of 'std::bad_alloc'\n"), false, record.OutOfMemory},
		{end("exit 1", "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 40000.00 MiB on device 0: cudaMalloc failed: out of memory\nllama_model_load: error loading model: unable to allocate CUDA0 buffer\nmain: error: failed to load model 'm'\n"), false, record.OutOfMemory},
	} {
		if f := failureOf(c.end, childSpec{}, c.counted); f.Class != c.want || f.Message == "" {
			t.Errorf("%d: %+v, want %s", i, f, c.want)
		}
	}
	if n := memoryKills(); n < 0 {
		t.Errorf("%d memory kills", n)
	}
}
