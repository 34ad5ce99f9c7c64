package load_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakeserver"
)

// Whatever happens to them, every request has exactly one row, and never more
// are in flight than there may be.
func TestConservation(t *testing.T) {
	const faults = "status:503?share=0.1,reset?share=0.1,close@2?share=0.1,half@1?share=0.1,html?share=0.05,empty?share=0.1,error@1?share=0.1,utf8?share=0.1"
	for i, o := range []load.Options{
		{Concurrency: 1}, {Concurrency: 7}, {Concurrency: 7, Warmup: 9}, {Concurrency: 50, Retries: 2, Backoff: time.Millisecond},
		{Rate: 2000}, {Rate: 2000, Concurrency: 5}, {Rate: 2000, Arrivals: load.Constant, Warmup: 11},
		{Rate: 5000, Limit: 2000, Retries: 1, Backoff: time.Millisecond, Concurrency: 9}, {Concurrency: 6, Reuse: true}, {Rate: 1000, Reuse: true},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			srv := fast(fakeserver.Settings{Faults: faulty(t, faults), Seed: uint64(i), Slots: 64})
			var last load.Progress
			o.Observe = func(p load.Progress) {
				if p.Done != last.Done+1 || p.Failed < last.Failed || p.InFlight < 0 || o.Concurrency > 0 && p.InFlight > o.Concurrency {
					t.Errorf("progress %+v after %+v", p, last)
				}
				last = p
			}
			o.URL, o.Requests, o.Output, o.Seed = srv.Start(t), 90, 6, 7
			ps := prompts(40)
			res := run(t, ps, o)

			total := o.Warmup + o.Requests
			if len(res.Requests) != total || len(res.Delays) != o.Requests || last.Done != total || last.Total != total {
				t.Fatalf("%d rows, %d delays, progress %+v; want %d of %d", len(res.Requests), len(res.Delays), last, total, o.Requests)
			}
			failed, attempts, gaps := 0, 0, 0
			for i, r := range res.Requests {
				if r.Index != i || r.Prompt != ps[i%len(ps)].ID || r.Warmup != (i < o.Warmup) {
					t.Errorf("row %d: %+v", i, r)
				}
				if r.InFlight < 1 || o.Concurrency > 0 && r.InFlight > o.Concurrency {
					t.Errorf("row %d: %d in flight", i, r.InFlight)
				}
				if r.Sent < r.Due || r.Elapsed <= 0 || r.TTFT < 0 || r.TTFT > r.Elapsed || r.TPOT < 0 || (r.TTFT == 0) != (r.Events == 0) {
					t.Errorf("row %d: times out of order: %+v", i, r)
				}
				if (r.Attempts > 1) != (r.FirstFailure != "") || r.Attempts > 1+o.Retries || r.Failure == nil && r.Events == 0 {
					t.Errorf("row %d: %+v", i, r)
				}
				if r.Failure != nil {
					failed++
					if !slices.Contains(record.RequestFailureClasses, r.Failure.Class) || r.Failure.Message == "" {
						t.Errorf("row %d: %+v", i, r.Failure)
					}
				}
				if i >= o.Warmup {
					gaps += max(r.Events-1, 0)
				}
				attempts += r.Attempts
			}
			if failed != last.Failed || failed == 0 {
				t.Errorf("%d failed, progress %+v", failed, last)
			}
			if len(res.Gaps) != gaps {
				t.Errorf("%d gaps, want %d", len(res.Gaps), gaps)
			}
			if o.Rate > 0 && !slices.IsSortedFunc(res.Requests, func(a, b record.Request) int { return cmpFloat(a.Due, b.Due) }) {
				t.Error("due times are not in order")
			}
			if got := srv.MaxInFlight(); o.Concurrency > 0 && !o.Reuse && got > o.Concurrency+1 { // the fake counts until it knows that it broke off
				t.Errorf("the server saw %d at once", got)
			}
			if !o.Reuse && len(srv.Requests()) != attempts {
				t.Errorf("the server saw %d requests, rows say %d", len(srv.Requests()), attempts)
			}
		})
	}
}

func cmpFloat(a, b float64) int {
	if a < b {
		return -1
	}
	return 1
}

