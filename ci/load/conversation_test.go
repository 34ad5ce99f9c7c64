package load_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/fixtures/fakeserver"
)

// chats are conversations of so many turns, each with the history of those
// before it.
func chats(n, turns int) []load.Prompt {
	var all []load.Prompt
	for c := range n {
		var history []load.Exchange
		for i := range turns {
			question := fmt.Sprintf("c%d asks number %d", c, i)
			all = append(all, load.Prompt{ID: fmt.Sprintf("c%d/%d", c, i+1), Text: question, Turn: i + 1, History: slices.Clone(history)})
			history = append(history, load.Exchange{Question: question, Answer: fmt.Sprintf("reply %d of %d", i, c)})
		}
	}
	return all
}

// A turn is sent after the answer to the one before it, with all that was said,
// and a server with a cache reads only what is new: by the server's own account
// and by the rows, whichever way its build tells it.
func TestConversations(t *testing.T) {
	for _, api := range []load.API{load.Completion, load.Completions, load.Chat} {
		for _, build := range []int{6082, 6399, 8439, 11669} {
			t.Run(fmt.Sprintf("%s/b%d", api, build), func(t *testing.T) {
				t.Parallel()
				srv := fast(fakeserver.Settings{Build: build, Slots: 4, Similar: 0.1, Spare: 8})
				ps := chats(6, 4)
				res := run(t, ps, load.Options{URL: srv.Start(t), API: api, Concurrency: 3, Output: 2, Cache: load.CacheUnset, Warmup: 2, Requests: 4})
				srv.Close()
				truth := map[string]fakeserver.Truth{}
				for _, x := range srv.Requests() {
					truth[last(x.Body)] = x
				}
				if len(res.Requests) != len(ps) || len(truth) != len(ps) {
					t.Fatalf("%d rows, %d requests seen, want %d", len(res.Requests), len(truth), len(ps))
				}
				for i, r := range res.Requests {
					x, p := truth[ps[i].Text], ps[i]
					if r.Failure != nil || r.Index != i || r.Prompt != p.ID || r.Turn != p.Turn || r.Warmup != (i < 8) {
						t.Fatalf("row %d: %+v, %+v", i, r, r.Failure)
					}
					for _, e := range p.History {
						if !strings.Contains(x.Body, e.Question) || !strings.Contains(x.Body, e.Answer) {
							t.Errorf("row %d: %q is not sent: %s", i, e, x.Body)
						}
					}
					if strings.Contains(x.Body, "cache_prompt") {
						t.Errorf("row %d speaks of the cache: %s", i, x.Body)
					}
					if r.CachedTokens == nil || *r.CachedTokens != x.CachedTokens || p.Turn > 1 && x.CachedTokens == 0 {
						t.Errorf("row %d: cached %v, the server %d of %d", i, r.CachedTokens, x.CachedTokens, x.PromptTokens)
					}
					if p.Turn > 1 && r.Sent < res.Requests[i-1].Sent+res.Requests[i-1].TTFT {
						t.Errorf("row %d was sent before the answer to the turn before it", i)
					}
				}
				if n := srv.MaxInFlight(); n > 3 {
					t.Errorf("%d requests at once, want one of each of 3 conversations", n)
				}
			})
		}
	}
}

// last is the question of a request, which stands last in its body.
func last(body string) string {
	i := strings.LastIndex(body, " asks number ")
	from := i - 1
	for body[from-1] == 'c' || body[from] != 'c' {
		from--
	}
	return body[from : i+len(" asks number ")+1]
}

// A client that says nothing else keeps prompts out of the cache.
func TestCacheOff(t *testing.T) {
	srv := fast(fakeserver.Settings{Slots: 1})
	res := run(t, chats(1, 3), load.Options{URL: srv.Start(t), Output: 2})
	for _, r := range res.Requests {
		if r.CachedTokens == nil || *r.CachedTokens != 0 {
			t.Errorf("%+v: cached %v", r, r.CachedTokens)
		}
	}
}

// A conversation ends where its history no longer fits into the context. That is
// no failed request; a first turn that does not fit is one, and so is a turn
// that fails otherwise, after which the conversation goes on.
func TestConversationEnds(t *testing.T) {
	for _, build := range []int{6082, 11669} {
		srv := fast(fakeserver.Settings{Build: build, Slots: 1, Ctx: 64, Faults: faulty(t, "status:500?request=1")})
		ps := append(chats(1, 8), load.Prompt{ID: "long", Text: strings.Repeat("word ", 70), Turn: 1}, load.Prompt{ID: "after", Text: "q", Turn: 2})
		var progress load.Progress
		res := run(t, ps, load.Options{URL: srv.Start(t), Output: 2, Cache: load.CacheOn, Observe: func(p load.Progress) { progress = p }})
		var got []string
		for _, r := range res.Requests {
			switch {
			case r.Cut != "":
				got = append(got, r.Prompt+" cut")
				if r.Failure != nil || !strings.Contains(r.Cut, "context") {
					t.Errorf("%+v", r)
				}
			case r.Failure != nil:
				got = append(got, fmt.Sprint(r.Prompt, " ", r.Failure.Class))
			default:
				got = append(got, r.Prompt)
			}
		}
		if want := []string{"c0/1", "c0/2 http_5xx", "c0/3", "c0/4", "c0/5", "c0/6", "c0/7 cut", "long context_exceeded", "after"}; !slices.Equal(got, want) {
			t.Errorf("b%d: %v, want %v", build, got, want)
		}
		if progress.Done != progress.Total || progress.Total != len(res.Requests) {
			t.Errorf("progress %+v of %d rows", progress, len(res.Requests))
		}
	}
}

// Between an answer and the next turn the user thinks, which delays nobody else
// and is no latency; in an open loop, too.
func TestThinkTime(t *testing.T) {
	for _, o := range []load.Options{{Concurrency: 2}, {Rate: 1000}, {Concurrency: 2, Limit: 1e5}} {
		srv := fast(fakeserver.Settings{Slots: 4})
		o.URL, o.Output, o.ThinkTime = srv.Start(t), 2, 20*time.Millisecond
		res := run(t, chats(2, 3), o)
		srv.Close()
		for i, r := range res.Requests {
			if r.Turn == 1 {
				continue
			}
			before := res.Requests[i-1]
			if end := before.Due + before.Elapsed; r.Due < end+0.02-1e-6 || r.Sent < r.Due {
				t.Errorf("%+v: turn %d is due at %g s, sent at %g, the one before ended at %g", o, r.Turn, r.Due, r.Sent, end)
			}
			if r.Failure != nil || r.Elapsed >= r.Sent+r.Elapsed-before.Sent {
				t.Errorf("%+v", r)
			}
		}
	}
}
