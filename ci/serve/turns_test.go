package serve

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
)

func turn(n, prompt, cached int, ttft float64) record.Request {
	return record.Request{Turn: n, PromptTokens: prompt, CachedTokens: &cached, TTFT: ttft, Elapsed: 1}
}

// Two conversations of three turns, one of which was cut at its last.
func TestMetricsOfTurns(t *testing.T) {
	cut := turn(3, 900, 0, 0)
	cut.Cut = "the server answered 400: too long"
	untold := turn(2, 500, 0, 0.2)
	untold.CachedTokens = nil
	res := &load.Result{Seconds: 1, Requests: []record.Request{
		turn(1, 50, 40, 1), turn(2, 100, 80, 0.1), cut,
		turn(1, 60, 0, 1), untold, turn(3, 300, 120, 0.3),
		{Warmup: true, Turn: 2, PromptTokens: 1e6},
	}}
	y := newYield(res, config.DefaultServe())
	for metric, want := range map[string]float64{
		record.TTFTFirst: 1, record.TTFTLater: 0.2, record.CacheHitRate: 0.5, record.EvaluatedLater: 100, record.Completed: 0.5, record.SuccessRate: 1,
	} {
		m, ok := y.measure(metric)
		if !ok || len(m.Values) != 1 || m.Values[0] < want-1e-9 || m.Values[0] > want+1e-9 {
			t.Errorf("%s: %v, %v; want %g", metric, m.Values, ok, want)
		}
	}
	want := record.Conversations{Count: 2, Cut: 1, LaterTurns: 2, LaterPromptTokens: 400, LaterCachedTokens: 200}
	if c := y.summary(res).Conversations; c == nil || c.Count != want.Count || c.Cut != want.Cut || c.LaterTurns != want.LaterTurns ||
		c.LaterPromptTokens != want.LaterPromptTokens || c.LaterCachedTokens != want.LaterCachedTokens {
		t.Errorf("%+v, want %+v", c, want)
	}
	alone := newYield(&load.Result{Seconds: 1, Requests: []record.Request{turn(0, 50, 0, 1)}}, config.DefaultServe())
	for _, metric := range []string{record.TTFTFirst, record.TTFTLater, record.CacheHitRate, record.EvaluatedLater, record.Completed} {
		if m, ok := alone.measure(metric); ok && metric != record.TTFTFirst {
			t.Errorf("single prompts have %s: %v", metric, m)
		}
	}
}

// talks writes conversations of four turns, each as long as those before it together.
func talks(t *testing.T, path string, n int) {
	var b strings.Builder
	for c := range n {
		fmt.Fprintf(&b, `{"id":"t%d","conversations":[`, c)
		for i := range 4 {
			if i > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, `{"from":"human","value":"Talk %d asks for number %d of the long list."},{"from":"gpt","value":"%s"}`, c, i, strings.Repeat("So it goes on. ", 4))
		}
		b.WriteString("]}\n")
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The real llama-server reads only what is new of a later turn, and all of it
// where its cache is off; where a slot's context is full the conversation ends.
func TestRealTurns(t *testing.T) {
	for _, c := range []struct {
		cache   string
		context string
		cut     bool
	}{{"", "4096", false}, {"off", "4096", false}, {"", "512", true}} {
		t.Run("cache "+c.cache+" context "+c.context, func(t *testing.T) {
			p := realPlan(t, func(s *config.Serve) {
				s.Turns, s.API, s.Dataset.Sample, s.Concurrency, s.OutputTokens = config.Turns{Least: 4, Most: 4}, "chat", 2, []int{1}, 2
				s.Server.Params = map[string]string{"parallel": "1", "ctx_size": c.context, "threads": "1"}
				if c.cache != "" {
					s.Server.Params[record.CachePrompt] = c.cache
				}
			})
			talks(t, filepath.Clean(p.Serve.DatasetPath), 2)
			trial, rows := realTrial(t, p, nil)
			if trial.Load == nil || trial.Load.Conversations == nil {
				t.Fatalf("%+v", trial.Failure)
			}
			for _, r := range rows {
				if r.Failure != nil {
					t.Errorf("turn %d of %s: %+v", r.Turn, r.Prompt, r.Failure)
				}
				if r.Cut == "" && r.CachedTokens == nil {
					t.Fatalf("turn %d of %s: the server does not tell what it cached", r.Turn, r.Prompt)
				}
				if r.Cut == "" {
					t.Logf("%s: %d of %d tokens from the cache", r.Prompt, *r.CachedTokens, r.PromptTokens)
				}
				switch {
				case r.Cut != "":
				case c.cache == "off" && *r.CachedTokens != 0:
					t.Errorf("%s: %d tokens from a cache that is off", r.Prompt, *r.CachedTokens)
				case c.cache == "" && r.Turn > 1 && (*r.CachedTokens == 0 || *r.CachedTokens >= r.PromptTokens):
					t.Errorf("%s: %d of %d tokens from the cache", r.Prompt, *r.CachedTokens, r.PromptTokens)
				}
			}
			if cut := trial.Load.Conversations.Cut; c.cut != (cut > 0) {
				t.Errorf("%d conversations were cut", cut)
			}
		})
	}
}
