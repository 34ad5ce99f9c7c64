package load

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

// listen accepts connections and hands them on.
func listen(t *testing.T, network, address string) (netip.AddrPort, chan net.Conn) {
	l, err := net.Listen(network, address)
	if err != nil {
		t.Skip(err) // a machine without IPv6
	}
	t.Cleanup(func() { l.Close() })
	conns := make(chan net.Conn)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns <- c
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort(), conns
}

// A connection to this machine carries bytes both ways, over both protocols.
func TestConnectHere(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		to, accepted := listen(t, "tcp", address)
		to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
		c, err := connectHere(t.Context(), to, netip.Addr{}, time.Now().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		s := <-accepted
		for _, pair := range [][2]net.Conn{{c, s}, {s, c}} {
			got := make([]byte, 1)
			if _, err := pair[0].Write([]byte("x")); err != nil {
				t.Error(err)
			}
			if _, err := pair[1].Read(got); err != nil || got[0] != 'x' {
				t.Errorf("%s: read %q, %v", address, got, err)
			}
		}
		c.SetReadDeadline(time.Unix(1, 0))
		if _, err := c.Read(make([]byte, 1)); !isTimeout(err) {
			t.Errorf("%s: a deadline gives %v", address, err)
		}
		c.Close()
		s.Close()
	}
}

// What goes wrong has the errors that net.Dialer gives.
func TestConnectHereFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	deadline := time.Now().Add(time.Minute)
	_, err = connectHere(t.Context(), to, netip.Addr{}, deadline)
	_, want := (&net.Dialer{}).Dial("tcp", to.String())
	if !errors.Is(err, syscall.ECONNREFUSED) || err.Error() != want.Error() {
		t.Errorf("nothing listens: %v, want %v", err, want)
	}
	_, err = connectHere(t.Context(), to, netip.MustParseAddr("192.0.2.1"), deadline)
	if !errors.Is(err, syscall.EADDRNOTAVAIL) || !isOurs(err) {
		t.Errorf("from a foreign address: %v", err)
	}
}

// An address without a free port gives its place to the next one of this machine, as
// long as there are any.
func TestManySources(t *testing.T) {
	to, accepted := listen(t, "tcp4", "127.0.0.1:0")
	var full int // addresses without a port
	h := &here{to: to, connect: func(ctx context.Context, to netip.AddrPort, from netip.Addr, deadline time.Time) (net.Conn, error) {
		last := 1 // of 127.0.0.1, which the kernel takes
		if from.IsValid() {
			last = int(from.As4()[3])
		}
		if last < full {
			return nil, &net.OpError{Op: "dial", Err: syscall.EADDRNOTAVAIL}
		}
		return connectHere(ctx, to, from, deadline)
	}}
	for _, full = range []int{0, 3} {
		c, err := h.dial(t.Context(), time.Now().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		from := (<-accepted).RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
		if want := netip.AddrFrom4([4]byte{127, 0, 0, byte(max(full, 1))}); from != want {
			t.Errorf("connected from %s, want %s", from, want)
		}
		c.Close()
	}
	full = 300
	if _, err := h.dial(t.Context(), time.Now().Add(time.Minute)); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("without any port: %v", err)
	}
}

// A load that needs more open files than there may be is refused before it begins.
func TestRoom(t *testing.T) {
	for _, c := range []struct{ connections, files int }{{960, 1024}, {0, 64}} {
		if err := roomFor(c.connections, c.files); err != nil {
			t.Errorf("%d of %d: %v", c.connections, c.files, err)
		}
	}
	if err := roomFor(10_000, 1024); err == nil || !strings.Contains(err.Error(), "10000 connections at once need 10064 open files, and this process may have 1024; raise the limit ('ulimit -n 10064')") {
		t.Error(err)
	}
	most := mayOpen()
	if most > maxConcurrency {
		return // as many as can be asked for
	}
	prompts := []Prompt{{ID: "p", Text: "x"}}
	_, err := Run(t.Context(), prompts, Options{URL: "http://127.0.0.1:1", Concurrency: most, Requests: most})
	if err == nil || !strings.Contains(err.Error(), "raise the limit") {
		t.Errorf("%d connections where %d files may be open: %v", most, most, err)
	}
}
