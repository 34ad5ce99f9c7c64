package load_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/fakeserver"
)

// fast is a fake server that needs a millisecond or so for a short answer.
func fast(s fakeserver.Settings) *fakeserver.Server {
	s.Prompt, s.Gen = 1e6, 1e4
	if s.Slots == 0 {
		s.Slots = 4
	}
	return fakeserver.New(s)
}

func faulty(tb testing.TB, faults string) []fakeserver.Fault {
	fs, err := fakeserver.ParseFaults(faults)
	if err != nil {
		tb.Fatal(err)
	}
	return fs
}

// classes counts what became of the requests; "" is success.
func classes(rows []record.Request) map[record.RequestFailureClass]int {
	n := map[record.RequestFailureClass]int{}
	for _, r := range rows {
		if r.Failure == nil {
			n[""]++
		} else {
			n[r.Failure.Class]++
		}
	}
	return n
}

// Every API of every build that changed what a client sees, against the
// server's own counts.
func TestBuilds(t *testing.T) {
	for _, api := range []load.API{load.Completion, load.Completions, load.Chat} {
		for _, build := range []int{6082, 6508, 6523, 7159, 8439, 9425, 9478, 10406, 11669} {
			t.Run(fmt.Sprintf("%s/b%d", api, build), func(t *testing.T) {
				t.Parallel()
				srv := fast(fakeserver.Settings{Build: build, Hold: 4, Empty: 3, Role: fakeserver.RoleEarly, Ping: time.Millisecond})
				res := run(t, prompts(12), load.Options{URL: srv.Start(t), API: api, Concurrency: 3, Output: 9})
				srv.Close() // which knows of all requests then
				truth := map[string]fakeserver.Truth{}
				for _, x := range srv.Requests() {
					truth[x.Body] = x
				}
				if len(truth) != 12 {
					t.Fatalf("the server saw %d different requests, want 12", len(truth))
				}
				var want, got []string
				for _, x := range truth {
					want = append(want, fmt.Sprint(x.PromptTokens, x.Predicted, x.Events))
				}
				for _, r := range res.Requests {
					if r.Failure != nil {
						t.Fatalf("failed: %+v", r.Failure)
					}
					got = append(got, fmt.Sprint(r.PromptTokens, r.OutputTokens, r.Events))
					if r.Server == nil || r.Server.OutputTokens != r.OutputTokens {
						t.Errorf("timings of the server: %+v", r.Server)
					}
				}
				slices.Sort(want)
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("prompt tokens, output tokens, events: got %v, want %v", got, want)
				}
			})
		}
	}
}

