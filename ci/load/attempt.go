package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// drainPeriod is how long the end of a response may follow its last event.
const drainPeriod = time.Second

// An attempt is one request on the wire.
type attempt struct {
	g        *generator
	wire     wireRequest
	paused   bool // something came between its sender's previous request and this
	deadline time.Time
	conn     *conn
	on       record.Connection
	status   int
	answer   answer

	sent       time.Duration // begun, before connecting
	connecting time.Duration // how long that took
	wrote      time.Duration // when the write was begun; 0 without a connection
	head       time.Duration // when the head of the answer was there; 0 for none
	ended      time.Duration // with its last event, or when it failed
}

// buffers are what an attempt reads with; kept for the next one.
type buffers struct {
	in     *bufio.Reader
	events eventReader
	gaps   []time.Duration
}

func newBuffers() any { return &buffers{in: bufio.NewReaderSize(nil, 2048)} }

// run sends the request and reads the answer. It returns why it failed, nil
// when it did not.
func (a *attempt) run(ctx context.Context, b *buffers) *record.RequestFailure {
	a.deadline = time.Now().Add(a.g.opts.Timeout)
	a.sent = a.g.now()
	conn, err := a.g.pool.get(ctx, a.deadline, a.paused)
	a.connecting = a.g.now() - a.sent
	if err != nil {
		a.ended = a.g.now()
		return a.notConnected(err)
	}
	a.conn, a.on = conn, conn.about(a.g.start.Add(a.sent))
	// From here on a cancelled context ends whatever the connection waits for.
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })

	a.wrote = a.g.now()
	resp, f := a.exchange(b)
	if f == nil {
		if a.answer.api.Whole() {
			f = a.document(resp)
		} else {
			f = a.stream(resp, b)
		}
	}
	if f != nil {
		a.ended = a.g.now()
		f.Status = a.status
		a.g.opts.Key.hide(f)
	}
	keep := resp != nil && (f == nil || a.status >= 400) && a.drain(resp)
	if stop() && keep && b.in.Buffered() == 0 {
		a.g.pool.put(conn)
	} else {
		conn.Close()
	}
	return f
}

// exchange writes the request and reads the head of the response. A server may
// answer before it has read everything and then close, so a failed write is
// one only when there is nothing to read either.
func (a *attempt) exchange(b *buffers) (*http.Response, *record.RequestFailure) {
	_, writeErr := a.conn.Write(a.wire.bytes)
	b.in.Reset(a.conn)
	for range maxInformal {
		resp, err := http.ReadResponse(b.in, postRequest)
		if err != nil {
			return nil, a.noResponse(errors.Join(err, writeErr))
		}
		if resp.StatusCode < 200 {
			continue
		}
		a.conn.budget = unlimited
		a.status, a.head = resp.StatusCode, a.conn.lastRead.Sub(a.g.start)
		return resp, a.unusable(resp)
	}
	return nil, failed(record.MalformedEvent, "the server sent nothing but preliminary responses", nil)
}

// postRequest tells net/http what it is that was asked.
var postRequest = &http.Request{Method: http.MethodPost}

// unusable returns what is wrong with a response whose head says that no event
// stream follows.
func (a *attempt) unusable(resp *http.Response) *record.RequestFailure {
	kind := resp.Header.Get("Content-Type")
	media, _, _ := mime.ParseMediaType(kind)
	if whole := a.answer.api.Whole(); whole && resp.StatusCode == http.StatusOK {
		if media == "application/json" {
			return nil
		}
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxBody))
		return failed(record.MalformedEvent, "the server answered "+quote([]byte(kind))+" instead of a JSON document", body)
	} else if !whole && resp.StatusCode == http.StatusOK && (media == "text/event-stream" || kind == "") {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxBody)) // what came of it is evidence enough
	switch {
	case resp.StatusCode >= 400:
		return a.answer.serverError(body, resp.StatusCode)
	case resp.StatusCode >= 300 && resp.Header.Get("Location") != "":
		return failed(record.MalformedEvent, fmt.Sprintf("the server redirects (%d) to %s, which is not followed, and no key is sent there: use that address itself",
			resp.StatusCode, Elsewhere(resp.Header.Get("Location"))), body)
	case resp.StatusCode != http.StatusOK:
		return failed(record.MalformedEvent, fmt.Sprintf("the server answered %d instead of a stream", resp.StatusCode), body)
	}
	return failed(record.MalformedEvent, "the server answered "+quote([]byte(kind))+" instead of a stream of events: time to first token can only be measured of a server that streams", body)
}

