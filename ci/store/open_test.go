package store

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

var night = time.Date(2026, 3, 9, 21, 15, 0, 0, time.UTC)

// testRun is a session of one arm: cells x 2 metrics x trials of 5 repetitions.
func testRun(started time.Time, cells, trials int) *record.Run {
	run := &record.Run{
		Schema: record.Schema, ID: started.Format(keyTime) + "-3f2a", Started: started, Finished: started.Add(time.Hour),
		Tool:     record.Tool{Version: "0.2.0"},
		Host:     record.Host{Name: "Runner 1", Hard: map[string]string{"cpu": "EPYC 9654", "os": "linux"}, Soft: map[string]string{"microcode": "0xa10"}},
		Plan:     record.Plan{ID: "p", Seed: 1, Blocks: trials, Repetitions: 5, Trials: cells * trials},
		Baseline: "nightly",
		Arms:     []record.Arm{{Name: "nightly", Bin: "/opt/llama/bin", Build: record.Build{Commit: "5aa1105dc0ffee00", Number: 6082, Backends: "CPU"}}},
		Models:   []record.Model{{Name: "tinyllama-1.1b-q4_k_m", Path: "/models/tiny.gguf", SHA256: strings.Repeat("ab", 32), Bytes: 636 << 20}},
	}
	for c := range cells {
		params := map[string]string{"threads": fmt.Sprint(c + 1), "flash_attn": "on", "batch": "512"}
		run.Cells = append(run.Cells, record.Cell{
			Key: record.CellKey("bench", "tinyllama-1.1b-q4_k_m", params), Workload: "bench", Model: "tinyllama-1.1b-q4_k_m", Params: params,
			Metrics: []record.Metric{record.Test{Prompt: 512}.Metric(), record.Test{Gen: 128}.Metric()},
		})
	}
	noise := float64(started.Unix()%97) / 1000
	for b := range trials {
		for c := range cells {
			at := started.Add(time.Duration(b*cells+c) * time.Second)
			values := func(level float64) []float64 {
				vs := make([]float64, 5)
				for i := range vs {
					vs[i] = level * (1 + noise + float64((b*7+c*3+i*5)%11)/1000)
				}
				return vs
			}
			run.Trials = append(run.Trials, record.Trial{
				ID: fmt.Sprintf("b%02d.c%04d.nightly", b, c), Arm: "nightly", Cell: run.Cells[c].Key, Block: b, Order: b*cells + c, Start: at, Seconds: 1, Outcome: record.OK,
				Measurements: []record.Measurement{{Metric: "pp512", Values: values(1200)}, {Metric: "tg128", Values: values(40)}},
				Command:      []string{"/opt/llama/bin/llama-bench", "-m", "/models/tiny.gguf", "-t", "8", "-p", "512", "-n", "128", "-r", "5", "-o", "jsonl"},
				Echo:         map[string]string{"threads": "8", "batch": "512", "ubatch": "512", "flash_attn": "on", "backends": "CPU", "build_commit": "5aa1105d", "build_number": "6082", "model_type": "llama 1B Q4_K - Medium"},
				Resources:    &record.Resources{UserSeconds: 2, SystemSeconds: 0.1, MaxRSSBytes: 1 << 30},
			})
		}
	}
	return run
}

// A place is somewhere a store can be; open returns another Store of the same
// place, as another process would have it.
type place struct {
	name string
	open func(t *testing.T) Store
}

// places lists an empty place of every kind.
func places(t *testing.T) []place {
	dir := t.TempDir()
	remote := bareRepository(t)
	server := newFakeS3(t)
	list := []place{
		{"dir", func(t *testing.T) Store { return open(t, "dir:"+filepath.Join(dir, "store"), Options{}) }},
		{"git", func(t *testing.T) Store { return open(t, "git:"+remote+"#perf-data", Options{Cache: t.TempDir()}) }},
		{"s3", func(t *testing.T) Store { return server.open(t, Options{}) }},
	}
	if endpoint := os.Getenv("LLAMA_REGRESS_S3"); endpoint != "" {
		list = append(list, realS3(t, endpoint))
	}
	return list
}

// realS3 is a bucket of a real server, which takes its credentials from the
// environment: LLAMA_REGRESS_S3=http://localhost:9000/bucket.
func realS3(t *testing.T, endpoint string) place {
	i := strings.LastIndexByte(endpoint, '/')
	ref := fmt.Sprintf("s3://%s/%s-%d?endpoint=%s", endpoint[i+1:], strings.ReplaceAll(t.Name(), "/", "-"), time.Now().UnixNano(), endpoint[:i])
	return place{"real-s3", func(t *testing.T) Store { return open(t, ref, Options{}) }}
}

func open(t testing.TB, ref string, o Options) Store {
	t.Helper()
	s, err := Open(ref, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func bareRepository(t testing.TB) string {
	dir := filepath.Join(t.TempDir(), "remote.git")
	runGit(t, "", "init", "--quiet", "--bare", dir)
	return dir
}

// runGit runs git in dir, as a user would.
func runGit(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// put stores bytes under a key or ends the test.
func put(t testing.TB, s Store, key, data string) {
	t.Helper()
	if err := s.Put(context.Background(), key, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

// keep records a run or ends the test.
func keep(t testing.TB, s Store, run *record.Run) string {
	t.Helper()
	r, err := Record(context.Background(), s, run, RecordOptions{Now: run.Started.Add(2 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return r.Key
}

func load(t testing.TB, s Store, o LoadOptions) *Contents {
	t.Helper()
	c, err := Load(context.Background(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantError fails unless err holds every one of the texts.
func wantError(t testing.TB, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}
