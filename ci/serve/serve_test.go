package serve

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/effort"
	"github.com/llama-regress/llama-regress/fixtures/fakeserver"
)

func TestMain(m *testing.M) {
	fakeserver.TakeOver()
	effort.SideBySide(2)
	os.Exit(m.Run())
}

// A rig is a plan of one serve cell on a fake server.
type rig struct {
	t     *testing.T
	plan  *plan.Plan
	bench *Bench
}

// newRig has 12 prompts of 20 to 31 words and asks for 8 tokens each.
func newRig(t *testing.T, change func(*config.Config), settings ...string) *rig {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	if _, err := fakeserver.Install(bin, append([]string{"FAKE_TOKS=pp=400,tg=400"}, settings...)...); err != nil {
		t.Fatal(err)
	}
	var chats []map[string]string
	for i := range 12 {
		chats = append(chats, map[string]string{"id": fmt.Sprint("chat", i), "prompt": strings.Repeat("word ", 20+i), "response": "yes"})
	}
	data, err := json.Marshal(chats)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "chats.json"), data)
	write(t, filepath.Join(dir, "m.gguf"), []byte("GGUF"))
	cfg := config.Default()
	cfg.Dir = dir
	cfg.Arms = []config.Arm{{Name: "base", Bin: bin}}
	cfg.Baseline = "base"
	cfg.Models = []config.Model{{Name: "m", Path: "m.gguf"}}
	cfg.Bench.Tests = nil
	cfg.Sampling.Blocks, cfg.Sampling.Control = 1, config.ControlNone
	cfg.Serve = config.DefaultServe()
	s := cfg.Serve
	s.Dataset.Path, s.Dataset.Sample = "chats.json", 12
	s.Concurrency, s.Warmup, s.OutputTokens = []int{3}, 1, 8
	s.RequestTimeout = time.Minute // decides nothing but where a test says so
	if change != nil {
		change(cfg)
	}
	p, err := plan.Expand(cfg)
	if err != nil {
		t.Fatal(err)
	}
	logs := filepath.Join(dir, "logs")
	if err := os.Mkdir(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	return &rig{t, p, &Bench{
		Servers: &llama.Servers{}, LogDir: logs, Requests: filepath.Join(dir, record.RequestFile),
	}}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// measure runs the plan's first trial.
func (r *rig) measure() (record.Trial, []record.Request) {
	r.t.Helper()
	trial, err := r.bench.Measure(r.t.Context(), r.plan, r.plan.Trials[0])
	if err != nil {
		r.t.Fatal(err)
	}
	var rows []record.Request
	for row, err := range record.ReadRequests(r.bench.Requests) {
		if err != nil {
			break // no load, no file
		}
		rows = append(rows, row)
	}
	return trial, rows
}

func TestATrialThatGoesWell(t *testing.T) {
	r := newRig(t, nil)
	sets, err := r.bench.Datasets(t.Context(), r.plan)
	if err != nil || len(sets) != 1 || sets[0].Records != 12 || len(sets[0].SHA256) != 64 {
		t.Fatalf("datasets %+v, %v", sets, err)
	}
	trial, rows := r.measure()
	if trial.Outcome != record.OK {
		t.Fatalf("failed: %+v", trial.Failure)
	}
	for _, m := range withoutDevices(r.plan.Cells[0].Cell.Metrics) {
		if v, ok := trial.Measurement(m.Name); !ok || v.Censored || !(v.Values[0] > 0) {
			t.Errorf("%s: %+v", m.Name, v)
		}
	}
	if s, _ := trial.Measurement(record.SuccessRate); s.Count == nil || *s.Count != (record.Count{Succeeded: 12, Total: 12}) {
		t.Errorf("success %+v", s)
	}
	if len(rows) != 13 || rows[0].Trial != trial.ID && rows[0].Trial != r.plan.Trials[0].ID || !rows[0].Warmup {
		t.Errorf("%d rows, the first is %+v", len(rows), rows[0])
	}
	l := trial.Load
	if l == nil || l.Requests != 12 || l.Succeeded != 12 || l.OutputTokens != 96 || l.Delay < 0 {
		t.Errorf("load %+v", l)
	}
	if trial.Echo["prompts_sha256"] == "" || trial.Echo["parallel"] != "4" || trial.Resources == nil || len(trial.Command) == 0 {
		t.Errorf("echo %v, resources %v, command %v", trial.Echo, trial.Resources, trial.Command)
	}
	if log, err := os.ReadFile(filepath.Join(r.bench.LogDir, r.plan.Trials[0].ID+".log")); err != nil || len(log) == 0 {
		t.Errorf("log %q, %v", log, err)
	}
}

// Latency includes what the server needs: 25 words at 4000 tokens/s and its
// true gaps of 2.5 ms.
func TestLatencyIsTheServers(t *testing.T) {
	r := newRig(t, func(c *config.Config) { c.Serve.Concurrency = []int{1} }, "FAKE_TOKS=pp=500,tg=100")
	trial, _ := r.measure()
	if trial.Failure != nil {
		t.Fatal(trial.Failure)
	}
	first, _ := trial.Measurement(record.TTFTp50)
	each, _ := trial.Measurement(record.TPOTp50)
	if first.Values[0] < 0.04 || each.Values[0] < 0.009 {
		t.Errorf("first token after %v s, then %v s each: faster than the truth", first.Values, each.Values)
	}
}

func TestTheSameBlockGivesTheSamePrompts(t *testing.T) {
	t.Parallel()
	seeded := func(c *config.Config) { c.Sampling.Seed = 7 } // else it follows from the paths
	a, first := newRig(t, seeded).measure()
	b, second := newRig(t, seeded).measure()
	if a.Echo["prompts_sha256"] != b.Echo["prompts_sha256"] {
		t.Error("other prompts")
	}
	for i := range first {
		if first[i].Prompt != second[i].Prompt {
			t.Fatalf("request %d asks %s and %s", i, first[i].Prompt, second[i].Prompt)
		}
	}
}

// A file that is written anew while it is measured gives no arm other prompts:
// they are drawn once, from what the record names.
func TestDatasetChangesDuringTheRun(t *testing.T) {
	t.Parallel()
	other := []byte(`[{"id": "x", "prompt": "another question", "response": "yes"}]`)
	file := func(r *rig) string { return r.plan.Serve.DatasetPath }
	datasets := func(r *rig) {
		if _, err := r.bench.Datasets(t.Context(), r.plan); err != nil {
			t.Fatal(err)
		}
	}

	r := newRig(t, nil)
	datasets(r)
	first, _ := r.measure()
	write(t, file(r), other)
	second, _ := r.measure()
	if second.Failure != nil || first.Echo["prompts_sha256"] != second.Echo["prompts_sha256"] {
		t.Errorf("after the first trial: %+v, prompts %s and %s", second.Failure, first.Echo["prompts_sha256"], second.Echo["prompts_sha256"])
	}

	r = newRig(t, func(c *config.Config) { c.Serve.Dataset.Sample = 1 })
	datasets(r)
	write(t, file(r), other)
	trial, _ := r.measure()
	if f := trial.Failure; f == nil || f.Class != record.BadDataset || !strings.Contains(f.Message, "chats.json changed after the run began") {
		t.Errorf("before the first trial: %+v", f)
	}
}

func TestTokensAreCountedByAServer(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *config.Config) {
		c.Serve.Dataset.Sample, c.Serve.Dataset.MaxPromptTokens = 3, 26
	})
	trial, rows := r.measure()
	if trial.Failure != nil {
		t.Fatal(trial.Failure)
	}
	for _, row := range rows {
		if row.PromptTokens > 26+1 {
			t.Errorf("%s has %d tokens", row.Prompt, row.PromptTokens)
		}
	}
}