// stream reads events up to the last one.
func (a *attempt) stream(resp *http.Response, b *buffers) *record.RequestFailure {
	b.events.reset(resp.Body, maxEvent+len(a.wire.bytes))
	for {
		e, err := b.events.next()
		if err != nil {
			return a.brokenStream(err, b.events.rest())
		}
		at := a.conn.lastRead.Sub(a.g.start)
		last, f := a.answer.take(e, at)
		if f != nil {
			return f
		}
		if last {
			a.ended = at
			return nil
		}
	}
}

// drain reads what is left of the response, normally only the end of its body.
// It reports whether the connection can be used again.
func (a *attempt) drain(resp *http.Response) bool {
	deadline := time.Now().Add(drainPeriod)
	if deadline.Before(a.deadline) {
		a.conn.SetDeadline(deadline)
	}
	n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxEvent))
	return err == nil && n < maxEvent && !resp.Close && a.g.opts.Reuse
}

// notConnected returns the failure to open a connection.
func (a *attempt) notConnected(err error) *record.RequestFailure {
	switch {
	case isOurs(err):
		a.g.abort(fmt.Errorf("load: this machine cannot open more connections (%w); lower the concurrency or the rate, or raise the limit of open files", err))
		return failed(record.ConnectionRefused, err.Error(), nil)
	case isTimeout(err):
		return failed(record.QueueTimeout, fmt.Sprintf("no connection within %s", a.g.opts.Timeout), nil)
	case isReset(err):
		return failed(record.ConnectionReset, "the connection was reset while it was opened", nil)
	}
	return failed(record.ConnectionRefused, err.Error(), nil)
}

// noResponse returns the failure of a connection on which no response began,
// or none that HTTP knows.
func (a *attempt) noResponse(err error) *record.RequestFailure {
	switch {
	case a.conn.readErr == nil:
		return failed(record.MalformedEvent, "the response is not HTTP: "+err.Error(), nil)
	case isTimeout(a.conn.readErr):
		return failed(record.QueueTimeout, fmt.Sprintf("no response within %s", a.g.opts.Timeout), nil)
	case a.conn.answered:
		return failed(record.TruncatedStream, "the response ended within its head", nil)
	case a.conn.reused:
		return failed(record.StaleConnection, "the server had closed the reused connection: "+a.conn.readErr.Error(), nil)
	}
	return failed(record.ConnectionReset, "the connection broke before a response began: "+a.conn.readErr.Error(), nil)
}

// brokenStream returns the failure of a stream that ended before its last
// event.
func (a *attempt) brokenStream(err error, rest []byte) *record.RequestFailure {
	got := fmt.Sprintf(" after %d events with content", a.answer.events)
	switch {
	case errors.Is(err, errNotAStream):
		return failed(record.MalformedEvent, err.Error(), rest)
	case isTimeout(err) && a.answer.events == 0:
		return failed(record.QueueTimeout, fmt.Sprintf("no content within %s", a.g.opts.Timeout), rest)
	case isTimeout(err):
		return failed(record.StreamTimeout, fmt.Sprintf("not finished within %s,%s", a.g.opts.Timeout, got), rest)
	case err == io.EOF:
		return failed(record.TruncatedStream, "the stream ended without its final event,"+got, rest)
	case a.conn.readErr == nil:
		return failed(record.MalformedEvent, "the response is not HTTP: "+err.Error(), rest)
	}
	return failed(record.TruncatedStream, "the connection broke: "+err.Error()+","+got, rest)
}
