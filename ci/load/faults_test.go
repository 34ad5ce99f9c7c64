package load_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/record"
)

// plain is a response that is no stream.
func plain(status int, contentType, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		status, http.StatusText(status), contentType, len(body), body)
}

// serverError is a response in llama-server's form.
func serverError(status int, kind, message string) string {
	return plain(status, "application/json; charset=utf-8", fmt.Sprintf(`{"error":{"code":%d,"message":%q,"type":%q}}`, status, message, kind))
}

// stream is a whole response of these events, in one chunk.
func stream(events ...string) string {
	return streamHead + chunk(strings.Join(events, "")) + streamEnd
}

func reset(before string) script {
	return func(c *net.TCPConn, _ *http.Request) bool {
		c.Write([]byte(before))
		c.SetLinger(0)
		return false
	}
}

func hang(before string) script {
	return func(c *net.TCPConn, _ *http.Request) bool {
		c.Write([]byte(before))
		c.Read(make([]byte, 1)) // until the client gives up
		return false
	}
}

// flood is the script of an event of 10 MB.
func flood(begin, more string) script {
	return func(c *net.TCPConn, r *http.Request) bool {
		return say(false, streamHead+chunk(begin+strings.Repeat(more, 10<<20/len(more)))+streamEnd)(c, r)
	}
}

const exceeded = "the request exceeds the available context size. try increasing the context size or enable context shift"

