package llama

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// answering is a server whose answers are the test's.
func answering(t *testing.T, handler http.HandlerFunc) *Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return &Server{
		port: s.Listener.Addr().(*net.TCPAddr).Port, client: newClient(), done: make(chan struct{}), program: new(program),
		values: map[string]string{"parallel": "4", "ctx_size": "8192"}, model: "models/m.gguf",
	}
}

func always(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

const propsAnswer = `{"default_generation_settings":{"n_ctx":2048,"params":{}},"total_slots":4,"model_path":"models/m.gguf","build_info":"b11669-Debian"}`

func TestProps(t *testing.T) {
	t.Parallel()
	srv := answering(t, always(propsAnswer))
	got, err := srv.Props(t.Context())
	if want := (Props{4, 2048, "models/m.gguf", "b11669-Debian"}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if echo := got.Echo(); echo["parallel"] != "4" || echo["n_ctx_slot"] != "2048" || echo["build_info"] != "b11669-Debian" || echo["model_filename"] != "models/m.gguf" {
		t.Errorf("%v", echo)
	}
	for answer, want := range map[string]string{
		"":                                    "not what llama-server answers",
		"<html>":                              "not what llama-server answers",
		`{}`:                                  "no slots or no context",
		`{"total_slots":4}`:                   "no slots or no context",
		`{"total_slots":"four"}`:              "not what llama-server answers",
		strings.Repeat(" ", maxAnswer) + `{}`: "more than 64 MiB",
	} {
		if _, err := answering(t, always(answer)).Props(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", answer, err, want)
		}
	}
	hostile := answering(t, always(strings.Replace(propsAnswer, "Debian", `\u001b[31m\u0000Debian\n`+strings.Repeat("x", 1000), 1)))
	if p, err := hostile.Props(t.Context()); err != nil || strings.ContainsAny(p.Build, "\x1b\x00\n") || len(p.Build) > 210 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestCheckProps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parallel, ctx string
		slots, slot   int
		model         string
		want          string
	}{
		{"4", "8192", 4, 2048, "models/m.gguf", ""},
		{"4", "8192", 4, 2048, "/elsewhere/m.gguf", ""}, // some builds print the path they resolved
		{"3", "8192", 3, 2730, "models/m.gguf", ""},     // older builds cut off
		{"3", "8192", 3, 2816, "models/m.gguf", ""},     // newer ones round up to 256
		{"3", "8192", 3, 2817, "models/m.gguf", "context of a slot asked 2730, got 2817"},
		{"4", "8192", 4, 8192, "models/m.gguf", "context of a slot asked 2048, got 8192"},
		{"1", "8192", 1, 2048, "models/m.gguf", "asked 8192, got 2048, perhaps all that the model was trained for"},
		{"4", "8192", 1, 2048, "models/m.gguf", "parallel asked 4, got 1"},
		{"4", "8192", 4, 2048, "models/other.gguf", "model asked models/m.gguf, got models/other.gguf"},
	} {
		srv := &Server{program: new(program), model: "models/m.gguf", values: map[string]string{"parallel": c.parallel, "ctx_size": c.ctx}}
		f := srv.checkProps(Props{Slots: c.slots, SlotContext: c.slot, Model: c.model, Build: "b1"})
		if c.want == "" && f != nil || c.want != "" && (f == nil || f.Class != record.ParametersDiffer || !strings.Contains(f.Message, c.want)) {
			t.Errorf("%+v: %+v", c, f)
		}
	}
}

func TestCountTokens(t *testing.T) {
	t.Parallel()
	srv := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/tokenize" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		fmt.Fprint(w, `{"tokens":[1,2,3]}`)
	})
	if n, err := srv.CountTokens(t.Context(), "a b"); err != nil || n != 3 {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := answering(t, always(`{"tokens":[]}`)).CountTokens(t.Context(), ""); err != nil || n != 0 {
		t.Errorf("an empty prompt: %d, %v", n, err)
	}
	for _, answer := range []string{"", "{}", `{"tokens":null}`, `{"tokens":3}`, `{"tokens":[{"id":1}]}`} {
		if _, err := answering(t, always(answer)).CountTokens(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "no list of tokens") {
			t.Errorf("%s: %v", answer, err)
		}
	}
	refusing := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, strings.Repeat("no ", 1<<20), http.StatusInternalServerError)
	})
	if _, err := refusing.CountTokens(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "HTTP 500") || len(err.Error()) > 400 {
		t.Errorf("%v", err)
	}
}

