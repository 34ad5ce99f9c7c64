package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/config"
)

// serving adds two loads to study, and a parameter of llama-server alone.
func serving() *config.Config {
	c := study()
	c.Models = c.Models[:1]
	c.Matrix.Params = map[string][]string{"threads": {"2"}, "parallel": {"1", "4"}}
	c.Serve = config.DefaultServe()
	c.Serve.Dataset.Path = "chats.json"
	c.Serve.Concurrency, c.Serve.Rate = []int{8}, []float64{0.5}
	c.Serve.Server.Params = map[string]string{"ctx_size": "4096"}
	return c
}

func TestServeCells(t *testing.T) {
	p := expand(t, serving())
	var keys []string
	for _, c := range p.Cells {
		keys = append(keys, c.Cell.Key)
		if (c.Cell.Workload == "serve") != (c.Load != nil) || (c.Load != nil) == (c.Tests != nil) {
			t.Errorf("%s: load %v, tests %v", c.Cell.Key, c.Load, c.Tests)
		}
	}
	want := []string{
		"bench/tiny/threads=2", // once: slots are nothing to llama-bench
		"serve/tiny/concurrency=8,ctx_size=4096,parallel=1,threads=2",
		"serve/tiny/ctx_size=4096,parallel=1,rate=0.5,threads=2",
		"serve/tiny/concurrency=8,ctx_size=4096,parallel=4,threads=2",
		"serve/tiny/ctx_size=4096,parallel=4,rate=0.5,threads=2",
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if p.Serve.DatasetPath != "/conf/chats.json" {
		t.Errorf("dataset at %s", p.Serve.DatasetPath)
	}
	if s := p.Summary(); !strings.Contains(s, "serve   4 + 100 requests of chats.json, 64 tokens each\n") {
		t.Errorf("summary:\n%s", s)
	}
}

func TestServeAlone(t *testing.T) {
	c := serving()
	c.Bench.Tests = nil
	p := expand(t, c)
	if len(p.Cells) != 4 || p.Cells[0].Cell.Workload != "serve" {
		t.Fatalf("%d cells, the first is %s", len(p.Cells), p.Cells[0].Cell.Key)
	}
	if s := p.Summary(); strings.Contains(s, "bench") {
		t.Errorf("summary:\n%s", s)
	}
}

// A run may be resumed only with the same load.
func TestServeIsPartOfThePlan(t *testing.T) {
	id := expand(t, serving()).ID
	for name, change := range map[string]func(*config.Serve){
		"sample":  func(s *config.Serve) { s.Dataset.Sample++ },
		"seed":    func(s *config.Serve) { s.Dataset.Seed++ },
		"warmup":  func(s *config.Serve) { s.Warmup++ },
		"output":  func(s *config.Serve) { s.OutputTokens++ },
		"timeout": func(s *config.Serve) { s.RequestTimeout += time.Second },
		"pool":    func(s *config.Serve) { s.Connections = "reuse" },
		"slots":   func(s *config.Serve) { s.Server.Params["ctx_size"] = "8192" },
	} {
		c := serving()
		change(c.Serve)
		if expand(t, c).ID == id {
			t.Errorf("%s: same plan", name)
		}
	}
	if expand(t, serving()).ID != id {
		t.Error("another plan for the same configuration")
	}
}