// faults are answers that are none, each with its class and what of it must be
// found in the evidence.
var faults = []struct {
	name   string
	api    load.API
	answer script
	class  record.RequestFailureClass
	status int
	says   string // in the message or the body
}{
	{"loading", "", say(false, serverError(503, "unavailable_error", "Loading model")), record.Rejected, 503, "Loading model"},
	{"too many", "", say(false, serverError(429, "x", "slow down")), record.Rejected, 429, "slow down"},
	{"internal", "", say(false, serverError(500, "server_error", "Compute error.")), record.HTTP5xx, 500, "Compute error."},
	{"bad gateway in HTML", "", say(false, plain(502, "text/html", "<html>Bad <b>Gateway</b></html>")), record.HTTP5xx, 502, "<b>Gateway"},
	{"error without a body", "", say(false, "HTTP/1.1 500 Internal Server Error\r\n\r\n"), record.HTTP5xx, 500, "answered 500"},
	{"bad request", "", say(false, serverError(400, "invalid_request_error", "no prompt")), record.HTTP4xx, 400, "no prompt"},
	{"not found", "", say(false, plain(404, "text/plain", "nothing here")), record.HTTP4xx, 404, "nothing here"},
	{"error cut short", "", say(false, "HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\n{\"error"), record.HTTP4xx, 400, `{"error`},
	{"context, by type", "", say(false, serverError(400, "exceed_context_size_error", "too long")), record.ContextExceeded, 400, "too long"},
	{"context, by message", "", say(false, serverError(400, "invalid_request_error", exceeded)), record.ContextExceeded, 400, "exceeds"},
	{"context, at run time", "", say(false, serverError(500, "server_error", "Context size has been exceeded.")), record.ContextExceeded, 500, "exceeded"},
	{"context, in an old stream", "", say(false, stream(`error: {"code":400,"message":"`+exceeded+`","type":"invalid_request_error"}`+"\n\n")), record.ContextExceeded, 200, "exceeds"},
	{"context, in a stream", load.Chat, say(false, stream(`data: {"error":{"code":400,"message":"`+exceeded+`","type":"exceed_context_size_error"}}`+"\n\n")), record.ContextExceeded, 200, "exceeds"},
	{"context, full on the way", "", say(false, stream(first, strings.Replace(final, `"truncated":false`, `"truncated":true`, 1))), record.ContextExceeded, 200, "3 of 64"},
	{"context, full on the way, chat", load.Chat, say(false, stream(chatRole, chatHe, chatLength, chatUsage, done)), record.ContextExceeded, 200, "3 of 64"},
	{"error in mid-stream, old", "", say(false, stream(first, "error: {\"code\":500,\"message\":\"Compute error.\",\"type\":\"server_error\"}\n\n")), record.HTTP5xx, 200, "500: Compute error."},
	{"error in mid-stream", "", say(false, stream(first, "data: {\"error\":{\"code\":500,\"message\":\"Compute error.\",\"type\":\"server_error\"}}\n\n")), record.HTTP5xx, 200, "500: Compute error."},
	{"error in mid-stream that is none", "", say(false, stream(first, "error: oh no\n\n")), record.HTTP5xx, 200, "oh no"},
	{"error with a code in words", "", say(false, stream("data: {\"error\":{\"code\":\"busy\",\"message\":\"later\"}}\n\n")), record.HTTP5xx, 200, "later"},

	{"HTML", "", say(false, plain(200, "text/html", "<html>Welcome</html>")), record.MalformedEvent, 200, "Welcome"},
	{"JSON instead of a stream", "", say(false, plain(200, "application/json", `{"content":"all at once"}`)), record.MalformedEvent, 200, "all at once"},
	{"HTML that says it is a stream", "", say(false, plain(200, "text/event-stream", "<html>\n<body>Welcome</body>\n</html>")), record.MalformedEvent, 200, "<html>"},
	{"redirect", "", say(false, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"), record.MalformedEvent, 302, "302"},
	{"no content", "", say(false, "HTTP/1.1 204 No Content\r\n\r\n"), record.MalformedEvent, 204, "204"},
	{"not HTTP", "", say(false, "SSH-2.0-OpenSSH_9.2\r\n\r\n"), record.MalformedEvent, 0, "not HTTP"},
	{"endless head", "", say(false, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 100<<10)+"\r\n\r\n"), record.MalformedEvent, 0, "64 KiB"},
	{"nothing but 102", "", say(false, strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 100)), record.MalformedEvent, 0, "preliminary"},
	{"two lengths", "", say(false, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"), record.MalformedEvent, 0, "Content-Length"},
	{"bad chunk", "", say(false, streamHead+chunk(first)+"zz\r\n"), record.MalformedEvent, 200, "chunk"},
	{"not JSON", "", say(false, stream(first, "data: {\"content\":\n\n")), record.MalformedEvent, 200, `{"content":`},
	{"JSON of another type", "", say(false, stream("data: [1,2]\n\n")), record.MalformedEvent, 200, "[1,2]"},
	{"content of another type", "", say(false, stream("data: {\"content\":{\"a\":1}}\n\n")), record.MalformedEvent, 200, `{"a":1}`},
	{"null", "", say(false, stream("data: null\n\n")), record.MalformedEvent, 200, "null"},
	{"[DONE] on the native route", "", say(false, stream(first, done)), record.MalformedEvent, 200, "[DONE]"},
	{"invalid UTF-8", "", say(false, stream(first, "data: {\"content\":\"\xff\xfe\",\"stop\":false}\n\n", final)), record.MalformedEvent, 200, "\uFFFD"},
	{"10 MB event", "", flood("data: {\"content\":\"", "x"), record.MalformedEvent, 200, "more than"},
	{"10 MB event in lines", "", flood("", "data: \n"), record.MalformedEvent, 200, "more than"},

	{"no final event", "", say(false, stream(first, second)), record.TruncatedStream, 200, "after 2 events"},
	{"nothing at all", "", say(false, streamHead+streamEnd), record.TruncatedStream, 200, "after 0 events"},
	{"half an event", "", say(false, streamHead+chunk(first)+chunk(second[:30])+streamEnd), record.TruncatedStream, 200, `"content":"ll`},
	{"half an event, then closed", "", say(false, streamHead+chunk(first)+chunk(second[:30])), record.TruncatedStream, 200, `"content":"ll`},
	{"half a chunk", "", say(false, streamHead+chunk(first)+"80\r\ndata: {"), record.TruncatedStream, 200, "after 1 events"},
	{"no empty line after the last event", "", say(false, streamHead+chunk(first)+chunk(strings.TrimSpace(final)+"\n")+streamEnd), record.TruncatedStream, 200, "after 1 events"},
	{"length too long", "", say(false, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n"+first), record.TruncatedStream, 200, "after 1 events"},
	{"length too short", "", say(false, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n", len(first)+10)+first+final), record.TruncatedStream, 200, "after 1 events"},
	{"ends with the connection", "", say(false, noLength+first), record.TruncatedStream, 200, "after 1 events"},
	{"reset in mid-stream", "", reset(streamHead + chunk(first)), record.TruncatedStream, 0, ""}, // what came before a reset may be lost
	{"half a head", "", say(false, "HTTP/1.1 200 OK\r\nContent-Ty"), record.TruncatedStream, 0, "head"},
	{"[DONE] without a reason to finish", load.Chat, say(false, stream(chatRole, chatHe, done)), record.TruncatedStream, 200, "[DONE]"},
	{"no [DONE]", load.Chat, say(false, stream(chatRole, chatHe, chatStop, chatUsage)), record.TruncatedStream, 200, "without its final event"},

	{"no content", "", say(false, stream(strings.Replace(first, "He", "", 1), final)), record.EmptyResponse, 200, "without any content"},
	{"no content, chat", load.Chat, say(false, stream(chatRole, chatStop, done)), record.EmptyResponse, 200, "without any content"},
	{"closed", "", say(false, ""), record.ConnectionReset, 0, "before a response began"},
	{"reset", "", reset(""), record.ConnectionReset, 0, "before a response began"},
	{"silence", "", hang(""), record.QueueTimeout, 0, "no response within"},
	{"silence after the head", "", hang(streamHead), record.QueueTimeout, 200, "no content within"},
	{"pings only", "", hang(streamHead + chunk(":\n\n")), record.QueueTimeout, 200, "no content within"},
	{"role only", load.Chat, hang(streamHead + chunk(chatRole)), record.QueueTimeout, 200, "no content within"},
	{"hangs in mid-stream", "", hang(streamHead + chunk(first)), record.StreamTimeout, 200, "after 1 events"},
	{"hangs within an event", "", hang(streamHead + chunk(first+"data: {\"con")), record.StreamTimeout, 200, "{\"con"},
}

func TestFaults(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			timeout := time.Minute
			if f.class == record.QueueTimeout || f.class == record.StreamTimeout {
				timeout = time.Second
			}
			res := run(t, prompts(1), load.Options{URL: serve(t, f.answer), API: f.api, Timeout: timeout})
			got := res.Requests[0].Failure
			if got == nil {
				t.Fatalf("the request succeeded, want %s", f.class)
			}
			if got.Class != f.class {
				t.Errorf("got %+v, want class %s", got, f.class)
			}
			if f.name != "reset in mid-stream" && got.Status != f.status {
				t.Errorf("status %d, want %d", got.Status, f.status)
			}
			if !strings.Contains(got.Message, f.says) && !strings.Contains(got.Body, f.says) {
				t.Errorf("%+v does not say %q", got, f.says)
			}
			if !utf8.ValidString(got.Message+got.Body) || len(got.Body) > 2<<10 || strings.ContainsAny(got.Message, "\r\n") {
				t.Errorf("evidence is not safe: %+v", got)
			}
			if e := res.Requests[0].Elapsed; e <= 0 || e > res.Seconds+1e-9 {
				t.Errorf("elapsed %g s of %g", e, res.Seconds)
			}
		})
	}
}

func TestNothingListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	res := run(t, prompts(3), load.Options{URL: "http://" + l.Addr().String()})
	for _, r := range res.Requests {
		if r.Failure == nil || r.Failure.Class != record.ConnectionRefused {
			t.Errorf("got %+v, want connection_refused", r.Failure)
		}
	}
}

// A server that ends takes down what is under way, even when its end is known
// only after the connection broke.
func TestServerEnds(t *testing.T) {
	for class, why := range map[record.RequestFailureClass]error{
		record.ServerCrash:       errors.New("signal: segmentation fault"),
		record.ServerOutOfMemory: fmt.Errorf("killed: %w", load.ErrOutOfMemory),
		record.TruncatedStream:   nil,
	} {
		t.Run(string(class), func(t *testing.T) {
			asked := 0
			alive := func() error {
				if asked++; asked < 4 {
					return nil
				}
				return why
			}
			url := serve(t, say(false, streamHead+chunk(first)))
			got := run(t, prompts(1), load.Options{URL: url, Alive: alive}).Requests[0].Failure
			if got == nil || got.Class != class || why != nil && !strings.Contains(got.Message, why.Error()) {
				t.Errorf("got %+v, want %s: %v", got, class, why)
			}
		})
	}
}