// Warm-up has ended before what counts begins, on the wire too.
func TestWarmup(t *testing.T) {
	for _, o := range []load.Options{{Concurrency: 4}, {Rate: 1000}} {
		srv := fast(fakeserver.Settings{Slots: 8})
		o.URL, o.Warmup, o.Output = srv.Start(t), 5, 5
		run(t, prompts(20), o)
		truth := srv.Requests()
		for _, warm := range truth[:5] {
			for _, x := range truth[5:] {
				if x.Arrived.Before(warm.LastContent) {
					t.Fatalf("a request arrived at %v, while one of the warm-up ended at %v", x.Arrived, warm.Ended)
				}
			}
		}
	}
}

// A request that succeeds at the second attempt says so, and why not at first.
func TestRetries(t *testing.T) {
	srv := fast(fakeserver.Settings{Faults: faulty(t, "status:503?first=3")})
	res := run(t, prompts(4), load.Options{URL: srv.Start(t), Retries: 2, Backoff: time.Millisecond, Output: 5})
	var got []string
	for _, r := range res.Requests {
		got = append(got, fmt.Sprint(r.Attempts, r.FirstFailure, r.Failure != nil))
	}
	if want := []string{"3rejectedtrue", "1false", "1false", "1false"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}

	srv = fast(fakeserver.Settings{Faults: faulty(t, "status:503?first=1")})
	res = run(t, prompts(2), load.Options{URL: srv.Start(t), Retries: 2, Backoff: time.Millisecond, Output: 5})
	r := res.Requests[0]
	if r.Attempts != 2 || r.FirstFailure != string(record.Rejected) || r.Failure != nil || r.Sent <= r.Due {
		t.Errorf("got %+v", r)
	}

	srv = fast(fakeserver.Settings{Faults: faulty(t, "status:400")})
	res = run(t, prompts(1), load.Options{URL: srv.Start(t), Retries: 5, Backoff: time.Millisecond})
	if r := res.Requests[0]; r.Attempts != 1 || r.FirstFailure != "" {
		t.Errorf("what cannot succeed was tried again: %+v", r)
	}
}

// An open loop counts from when a request was due, whatever kept it.
func TestOpenLoopCountsFromDue(t *testing.T) {
	url := serve(t, func(c *net.TCPConn, r *http.Request) bool {
		time.Sleep(20 * time.Millisecond)
		return good(false)(c, r)
	})
	res := run(t, prompts(10), load.Options{URL: url, Rate: 1000, Arrivals: load.Constant, Concurrency: 1})
	for i, r := range res.Requests {
		if least := 0.020*float64(i+1) - r.Due; r.TTFT < least-1e-9 || r.Elapsed < r.TTFT {
			t.Errorf("request %d: TTFT %g s, want at least %g", i, r.TTFT, least)
		}
	}
	if d := slices.Max(res.Delays); d >= 0.020 {
		t.Errorf("waiting for a place in flight was counted as the generator's delay: %g s", d)
	}
}

// The limit holds for every attempt.
func TestLimit(t *testing.T) {
	for _, o := range []load.Options{{Concurrency: 8}, {Rate: 1e5}, {Concurrency: 8, Retries: 1, Backoff: time.Microsecond}} {
		o.Limit, o.Output = 500, 2
		srv := fast(fakeserver.Settings{Slots: 16, Faults: faulty(t, "status:503?every=2")})
		o.URL = srv.Start(t)
		res := run(t, prompts(40), o)
		attempts := 0
		for _, r := range res.Requests {
			attempts += r.Attempts
		}
		if least := float64(attempts-1) / o.Limit; res.Seconds < least {
			t.Errorf("%d attempts in %g s, want at least %g", attempts, res.Seconds, least)
		}
	}
}

