package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/llama-regress/llama-regress/fixtures/effort"
)

// read returns the events of a stream, each with its kind before it, and what
// ended it.
func read(r io.Reader, limit int) (events []string, err error) {
	var e eventReader
	e.reset(r, limit)
	for {
		ev, err := e.next()
		if err != nil {
			return events, err
		}
		kind := "data "
		if ev.failed {
			kind = "error "
		}
		events = append(events, kind+string(ev.data))
	}
}

func TestEvents(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"data: a\n\n", []string{"data a"}},
		{"data:a\n\ndata:  b\n\n", []string{"data a", "data  b"}},
		{"data: a\ndata\ndata: b\n\n", []string{"data a\n\nb"}},
		{":\n\n: x\n\ndata: a\n:y\n\n", []string{"data a"}},
		{"data: a\r\n\r\ndata: b\r\rdata: c\n\r\n", []string{"data a", "data b", "data c"}},
		{"data: a\r\ndata: b\r\n\r\n", []string{"data a\nb"}},
		{"error: {}\n\n", []string{"error {}"}},
		{"event: e\nid: 1\nretry: 2\n\ndata: a\n\n", []string{"data a"}},
		{"\xef\xbb\xbfdata: a\n\n", []string{"data a"}},
		{"data: a\n\ndata: b\n", []string{"data a"}},
		{"data: a: b\n\n", []string{"data a: b"}},
		{"data:\n\n", []string{"data "}},
		{"data: " + strings.Repeat("x", 90) + "\n\ndata: y\n\n", []string{"data " + strings.Repeat("x", 90), "data y"}},
	} {
		for name, r := range map[string]io.Reader{
			"whole": strings.NewReader(c.in), "bytes": iotest.OneByteReader(strings.NewReader(c.in)), "with the end": iotest.DataErrReader(strings.NewReader(c.in)),
		} {
			got, err := read(r, 100)
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) || err != io.EOF {
				t.Errorf("%q, %s: got %q, %v; want %q", c.in, name, got, err, c.want)
			}
		}
	}
}

func TestEventsRefused(t *testing.T) {
	for _, in := range []string{
		"<html>\n", "Data: a\n\n", " data: a\n\n", "data: a\n\n\xef\xbb\xbfdata: b\n\n",
		"data: " + strings.Repeat("x", 101) + "\n\n", strings.Repeat("data: x\n", 100), strings.Repeat(":x\n", 100), strings.Repeat("x", 1e6),
	} {
		if _, err := read(strings.NewReader(in), 100); !errors.Is(err, errNotAStream) {
			t.Errorf("%.40q: error %v", in, err)
		}
	}
}

// However long a stream is, what is kept of it is bounded.
func TestEventsBounded(t *testing.T) {
	var e eventReader
	for name, line := range map[string]string{"a line": "data: x", "lines": "data: xxxxxxxxxxxxxxx\n", "comments": ":\n\n", "events": "data: x\n\n"} {
		e.reset(io.LimitReader(&repeat{[]byte(line), 0}, int64(effort.Size(10<<20, 1<<20))), 4096)
		var err error
		for err == nil {
			_, err = e.next()
		}
		if cap(e.buf)+cap(e.data) > 4*4096 {
			t.Errorf("%s: %d and %d bytes kept", name, cap(e.buf), cap(e.data))
		}
	}
}

type repeat struct {
	text []byte
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.text[r.at%len(r.text)]
		r.at++
	}
	return len(p), nil
}

// The same bytes are the same events however they arrive, and the memory they
// take is bounded.
func FuzzEvents(f *testing.F) {
	for _, seed := range []string{
		// recorded from llama-server b11669, cut to what matters
		"data: {\"index\":0,\"content\":\" a\",\"tokens\":[260],\"stop\":false,\"id_slot\":-1,\"tokens_predicted\":1,\"tokens_evaluated\":2}\n\n",
		"data: {\"choices\":[],\"usage\":{\"completion_tokens\":4,\"prompt_tokens\":11}}\n\ndata: [DONE]\n\n",
		"error: {\"code\":500,\"message\":\"Compute error.\",\"type\":\"server_error\"}\n\n",
		":\n\ndata: {\"content\":\"\"}\r\n\r\ndata: x\rdata: y\r\r", "\xef\xbb\xbfdata\n\n", "<html>", "data: \xff\n\n", ": \n\n\n\n\nid: 1\n\n",
	} {
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, step uint8) {
		const limit = 64
		want, wantErr := read(bytes.NewReader(in), limit)
		got, gotErr := read(&pieces{in, int(step)%7 + 1}, limit)
		if fmt.Sprintf("%q %v", got, gotErr) != fmt.Sprintf("%q %v", want, wantErr) {
			t.Fatalf("in pieces of %d: %q, %v; whole: %q, %v", step%7+1, got, gotErr, want, wantErr)
		}
		for _, e := range want {
			if len(e) > limit+len("error ") {
				t.Fatalf("an event of %d bytes, limit %d", len(e), limit)
			}
		}
	})
}

// pieces is a reader that gives a few bytes at a time.
type pieces struct {
	rest []byte
	step int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.rest[:min(p.step, len(p.rest))])
	p.rest = p.rest[n:]
	return n, nil
}

// No event makes the reader of answers fail other than by a class.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"index":0,"content":"x","stop":false,"id_slot":3,"tokens_predicted":1,"tokens_evaluated":7}`,
		`{"content":"","stop":true,"tokens_predicted":3,"truncated":true,"timings":{"prompt_ms":1e300,"predicted_n":-5,"cache_n":0.5}}`,
		`{"choices":[{"delta":{"content":"x"},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`,
		`{"choices":[{"text":"x"}]}`, `{"error":{"code":400,"type":"exceed_context_size_error"}}`, `[DONE]`, `null`, `{"error":"x"}`, "{\"content\":\"\xff\"}",
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, failed bool) {
		for api := range routes {
			a := answer{api: api, output: 4}
			for range 2 {
				last, fail := a.take(event{data, failed}, 1)
				if fail != nil && (fail.Class == "" || fail.Message == "" || len(fail.Body) > maxBody) {
					t.Fatalf("%s: failure without evidence: %+v", api, fail)
				}
				if last && fail == nil && a.events == 0 {
					t.Fatalf("%s: success without content", api)
				}
				if a.outputTokens < 0 || a.promptTokens < 0 || a.slot != nil && *a.slot < 0 || a.server != nil && !(a.server.PromptSeconds >= 0 && a.server.OutputSeconds >= 0) {
					t.Fatalf("%s: %+v %+v", api, a, a.server)
				}
			}
		}
	})
}

// The end of a line is where bytes.IndexAny finds it.
func FuzzLineEnd(f *testing.F) {
	long := bytes.Repeat([]byte("x"), 1500)
	for _, end := range []string{"", "\r", "\n", "\r\n", "\n\r"} {
		for _, at := range []int{0, 1, 511, 512, 513, 1024, 1500} {
			f.Add(slices.Concat(long[:at], []byte(end), long[at:]))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, want := lineEnd(b), bytes.IndexAny(b, "\r\n"); got != want {
			t.Errorf("%q: %d, want %d", b, got, want)
		}
	})
}
