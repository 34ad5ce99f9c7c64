package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// serve checks a serve section, when there is one.
func (k *checker) serve(c *Config) {
	s := c.Serve
	if s == nil {
		for name := range c.Matrix.Params {
			if p, ok := record.ParamByName(name); ok && p.Only == record.ServeWorkload {
				k.fault("matrix."+name, "varies llama-server, and there is no serve section")
			}
		}
		return
	}
	k.dataset(s.Dataset)
	k.turns(s)
	if len(s.Concurrency)+len(s.Rate) == 0 {
		k.fault("serve.concurrency", "missing: how many requests are under way at a time, such as [4]; or a rate, requests a second")
	}
	for i, v := range s.Concurrency {
		at := fmt.Sprintf("serve.concurrency[%d]", i)
		k.between(at, v, 1, 4096)
		if slices.Index(s.Concurrency, v) < i {
			k.fault(at, "%d comes twice", v)
		}
	}
	for i, v := range s.Rate {
		at := fmt.Sprintf("serve.rate[%d]", i)
		if !(v > 0 && v <= 10_000) {
			k.fault(at, "want requests a second, above 0 and at most 10000, have %v", v)
		}
		if slices.Index(s.Rate, v) < i {
			k.fault(at, "%v comes twice", v)
		}
	}
	k.oneOf("serve.arrivals", s.Arrivals, arrivals)
	k.oneOf("serve.api", s.API, apis)
	k.oneOf("serve.connections", s.Connections, connections)
	k.between("serve.requests", s.Requests, 0, 1_000_000)
	k.between("serve.requests_per_user", s.PerUser, 0, 1000)
	k.between("serve.warmup", s.Warmup, 0, 1000)
	k.between("serve.output_tokens", s.OutputTokens, 1, 65_536)
	k.between("serve.retries", s.Retries, 0, 10)
	k.between("serve.documents", s.Documents, 0, 1000)
	if s.Documents > 0 && s.Workload() != record.RerankWorkload {
		k.fault("serve.documents", "are held against a prompt by api rerank alone")
	}
	if o := s.Objectives; s.Workload() != record.ServeWorkload && o.Any() {
		k.fault("serve.objectives", "api %s has no goodput: take them out, and set a margin in gate", s.API)
	}
	if !(s.RateLimit >= 0 && s.RateLimit <= 10_000) {
		k.fault("serve.rate_limit", "want requests a second, at most 10000, have %v", s.RateLimit)
	}
	if s.RequestTimeout < time.Millisecond || s.RequestTimeout > 24*time.Hour {
		k.fault("serve.request_timeout", "want 1ms to 24h, have %v", s.RequestTimeout)
	}
	if t := s.Server.StartTimeout; t < time.Second || t > time.Hour {
		k.fault("serve.server.start_timeout", "want 1s to 1h, have %v", t)
	}
	k.arguments("serve.args", record.ServeWorkload, s.Args)
	k.params("serve.server", s.Server.Params)
	for _, name := range slices.Sorted(maps.Keys(s.Server.Params)) {
		switch {
		case c.Matrix.sets(name):
			k.fault("serve.server."+name, "the matrix sets %s as well; take it out of one of them", name)
		case slices.ContainsFunc(c.Arms, func(a Arm) bool { return a.Params[name] != "" }):
			k.fault("serve.server."+name, "an arm sets %s as well; take it out of one of them", name)
		}
	}
}

// turns checks what is said of conversations.
func (k *checker) turns(s *Serve) {
	if s.Turns == (Turns{}) {
		if s.ThinkTime != 0 {
			k.fault("serve.think_time", "is between the turns of a conversation; say how many each has, turns: 4")
		}
		return
	}
	if s.Workload() != record.ServeWorkload {
		k.fault("serve.turns", "api %s has no conversations: take them out", s.API)
	}
	if _, err := ParseTurns(s.Turns.String()); err != nil {
		k.fault("serve.turns", "%v", err)
	}
	if s.ThinkTime < 0 || s.ThinkTime > time.Hour {
		k.fault("serve.think_time", "want at most 1h, have %v", s.ThinkTime)
	}
	if rule := s.Dataset.Rule; rule == "vllm" || rule == "sglang" {
		k.fault("serve.dataset.rule", "%s takes the first two messages alone; with turns, use human or first", rule)
	}
	for _, n := range append([]int{0}, s.Concurrency...) {
		if held := s.Count(n); held > s.Dataset.Sample {
			k.fault("serve.dataset.sample", "%d conversations, and a trial holds %d: each once, as a repeated one would come from the cache; raise the sample, or ask for fewer requests", s.Dataset.Sample, held)
			return
		}
	}
}

func (k *checker) dataset(d Dataset) {
	if d.Path == "" {
		k.fault("serve.dataset.path", "missing: a file of conversations; 'llama-regress provision dataset' gets one")
	} else if strings.ContainsAny(d.Path, "\x00\n\r") {
		k.fault("serve.dataset.path", "want the path of a file")
	}
	k.between("serve.dataset.sample", d.Sample, 1, 100_000)
	k.oneOf("serve.dataset.rule", d.Rule, datasetRules)
	const most = 1 << 24
	k.between("serve.dataset.min_prompt_tokens", d.MinPromptTokens, 0, most)
	k.between("serve.dataset.max_prompt_tokens", d.MaxPromptTokens, 0, most)
	k.between("serve.dataset.max_total_tokens", d.MaxTotalTokens, 0, most)
	if d.MaxPromptTokens > 0 && d.MinPromptTokens > d.MaxPromptTokens {
		k.fault("serve.dataset.min_prompt_tokens", "is above max_prompt_tokens: no prompt is left")
	}
}

func (k *checker) oneOf(path, value string, values []string) {
	if !slices.Contains(values, value) {
		k.fault(path, "want one of %s, have %q%s", strings.Join(values, ", "), short(value), Suggest(value, values))
	}
}
