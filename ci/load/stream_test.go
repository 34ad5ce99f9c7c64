package load_test

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/load"
)

const (
	done       = "data: [DONE]\n\n"
	chatRole   = `data: {"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"object":"chat.completion.chunk"}` + "\n\n"
	chatHe     = `data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"He"}}]}` + "\n\n"
	chatThinks = `data: {"choices":[{"finish_reason":null,"index":0,"delta":{"reasoning_content":"Hm"}}]}` + "\n\n"
	chatStop   = `data: {"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"timings":{"prompt_n":7,"prompt_ms":10,"predicted_n":3,"predicted_ms":20}}` + "\n\n"
	chatLength = `data: {"choices":[{"finish_reason":"length","index":0,"delta":{}}]}` + "\n\n"
	chatUsage  = `data: {"choices":[],"usage":{"completion_tokens":3,"prompt_tokens":7,"total_tokens":10}}` + "\n\n"
	textHe     = `data: {"choices":[{"text":"He","index":0,"logprobs":null,"finish_reason":null}]}` + "\n\n"
	textStop   = `data: {"choices":[{"text":"","index":0,"finish_reason":"length"}],"usage":{"completion_tokens":64,"prompt_tokens":7}}` + "\n\n"
	ping       = ":\n\n"
)

// Streams that are answers, in all the shapes in which builds send them.
func TestStreams(t *testing.T) {
	for _, s := range []struct {
		name           string
		api            load.API
		answer         string
		events, tokens int
	}{
		{"native", load.Completion, stream(first, second, final), 2, 3},
		{"native with pings and empty content", load.Completion, stream(ping, strings.Replace(first, "He", "", 1), ping, first, ping, second, final), 2, 3},
		{"native, CRLF", load.Completion, strings.ReplaceAll(noLength+first+second+final, "\n\n", "\r\n\r\n"), 2, 3},
		{"native, CR", load.Completion, noLength + strings.ReplaceAll(first+second+final, "\n\n", "\r\r"), 2, 3},
		{"native, byte order mark, other fields", load.Completion, noLength + "\uFEFFevent: x\nid: 7\nretry: 10\n" + first + "data\n" + final, 1, 3},
		{"native, an event of several lines", load.Completion, noLength + "data: {\ndata:\"content\":\"x\"\ndata: }\n\n" + final, 1, 3},
		{"native, surrogates and escapes", load.Completion, noLength + `data: {"\u0063ontent":"\ud83d\ude00","stop":false}` + "\n\n" + final, 1, 3},
		{"native, what follows the last event", load.Completion, noLength + first + final + first, 1, 3},
		{"chat", load.Chat, stream(chatRole, chatHe, chatHe, chatStop, chatUsage, done), 2, 3},
		{"chat, usage not sent", load.Chat, stream(chatRole, chatHe, chatStop, done), 1, 0},
		{"chat that thinks", load.Chat, stream(chatRole, chatThinks, chatHe, chatStop, chatUsage, done), 2, 3},
		{"completions", load.Completions, stream(textHe, textHe, textHe, textStop, done), 3, 64},
	} {
		t.Run(s.name, func(t *testing.T) {
			r := run(t, prompts(1), load.Options{URL: serve(t, say(false, s.answer)), API: s.api}).Requests[0]
			if r.Failure != nil {
				t.Fatalf("failed: %+v", r.Failure)
			}
			if r.Events != s.events || r.OutputTokens != s.tokens {
				t.Errorf("%d events, %d tokens; want %d, %d", r.Events, r.OutputTokens, s.events, s.tokens)
			}
			if s.tokens > 0 && r.PromptTokens != 7 {
				t.Errorf("%d prompt tokens, want 7", r.PromptTokens)
			}
		})
	}
}

// A response means the same wherever the network happens to cut it.
func TestSplitAnywhere(t *testing.T) {
	for api, whole := range map[load.API]string{
		load.Completion: streamHead + chunk(ping+first) + chunk(strings.ReplaceAll(second, "\n", "\r\n")) + chunk(final) + streamEnd,
		load.Chat:       streamHead + chunk(chatRole+chatHe) + chunk(chatHe+chatStop) + chunk(chatUsage) + chunk(done) + streamEnd,
	} {
		ps := prompts(len(whole) - 1)
		for i := range ps {
			ps[i].Text = strings.Repeat("x", i+1) // tells the server where to cut
		}
		url := serve(t, func(c *net.TCPConn, r *http.Request) bool {
			base := len(`{"cache_prompt":false,"ignore_eos":true,"n_predict":64,"prompt":"","seed":0,"stream":true,"temperature":0}`) + 1
			if api == load.Chat {
				base = len(`{"cache_prompt":false,"ignore_eos":true,"max_tokens":64,"messages":[{"content":"","role":"user"}],"seed":0,"stream":true,"stream_options":{"include_usage":true},"temperature":0}`) + 1
			}
			at := int(r.ContentLength) - base
			c.Write([]byte(whole[:at]))
			time.Sleep(time.Millisecond) // else both parts are read together; right either way
			c.Write([]byte(whole[at:]))
			return false
		})
		for _, r := range run(t, ps, load.Options{URL: url, API: api, Concurrency: 4, Requests: len(ps)}).Requests {
			if r.Failure != nil || r.Events != 2 || r.OutputTokens != 3 {
				t.Errorf("%s cut at byte %d: %+v, %+v", api, r.Index+1, r, r.Failure)
			}
		}
	}
}

// Times are those of events with content, and only of those. The server cannot
// be early and how late anything is nobody knows, so this holds lower bounds
// only; TestAnswerTimes has the exact ones.
func TestTimes(t *testing.T) {
	const pause = 20 * time.Millisecond
	url := serve(t, func(c *net.TCPConn, _ *http.Request) bool {
		for _, part := range []string{streamHead, chunk(ping), chunk(strings.Replace(first, "He", "", 1)), chunk(first), chunk(second), chunk(final) + streamEnd} {
			c.Write([]byte(part))
			time.Sleep(pause)
		}
		return false
	})
	res := run(t, prompts(1), load.Options{URL: url, Output: 3})
	r := res.Requests[0]
	if r.TTFT < 3*pause.Seconds() {
		t.Errorf("TTFT %g s: counted from an event without content", r.TTFT)
	}
	if r.Elapsed < 5*pause.Seconds() || r.Elapsed < r.TTFT+r.MaxGap {
		t.Errorf("elapsed %g s ends before the last event", r.Elapsed)
	}
	if r.TPOT != r.MaxGap/2 || len(res.Gaps) != 1 || res.Gaps[0] != r.MaxGap {
		t.Errorf("TPOT %g s, longest gap %g s, gaps %v: want one gap, half of it a token", r.TPOT, r.MaxGap, res.Gaps)
	}
}

// One token has no time per token after the first.
func TestOneToken(t *testing.T) {
	one := strings.NewReplacer(`"tokens_predicted":3`, `"tokens_predicted":1`).Replace(final)
	r := run(t, prompts(1), load.Options{URL: serve(t, say(false, stream(first, one))), Output: 1}).Requests[0]
	if r.Failure != nil || r.TPOT != 0 || r.TTFT <= 0 || r.OutputTokens != 1 {
		t.Errorf("got %+v, %+v", r, r.Failure)
	}
}
