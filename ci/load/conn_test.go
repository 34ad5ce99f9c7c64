package load

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// An idle connection is used as it is by a client that goes straight on, and
// looked at after a pause, like that of a client with an event loop.
func TestPool(t *testing.T) {
	for _, c := range []struct {
		name           string
		paused, closed bool // closed, or with bytes that nobody asked for
		rest           string
		reused         bool
	}{
		{"open, straight on", false, false, "", true},
		{"open, after a pause", true, false, "", true},
		{"closed, straight on", false, true, "", true},
		{"closed, after a pause", true, true, "", false},
		{"bytes, after a pause", true, false, "HTTP/1.1 408 Request Timeout\r\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			p := pool{to: target{address: l.Addr().String()}}
			defer p.close()
			deadline := time.Now().Add(time.Minute)
			first, err := p.get(context.Background(), deadline, true)
			if err != nil {
				t.Fatal(err)
			}
			server, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			io.WriteString(server, c.rest)
			if c.closed {
				server.Close()
			}
			p.put(first)
			second, err := p.get(context.Background(), deadline, c.paused)
			if err != nil {
				t.Fatal(err)
			}
			defer second.Close()
			if second.reused != c.reused || (second == first) != c.reused {
				t.Errorf("reused %t, want %t", second.reused, c.reused)
			}
			if on := second.about(time.Now()); on.Reused != c.reused || (on.Age > 0) != c.reused || on.Idle > on.Age {
				t.Errorf("recorded as %+v", on)
			}
			if c.reused && !c.closed { // looking at it took nothing from it and left no deadline on it
				io.WriteString(server, "x")
				b := make([]byte, 9)
				if n, err := second.Read(b); err != nil || !bytes.Equal(b[:n], []byte("x")) {
					t.Errorf("read %q, %v", b[:n], err)
				}
			}
		})
	}
}

// A machine that has run out of something does not blame the server.
func TestAbort(t *testing.T) {
	ctx, abort := context.WithCancelCause(context.Background())
	a := attempt{g: &generator{ctx: ctx, abort: abort}}
	for _, err := range []error{errors.New("x"), &net.OpError{Op: "dial", Err: errors.New("y")}} {
		if a.notConnected(err); ctx.Err() != nil {
			t.Fatalf("%v ended the load", err)
		}
	}
	a.notConnected(&net.OpError{Op: "dial", Err: syscall.EMFILE})
	if err := context.Cause(ctx); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("the load ended with %v", err)
	}
}