func TestHealth(t *testing.T) {
	loading := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error":{}}`, http.StatusServiceUnavailable)
	}
	broken := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "oh", http.StatusInternalServerError) }
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, c := range []struct {
		handler http.HandlerFunc
		want    string
	}{
		{loading, "still loading the model"},
		{broken, `it answers HTTP 500: "oh"`},
		{silent, "takes connections, but does not answer within 100ms"},
	} {
		if err := answering(t, c.handler).health(t.Context(), 100*time.Millisecond); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	if err := answering(t, always(`{"status":"ok"}`)).health(t.Context(), time.Minute); err != nil {
		t.Error(err)
	}
	port, err := new(Servers).port()
	if err != nil {
		t.Fatal(err)
	}
	nobody := &Server{port: port, client: newClient()}
	if err := nobody.health(t.Context(), time.Minute); err == nil || !strings.Contains(err.Error(), "nothing listens on its port") {
		t.Errorf("%v", err)
	}
}

// What /metrics of build 11669 answered, shortened.
const metricsAnswer = `# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed, excluding cached tokens
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 12
# HELP llamacpp:requests_processing Number of requests processing
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing %d
# HELP llamacpp:requests_deferred Number of requests deferred
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred %d
`

// Polls are summed up; one that is refused or unreadable is missed.
func TestPoll(t *testing.T) {
	t.Parallel()
	var polls atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	srv := answering(t, func(w http.ResponseWriter, r *http.Request) {
		switch n := polls.Add(1); n {
		case 1, 2, 3:
			fmt.Fprintf(w, metricsAnswer, n, 10*(n-1))
		case 4:
			fmt.Fprint(w, "llamacpp:requests_processing 1\nllamacpp:requests_deferred NaN\n")
		case 5:
			http.Error(w, "not supported", http.StatusNotImplemented)
		default:
			cancel() // this poll is under way, and neither answered nor missed
			<-r.Context().Done()
		}
	})
	due := make(chan time.Time, 10)
	for range cap(due) {
		due <- time.Time{}
	}
	got := srv.poll(ctx, due, time.Hour)
	if got.Missed != 2 || got.Busy == nil || *got.Busy != (record.Gauge{Mean: 2, Max: 3, N: 3}) || *got.Deferred != (record.Gauge{Mean: 10, Max: 20, N: 3}) {
		t.Errorf("%+v %+v %+v", got, got.Busy, got.Deferred)
	}
	if polls.Load() != 6 {
		t.Errorf("%d polls", polls.Load())
	}
	late := answering(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if _, _, ok := late.gauges(t.Context(), time.Millisecond); ok {
		t.Error("an answer that never came is one")
	}

	ended := answering(t, always(""))
	close(ended.done)
	if got := ended.Poll(t.Context(), time.Hour); got != (Polls{}) {
		t.Errorf("a server that has ended: %+v", got)
	}
}

func TestMetric(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{
		"a 1\nx 2.5\n": 2.5, "x 0": 0, "x 1e3\r\n": 1000,
		"": -1, "# x 3": -1, "xy 3": -1, "x{slot=\"1\"} 3": -1, "x ": -1, "x NaN": -1, "x +Inf": -1, "x -1": -1, "x three": -1,
	} {
		if got, ok := metric(text, "x"); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, ok, want)
		}
	}
}

func TestServerLogByTime(t *testing.T) {
	t.Parallel()
	l := newServerLog(nil)
	at := time.Now()
	for i, text := range []string{"one\n", "two\n", "three\n"} {
		fmt.Fprint(l, text)
		l.recent[i].at = at.Add(time.Duration(i) * time.Second)
	}
	for _, c := range []struct {
		from, to time.Duration
		n        int
		want     string
	}{
		{0, time.Minute, 100, "one\ntwo\nthree"},
		{0, 0, 100, "one"},
		{500 * time.Millisecond, 1500 * time.Millisecond, 100, "two"},
		{0, time.Second - logSlack - 1, 100, "one"},
		{0, time.Second - logSlack, 100, "one\ntwo"},
		{time.Second, time.Minute, 8, "three"}, // from the beginning of a line
		{time.Minute, time.Hour, 100, ""},
	} {
		if got := l.between(at.Add(c.from), at.Add(c.to), c.n); got != c.want {
			t.Errorf("from %v to %v: %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

// Whatever a program answers, it is read or refused, within bounds.
func FuzzServerAnswers(f *testing.F) {
	help, err := os.ReadFile("testdata/help-server-b11669.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{propsAnswer, fmt.Sprintf(metricsAnswer, 1, 2), string(help), helpB6082} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"llamacpp:requests_processing", "llamacpp:requests_deferred"} {
			if x, ok := metric(text, name); ok && !(x >= 0 && x < 1e9) {
				t.Errorf("%s is %v", name, x)
			}
		}
		c, ok := readServerHelp(text)
		if !ok {
			return
		}
		args, err := serverArgs(c, parameters(record.ServeWorkload, nil, map[string]string{"flash_attn": "on"}))
		var bad *badArgument
		if err != nil && !errors.As(err, &bad) {
			t.Errorf("%v", err)
		}
		for _, arg := range args {
			if strings.HasPrefix(arg, "-") && !c.has(arg) {
				t.Errorf("%s is passed to a build that has no such flag", arg)
			}
		}
	})
}