// Requests that fail are the result, not the end of it.
func TestFailedRequests(t *testing.T) {
	tests := []struct {
		name, fault string
		class       record.RequestFailureClass
		limit       time.Duration // of a request
	}{
		{"internal error", "FAKE_FAULT=status:500?every=3", record.HTTP5xx, time.Minute},
		{"busy", "FAKE_FAULT=status:503?every=3", record.Rejected, time.Minute},
		{"no final event", "FAKE_FAULT=nofinal?every=3", record.TruncatedStream, time.Minute},
		{"a hang in the stream", "FAKE_FAULT=hang@2?every=3", record.StreamTimeout, 10 * time.Second}, // long enough for the answers of a slow machine
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *config.Config) { c.Serve.RequestTimeout = tt.limit }, tt.fault)
			trial, rows := r.measure()
			if trial.Failure != nil {
				t.Fatalf("the trial failed: %+v", trial.Failure)
			}
			if n := trial.Load.Failures[tt.class]; n != 4 || trial.Load.Succeeded != 8 {
				t.Errorf("load %+v, want 4 of %s", trial.Load, tt.class)
			}
			if m, _ := trial.Measurement(record.TTFTp95); !m.Censored || m.Values[0] != tt.limit.Seconds() || m.Quantile.Failed != 4 {
				t.Errorf("p95 %+v, want it beyond the time limit", m)
			}
			if m, _ := trial.Measurement(record.TTFTp50); m.Censored || !m.Fallback() || m.Values[0] >= tt.limit.Seconds() {
				t.Errorf("p50 %+v, want that of the sample", m)
			}
			for _, row := range rows {
				if row.Failure != nil && (row.Failure.Class != tt.class || row.InFlight == 0) {
					t.Errorf("%+v: %+v", row, row.Failure)
				}
			}
		})
	}
}