// A cancelled load ends at once, with what had ended before, and leaves
// nothing behind.
func TestCancel(t *testing.T) {
	for name, o := range map[string]load.Options{
		"closed": {Concurrency: 4}, "open": {Rate: 1000}, "full": {Rate: 1000, Concurrency: 2}, "due late": {Rate: 0.01},
		"limited": {Limit: 0.01, Concurrency: 3}, "backing off": {Retries: 9, Backoff: time.Hour, Concurrency: 60},
	} {
		t.Run(name, func(t *testing.T) {
			faults := "hang:open?from=10"
			if o.Retries > 0 {
				faults = "status:503?from=10"
			}
			srv := fast(fakeserver.Settings{Slots: 64, Faults: faulty(t, faults)})
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			time.AfterFunc(200*time.Millisecond, cancel)
			o.URL, o.Output = srv.Start(t), 4
			res, err := load.Run(ctx, prompts(50), o)
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v, want context.Canceled", err)
			}
			for _, r := range res.Requests {
				if r.Failure != nil {
					t.Errorf("a request that the load's end broke off is a failure: %+v", r.Failure)
				}
			}
			if len(res.Requests) > 10 || o.Rate != 0.01 && o.Limit == 0 && len(res.Requests) != 10 {
				t.Errorf("%d rows, want the 10 that were answered", len(res.Requests))
			}
		})
	}
}

func TestSameSeedSameLoad(t *testing.T) {
	due := func(seed uint64) (ts []float64) {
		srv := fast(fakeserver.Settings{Slots: 64})
		res := run(t, prompts(50), load.Options{URL: srv.Start(t), Rate: 2000, Seed: seed, Output: 2})
		for _, r := range res.Requests {
			ts = append(ts, r.Due-res.Requests[0].Due)
		}
		return ts
	}
	a, b, c := due(1), due(1), due(2)
	near := cmp.Comparer(func(x, y float64) bool { return x-y < 1e-8 && y-x < 1e-8 })
	if !cmp.Equal(a, b, near) {
		t.Error("the same seed gave another schedule")
	}
	if cmp.Equal(a, c, near) {
		t.Error("another seed gave the same schedule")
	}
}

// The body of a request is what was asked for, and nothing of it is a surprise.
func TestBodies(t *testing.T) {
	for api, want := range map[load.API]string{
		load.Completion:  `{"cache_prompt":false,"ignore_eos":true,"n_predict":9,"prompt":"<a> & \"b\"\n☃","seed":5,"stream":true,"temperature":0.5}`,
		load.Completions: `{"cache_prompt":false,"ignore_eos":true,"max_tokens":9,"prompt":"<a> & \"b\"\n☃","seed":5,"stream":true,"stream_options":{"include_usage":true},"temperature":0.5}`,
		load.Chat:        `{"cache_prompt":false,"ignore_eos":true,"max_tokens":9,"messages":[{"content":"<a> & \"b\"\n☃","role":"user"}],"seed":5,"stream":true,"stream_options":{"include_usage":true},"temperature":0.5}`,
	} {
		srv := fast(fakeserver.Settings{})
		ps := []load.Prompt{{ID: "x", Text: "<a> & \"b\"\n☃", Output: 9}}
		run(t, ps, load.Options{URL: srv.Start(t) + "/", API: api, Seed: 5, Body: map[string]any{"temperature": 0.5}})
		if got := strings.TrimSpace(srv.Requests()[0].Body); got != want {
			t.Errorf("%s:\n got %s\nwant %s", api, got, want)
		}
	}
}

func TestRefusedOptions(t *testing.T) {
	var sent atomic.Int32
	url := serve(t, func(*net.TCPConn, *http.Request) bool { sent.Add(1); return false })
	for want, o := range map[string]load.Options{
		"want http://":   {URL: "https://127.0.0.1:1"},
		"address":        {URL: "http://no such host"},
		"API":            {URL: url, API: "embeddings"},
		"arrivals":       {URL: url, Rate: 1, Arrivals: "sometimes"},
		"concurrency":    {URL: url, Concurrency: -1},
		"requests":       {URL: url, Requests: 1 << 40},
		"rate of":        {URL: url, Rate: -1},
		"limit of":       {URL: url, Limit: 1e12},
		"timeout":        {URL: url, Timeout: -1},
		`field "stream"`: {URL: url, Body: map[string]any{"stream": false}},
		"body of prompt": {URL: url, Body: map[string]any{"x": func() {}}},
	} {
		res, err := load.Run(context.Background(), prompts(1), o)
		if err == nil || !strings.HasPrefix(err.Error(), "load: ") || !strings.Contains(err.Error(), want) || res != nil {
			t.Errorf("%+v: result %v, error %v; want one with %q", o, res, err, want)
		}
	}
	if _, err := load.Run(context.Background(), nil, load.Options{URL: url}); err == nil {
		t.Error("no prompts: no error")
	}
	if n := sent.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
