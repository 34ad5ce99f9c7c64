package serve

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/conversations"
	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare/pattern"
)

// realPlan serves the tiny model with the llama-server in LLAMA_REGRESS_LLAMA_DIR.
func realPlan(t *testing.T, change func(*config.Serve)) *plan.Plan {
	t.Helper()
	bin := os.Getenv("LLAMA_REGRESS_LLAMA_DIR")
	if bin == "" {
		const missing = "LLAMA_REGRESS_LLAMA_DIR does not name a folder with llama-server"
		if os.Getenv("LLAMA_REGRESS_REQUIRE_LLAMA") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	dir := t.TempDir()
	shape, _ := gguf.Preset("tiny")
	if _, err := gguf.WriteFile(t.Context(), filepath.Join(dir, "tiny.gguf"), shape, 1); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "chats.json"), conversations.Sample())
	cfg := config.Default()
	cfg.Dir = dir
	cfg.Arms = []config.Arm{{Name: "base", Bin: bin, Params: map[string]string{"gpu_layers": "0"}}}
	cfg.Baseline = "base"
	cfg.Models = []config.Model{{Name: "tiny", Path: "tiny.gguf"}}
	cfg.Bench.Tests = nil
	cfg.Sampling.Blocks, cfg.Sampling.Control = 1, config.ControlNone
	cfg.Serve = config.DefaultServe()
	cfg.Serve.Dataset.Path = "chats.json"
	cfg.Serve.Warmup, cfg.Serve.OutputTokens = 0, 16
	change(cfg.Serve)
	p, err := plan.Expand(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// realTrial measures the plan's first trial on the real llama-server.
func realTrial(t *testing.T, p *plan.Plan, observe func(load.Progress)) (record.Trial, []record.Request) {
	t.Helper()
	requests := filepath.Join(t.TempDir(), record.RequestFile)
	bench := &Bench{Servers: &llama.Servers{}, LogDir: t.TempDir(), Requests: requests, Observe: observe}
	trial, err := bench.Measure(t.Context(), p, p.Trials[0])
	if err != nil {
		t.Fatal(err)
	}
	var rows []record.Request
	for row, err := range record.ReadRequests(requests) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return trial, rows
}

// The published study of schedulers reports 3 of 5, 12 of 20 and 17 of 30
// requests on every scheduler alike. That is what a client that pools
// connections makes of llama-server, which closes a connection after a
// streamed response while it advertises keep-alive: the same counts come back
// with such a client, every failure is on a reused connection, and none is
// left with a fresh one for each request. Two workers that end in the same
// moment find one connection more or less in the pool, hence the ranges; that
// each failure is on a reused connection has no exception.
func TestRealOldStudy(t *testing.T) {
	for _, study := range []struct {
		requests, concurrency int
		study                 int // successes
		least, most           int // with a pool, here
	}{
		{5, 2, 3, 3, 3},
		{20, 4, 12, 11, 13},
		{30, 4, 17, 15, 18},
	} {
		t.Run(fmt.Sprintf("%d requests at %d", study.requests, study.concurrency), func(t *testing.T) {
			for _, connections := range []string{"reuse", "fresh"} {
				p := realPlan(t, func(s *config.Serve) {
					s.Dataset.Sample, s.Concurrency, s.Connections = study.requests, []int{study.concurrency}, connections
				})
				trial, rows := realTrial(t, p, nil)
				if trial.Load == nil {
					t.Fatalf("%s: %+v", connections, trial.Failure)
				}
				t.Logf("%s: %d of %d succeeded, %v", connections, trial.Load.Succeeded, trial.Load.Requests, trial.Load.Failures)
				if connections == "fresh" {
					if trial.Load.Succeeded != study.requests {
						t.Errorf("fresh connections: %d of %d succeeded, %v", trial.Load.Succeeded, study.requests, trial.Load.Failures)
					}
					continue
				}
				if n := trial.Load.Succeeded; n < study.least || n > study.most {
					t.Errorf("pooled connections: %d of %d succeeded, the study has %d", n, study.requests, study.study)
				}
				for _, row := range rows {
					if (row.Failure != nil) != row.Connection.Reused {
						t.Errorf("request %d: reused %v, failure %+v", row.Index, row.Connection.Reused, row.Failure)
					}
				}
				if study.requests == 5 {
					continue // too few to prove anything
				}
				found := pattern.Find(rows, pattern.Options{}).Findings
				if len(found) == 0 || found[0].Factor != pattern.ConnectionReused || found[0].Class != record.StaleConnection {
					t.Errorf("findings %+v, want the reused connection first", found)
				}
			}
		})
	}
}
