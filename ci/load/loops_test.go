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
					if r.Failure != nil {
						gaps++ // that never ended
					}
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
			srv.Close() // or it may not know yet that the last one is gone
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

// As many are in flight as there may be, and never more: the server answers
// none before that many are there.
func TestInFlight(t *testing.T) {
	const n = 6
	for name, o := range map[string]load.Options{"closed": {Concurrency: n}, "open": {Rate: 1e5, Concurrency: n}} {
		t.Run(name, func(t *testing.T) {
			var now, most atomic.Int32
			all := make(chan struct{})
			o.URL = serve(t, func(c *net.TCPConn, _ *http.Request) bool {
				k := now.Add(1)
				for m := most.Load(); k > m && !most.CompareAndSwap(m, k); m = most.Load() {
				}
				if k == n {
					select {
					case <-all:
					default:
						close(all)
					}
				}
				<-all
				now.Add(-1)
				c.Write([]byte(stream(first, second, final)))
				return false
			})
			res := run(t, prompts(60), o)
			if most.Load() != n {
				t.Errorf("the server saw %d at once, want %d", most.Load(), n)
			}
			if r := slices.MaxFunc(res.Requests, func(a, b record.Request) int { return a.InFlight - b.InFlight }); r.InFlight != n {
				t.Errorf("rows say %d at once, want %d", r.InFlight, n)
			}
		})
	}
}

// Warm-up has ended before what counts begins, on the wire too.
func TestWarmup(t *testing.T) {
	for _, o := range []load.Options{{Concurrency: 4}, {Rate: 1000}} {
		srv := fast(fakeserver.Settings{Slots: 8})
		o.URL, o.Warmup, o.Output = srv.Start(t), 5, 5
		run(t, prompts(20), o)
		srv.Close()
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
	var ended float64 // the request before
	for i, r := range res.Requests {
		if least := 0.020*float64(i+1) - r.Due; r.TTFT < least-1e-9 || r.Elapsed < r.TTFT {
			t.Errorf("request %d: TTFT %g s, want at least %g", i, r.TTFT, least)
		}
		// Its place came free when the one before it ended; between that and the
		// answer, at most 20 ms before the first content, lies all of the delay.
		if most := r.Due + r.TTFT - 0.020 - ended; res.Delays[i] > most+1e-6 {
			t.Errorf("request %d: delay %g s, can be at most %g", i, res.Delays[i], most)
		}
		ended = r.Due + r.Elapsed
	}
}

// The limit holds for every attempt.
func TestLimit(t *testing.T) {
	for _, o := range []load.Options{{Concurrency: 8}, {Rate: 1e5}, {Concurrency: 8, Retries: 1, Backoff: time.Microsecond}} {
		o.Limit, o.Output = 500, 2
		srv := fast(fakeserver.Settings{Slots: 16, Faults: faulty(t, "status:503?every=2")})
		o.URL = srv.Start(t)
		res := run(t, prompts(40), o)
		attempts, last := 0, 0.0
		for _, r := range res.Requests {
			attempts += r.Attempts
			last = max(last, r.Sent)
		}
		if least := float64(attempts-1) / o.Limit; last < least {
			t.Errorf("the last of %d attempts came after %g s, want at least %g", attempts, last, least)
		}
	}
}

// A cancelled load ends at once, with what had ended before.
func TestCancel(t *testing.T) {
	for name, c := range map[string]struct {
		options load.Options
		fault   string // of all but the first requests
		rows    int    // when it is cancelled
	}{
		"closed":      {load.Options{Concurrency: 4}, "hang:open?from=10", 10},
		"open":        {load.Options{Rate: 1000}, "hang:open?from=10", 10},
		"full":        {load.Options{Rate: 1000, Concurrency: 2}, "hang?from=10", 10},
		"due late":    {load.Options{Rate: 100, Arrivals: load.Constant, Limit: 0.001}, "", 1},
		"limited":     {load.Options{Limit: 0.001, Concurrency: 3}, "", 1},
		"backing off": {load.Options{Retries: 9, Backoff: time.Hour, Concurrency: 2}, "status:503?from=10", 10},
	} {
		t.Run(name, func(t *testing.T) {
			srv := fast(fakeserver.Settings{Slots: 64, Faults: faulty(t, c.fault)})
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			o := c.options
			o.URL, o.Output, o.Timeout = srv.Start(t), 4, time.Hour
			o.Observe = func(p load.Progress) {
				if p.Done == c.rows {
					cancel()
				}
			}
			res, err := load.Run(ctx, prompts(50), o)
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v, want context.Canceled", err)
			}
			if n := classes(res.Requests); len(res.Requests) != c.rows || n[""] != c.rows {
				t.Errorf("rows %v, want the %d that were answered", n, c.rows)
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
		srv.Close()
		if got := strings.TrimSpace(srv.Requests()[0].Body); got != want {
			t.Errorf("%s:\n got %s\nwant %s", api, got, want)
		}
	}
}

func TestRefusedOptions(t *testing.T) {
	var sent atomic.Int32
	url := serve(t, func(*net.TCPConn, *http.Request) bool { sent.Add(1); return false })
	for want, o := range map[string]load.Options{
		"want http://":   {URL: "ftp://127.0.0.1:1"},
		"address":        {URL: "http://no such host"},
		"API":            {URL: url, API: "no such API"},
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