// A server that fails fails the trial, with the reason and its last words.
func TestFailedServers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, fault string
		class       record.FailureClass
		words       string
	}{
		{"crash in a stream", "FAKE_FAULT=crash:segv@2?request=6", record.Crashed, "requests"},
		{"out of memory", "FAKE_FAULT=oom?request=6", record.OutOfMemory, "memory"},
		{"dies at start", "FAKE_FAULT=exit:1", record.ExitStatus, "llama-server"},
		{"never healthy", "FAKE_FAULT=never", record.NotReady, "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *config.Config) {
				if tt.class == record.NotReady {
					c.Serve.Server.StartTimeout = time.Second
				}
			}, tt.fault)
			trial, rows := r.measure()
			if trial.Failure == nil || trial.Failure.Class != tt.class || !strings.Contains(trial.Failure.Message, tt.words) {
				t.Fatalf("failure %+v, want %s", trial.Failure, tt.class)
			}
			if under := trial.Load != nil; trial.Counts() != under {
				t.Errorf("measured %v, under load %v", trial.Measurements, under)
			}
			if trial.Load != nil && len(rows) != 13 {
				t.Errorf("%d rows, want one for each request", len(rows))
			}
		})
	}
}

// A trial in which no request succeeded failed, whatever the way, and all its
// metrics are there: the rate is 0, latencies lie beyond the time limit.
func TestNoRequestSucceeds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		fault string
		class record.RequestFailureClass
	}{
		{"status:500", record.HTTP5xx},
		{"html", record.MalformedEvent},
		{"garbage", record.MalformedEvent},
		{"big:2M", record.MalformedEvent},
		{"hang", record.QueueTimeout},
		{"hang:open", record.QueueTimeout},
		{"half@2", record.TruncatedStream},
		{"empty", record.EmptyResponse},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *config.Config) {
				c.Serve.Concurrency = []int{12}
				if tt.class == record.QueueTimeout { // the only one that waits for it
					c.Serve.RequestTimeout = 2 * time.Second
				}
			}, "FAKE_FAULT="+tt.fault)
			trial, rows := r.measure()
			f := trial.Failure
			if f == nil || f.Class != record.NoneSucceeded || !strings.HasPrefix(f.Message, "none of 12 requests succeeded: 12 "+string(tt.class)+", the first as ") {
				t.Fatalf("failure %+v, load %+v, the first request %+v", f, trial.Load, rows[0].Failure)
			}
			for _, m := range r.plan.Cells[0].Cell.Metrics {
				v, ok := trial.Measurement(m.Name)
				if !record.IsResource(m.Name) && (!ok || v.Censored == (m.Kind == record.SuccessRate)) {
					t.Errorf("%s: %+v", m.Name, v)
				}
			}
			if m, _ := trial.Measurement(record.SuccessRate); m.Count == nil || m.Count.Succeeded != 0 || m.Count.Total != 12 {
				t.Errorf("success %+v", m)
			}
		})
	}
}

// withoutDevices are the metrics of a trial that used no device.
func withoutDevices(metrics []record.Metric) []record.Metric {
	return slices.DeleteFunc(slices.Clone(metrics), func(m record.Metric) bool {
		return m.Name == record.PeakDeviceMemory || m.Name == record.EnergyPerToken
	})
}

// An answer of one token has no time per token: the plan asks for none.
func TestOneToken(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *config.Config) { c.Serve.OutputTokens = 1 })
	trial, _ := r.measure()
	if trial.Failure != nil || len(withoutDevices(r.plan.Cells[0].Cell.Metrics)) != len(trial.Measurements) {
		t.Errorf("failure %+v, measured %v", trial.Failure, trial.Measurements)
	}
	for _, m := range r.plan.Cells[0].Cell.Metrics {
		if d, _, _ := record.DefinitionOf(m.Name); d.Needs == record.NeedsTokens {
			t.Errorf("the cell asks for %s", m.Name)
		}
	}
}

func TestATrialThatTakesTooLong(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *config.Config) { c.Sampling.Timeout = 5 * time.Second }, "FAKE_TOKS=pp=400,tg=2")
	trial, _ := r.measure()
	if trial.Failure == nil || trial.Failure.Class != record.TimedOut || !strings.Contains(trial.Failure.Message, "still serving after 5s") {
		t.Errorf("failure %+v", trial.Failure)
	}
}

func TestDatasetsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *config.Config) { c.Serve.Dataset.Sample = 13 })
	if _, err := r.bench.Datasets(t.Context(), r.plan); err == nil || !strings.Contains(err.Error(), "has 12 prompts") {
		t.Errorf("error %v", err)
	}
	r.plan.Serve.DatasetPath += ".not"
	if _, err := r.bench.Datasets(t.Context(), r.plan); err == nil || !strings.Contains(err.Error(), "chats.json.not") {
		t.Errorf("error %v", err)
	}
	r = newRig(t, func(c *config.Config) { c.Serve.Dataset.MinPromptTokens = 1000 })
	trial, _ := r.measure()
	if trial.Failure == nil || trial.Failure.Class != record.BadDataset {
		t.Errorf("failure %+v", trial.Failure)
	}
}