// The faults of the fake server, each to its class.
func TestFakeFaults(t *testing.T) {
	for _, f := range []struct {
		fault  string
		build  int
		api    load.API
		prompt int // words
		class  record.RequestFailureClass
	}{
		{fault: "status:503", class: record.Rejected},
		{fault: "status:429", class: record.Rejected},
		{fault: "status:500", class: record.HTTP5xx},
		{fault: "status:401", class: record.HTTP4xx},
		{fault: "html", class: record.MalformedEvent},
		{fault: "reset", class: record.ConnectionReset},
		{fault: "close", class: record.ConnectionReset},
		{fault: "close@3", class: record.TruncatedStream},
		{fault: "reset@3", class: record.TruncatedStream},
		{fault: "hang", class: record.QueueTimeout},
		{fault: "hang:open", class: record.QueueTimeout},
		{fault: "hang@3", class: record.StreamTimeout},
		{fault: "stall:1h@2", class: record.StreamTimeout},
		{fault: "slow:1h", class: record.QueueTimeout},
		{fault: "half@3", class: record.TruncatedStream},
		{fault: "big:10M@2", class: record.MalformedEvent},
		{fault: "length:-20", class: record.TruncatedStream},
		{fault: "utf8@2", class: record.MalformedEvent},
		{fault: "garbage@2", class: record.MalformedEvent},
		{fault: "nofinal", class: record.TruncatedStream},
		{fault: "nodone", api: load.Chat, class: record.TruncatedStream},
		{fault: "nodone", api: load.Completions, class: record.TruncatedStream},
		{fault: "empty", class: record.EmptyResponse},
		{fault: "error@2", class: record.HTTP5xx},
		{fault: "error:old@2", class: record.HTTP5xx},
		{fault: "error:new@2", build: 6082, api: load.Chat, class: record.HTTP5xx},
		{fault: "never", class: record.Rejected},
		{fault: "split:1", class: ""},
		{fault: "split:7/1ms", class: ""},
		{prompt: 5000, class: record.ContextExceeded},
		{prompt: 5000, build: 6082, class: record.ContextExceeded},
		{prompt: 5000, build: 6400, api: load.Chat, class: record.ContextExceeded},
		{prompt: 1000, class: record.ContextExceeded}, // the prompt fits, the answer does not
	} {
		t.Run(fmt.Sprintf("%s b%d %s %d", f.fault, f.build, f.api, f.prompt), func(t *testing.T) {
			t.Parallel()
			timeout := time.Minute
			if f.class == record.QueueTimeout || f.class == record.StreamTimeout {
				timeout = time.Second
			}
			srv := fast(fakeserver.Settings{Build: f.build, Faults: faulty(t, f.fault), Ctx: 4096, Slots: 4})
			ps := prompts(1)
			if f.prompt > 0 {
				ps[0].Text = words(f.prompt)
			}
			got := run(t, ps, load.Options{URL: srv.Start(t), API: f.api, Timeout: timeout}).Requests[0]
			if class := classes([]record.Request{got}); class[f.class] != 1 {
				t.Errorf("got %v, want %q: %+v", class, f.class, got.Failure)
			}
		})
	}
}

// The server's count of a prompt's tokens goes before the dataset's, also where
// it refuses the prompt; without it the dataset's stands.
func TestPromptTokens(t *testing.T) {
	for _, c := range []struct {
		build, words int
		told         bool
	}{{11669, 10, true}, {11669, 5000, true}, {6082, 5000, false}} {
		srv := fast(fakeserver.Settings{Build: c.build})
		ps := []load.Prompt{{Text: words(c.words), Tokens: 7}}
		got := run(t, ps, load.Options{URL: srv.Start(t)}).Requests[0]
		srv.Close()
		want := 7
		if c.told {
			want = srv.Requests()[0].PromptTokens
		}
		if got.PromptTokens != want {
			t.Errorf("b%d, %d words: %d prompt tokens, want %d; %+v", c.build, c.words, got.PromptTokens, want, got.Failure)
		}
	}
}

// A connection that carried an error and stays open is used again.
func TestErrorsKeepTheConnection(t *testing.T) {
	for _, c := range []struct {
		build  int // from 7159 on the server says that it closes
		reused bool
	}{{6082, true}, {11669, false}} {
		srv := fast(fakeserver.Settings{Build: c.build, Faults: faulty(t, "status:503")})
		for i, r := range run(t, prompts(4), load.Options{URL: srv.Start(t), Reuse: true}).Requests {
			if r.Failure == nil || r.Failure.Class != record.Rejected || r.Connection.Reused != (c.reused && i > 0) {
				t.Errorf("b%d, request %d: %+v, %+v", c.build, i, r.Connection, r.Failure)
			}
		}
	}
}

func words(n int) string {
	var b []byte
	for i := range n {
		b = fmt.Appendf(b, "word%d ", i)
	}
	return string(b)
}

