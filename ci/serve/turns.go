package serve

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/internal/sharegpt"
	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// turns are what is sent of a prompt: the turns of a conversation, "ID", "ID/2"
// and so on. The history of each is what the dataset says was asked and
// answered before, so that every arm is asked the same whatever it answers.
func turns(p sharegpt.Prompt) []load.Prompt {
	if p.Turns == nil {
		return []load.Prompt{{ID: p.ID, Text: p.Text, Tokens: p.Tokens}}
	}
	var all []load.Prompt
	var history []load.Exchange
	for i, t := range p.Turns {
		one := load.Prompt{ID: p.ID, Text: t.Text, Turn: i + 1, History: slices.Clip(history)}
		if i == 0 {
			one.Tokens = p.Tokens
		} else {
			one.ID = fmt.Sprintf("%s/%d", p.ID, i+1)
		}
		all = append(all, one)
		history = append(history, load.Exchange{Question: t.Text, Answer: t.Answer})
	}
	return all
}

// cache is what the requests of a cell say of the server's prompt cache: what
// arm or cell ask for, else nothing in a conversation and that it is not to be
// used for prompts that stand alone.
func cache(s *plan.Serve, arm, cell map[string]string) load.Cache {
	switch asked := cmp.Or(arm[record.CachePrompt], cell[record.CachePrompt]); {
	case asked == "on":
		return load.CacheOn
	case asked == "off" || s.Turns == (config.Turns{}):
		return load.CacheOff
	}
	return load.CacheUnset
}

// ofTurns are the metrics of conversations; false for those of others, and for
// what cannot be said.
func (y yield) ofTurns(metric string) (record.Measurement, bool) {
	first := yield{requests: slices.DeleteFunc(slices.Clone(y.requests), func(r record.Request) bool { return r.Turn > 1 }), limit: y.limit}
	later := yield{requests: slices.DeleteFunc(slices.Clone(y.requests), func(r record.Request) bool { return r.Turn < 2 }), limit: y.limit}
	c := y.conversations()
	switch metric {
	case record.TTFTFirst:
		return first.latency(0.5, ttft)
	case record.TTFTLater:
		return later.latency(0.5, ttft)
	case record.CacheHitRate:
		return single(float64(c.LaterCachedTokens) / float64(c.LaterPromptTokens)), c.LaterPromptTokens > 0
	case record.EvaluatedLater:
		return single(float64(c.LaterPromptTokens-c.LaterCachedTokens) / float64(c.LaterTurns)), c.LaterTurns > 0
	case record.Completed:
		return single(float64(c.Count-c.Cut) / float64(c.Count)), c.Count > 0
	}
	return record.Measurement{}, false
}

// conversations sums them up; the zero value where prompts stand alone.
func (y yield) conversations() record.Conversations {
	c := record.Conversations{Cut: y.cut}
	for _, r := range y.requests {
		switch {
		case r.Turn == 1:
			c.Count++
		case r.Turn > 1 && r.Failure == nil && r.CachedTokens != nil && r.PromptTokens > 0:
			c.LaterTurns++
			c.LaterPromptTokens += int64(r.PromptTokens)
			c.LaterCachedTokens += int64(*r.CachedTokens)
		}
	}
	return c
}

// requests is how many a trial sends at most: one for each prompt, or one for each
// turn of conversations, which are held once.
func (tr *trial) requests(d drawn) int {
	if tr.plan.Serve.Turns != (config.Turns{}) {
		return len(d.prompts)
	}
	return tr.plan.Serve.Warmup + tr.cell.Load.Requests
}