// A server that dies with streams under way.
func TestFakeCrash(t *testing.T) {
	var dead atomic.Bool
	srv := fast(fakeserver.Settings{Slots: 8, Faults: faulty(t, "crash@5?request=20")})
	alive := func() error {
		if dead.Load() {
			return fmt.Errorf("signal: aborted")
		}
		return nil
	}
	url := srv.Start(t)
	o := load.Options{URL: url, Concurrency: 8, Requests: 60, Alive: alive, Output: 20}
	o.Observe = func(p load.Progress) { // what a watcher of the process would do
		if p.Failed > 0 {
			dead.Store(true)
		}
	}
	rows := run(t, prompts(5), o).Requests
	n := classes(rows)
	if n[record.ServerCrash] == 0 || n[record.ServerCrash] > 8 || n[record.ConnectionRefused] == 0 ||
		n[""]+n[record.ServerCrash]+n[record.ConnectionRefused] != 60 {
		t.Errorf("got %v, want at most 8 crashed, those before fine and those after refused", n)
	}
	var crashed float64 // when the first stream was cut
	for _, r := range rows {
		if end := r.Sent + r.Elapsed; r.Failure != nil && r.Failure.Class == record.ServerCrash && (crashed == 0 || end < crashed) {
			crashed = end
		}
	}
	for _, r := range rows {
		if r.Failure == nil && r.Sent > crashed {
			t.Errorf("request %d ended well and was sent %.3f s after the crash", r.Index, r.Sent-crashed)
		}
	}
}

// A client that pools connections loses those that the server closes after a
// stream, as the published study did (3 of 5, 12 of 20, 17 of 30, and 100 of
// 100 that were sent at once); the default loses none. Each of its workers
// succeeds and fails in turn, so that it loses half, less at most half a
// request for each worker.
func TestPooledConnections(t *testing.T) {
	for _, c := range []struct{ requests, concurrency, least, most int }{{5, 2, 3, 3}, {20, 4, 10, 12}, {30, 4, 15, 17}, {100, 100, 100, 100}} {
		for _, reuse := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d of %d, reuse %t", c.requests, c.concurrency, reuse), func(t *testing.T) {
				srv := fakeserver.New(fakeserver.Settings{Slots: 4, Prompt: 1e5, Gen: 500, SD: fakeserver.SD{Request: 0.3}})
				url := startTogether(t, srv, c.concurrency)
				res := run(t, prompts(c.requests), load.Options{URL: url, Concurrency: c.concurrency, Output: 10, Reuse: reuse})
				if !reuse {
					c.least, c.most = c.requests, c.requests
				}
				n := classes(res.Requests)
				if n[""] < c.least || n[""] > c.most || n[""]+n[record.StaleConnection] != c.requests {
					t.Errorf("got %v, want %d to %d successes and the others stale", n, c.least, c.most)
				}
				for _, r := range res.Requests {
					if stale := r.Failure != nil; stale != r.Connection.Reused || stale && (r.Connection.Age <= 0 || r.Failure.Status != 0) {
						t.Errorf("request %d: %+v, %+v", r.Index, r.Connection, r.Failure)
					}
				}
				srv.Close() // which knows of all requests then
				if got := len(srv.Requests()); got != n[""] {
					t.Errorf("the server saw %d requests: some were sent again, or not at all", got)
				}
				t.Logf("%d of %d succeeded", n[""], c.requests)
			})
		}
	}
}

// What a client measures is what the server knows it did, never before it; how
// long after, the benchmark says.
func TestTruth(t *testing.T) {
	srv := fakeserver.New(fakeserver.Settings{Slots: 2, Prompt: 1000, Gen: 200, Hold: 3})
	ps := prompts(12)
	res := run(t, ps, load.Options{URL: srv.Start(t), Concurrency: 1, Output: 8})
	srv.Close() // which knows of all requests then
	truth := srv.Requests()
	if len(truth) != len(ps) {
		t.Fatalf("the server saw %d requests", len(truth))
	}
	at := func(s float64) time.Time { return res.Start.Add(time.Duration(s * 1e9)) }
	const rounding = time.Microsecond
	for i, r := range res.Requests {
		x := truth[i]
		if at(r.Sent).After(x.Arrived) || at(r.Sent+r.TTFT).Before(x.FirstContent.Add(-rounding)) || at(r.Sent+r.Elapsed).Before(x.LastContent.Add(-rounding)) {
			t.Errorf("request %d: sent %v, first %v, end %v; in truth %v, %v, %v", i,
				at(r.Sent), at(r.Sent+r.TTFT), at(r.Sent+r.Elapsed), x.Arrived, x.FirstContent, x.LastContent)
		}
	}
}
