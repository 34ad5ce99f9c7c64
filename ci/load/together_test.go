package load_test

import (
	"net"
	"testing"

	"github.com/llama-regress/llama-regress/fixtures/fakeserver"
)

// startTogether starts srv and returns its URL. The server gets to see its
// first n connections together: none is served before all n have been opened.
// So the first n requests are under way at once, however slow the machine is.
func startTogether(tb testing.TB, srv *fakeserver.Server, n int) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	go srv.Serve(&together{Listener: l, n: n})
	tb.Cleanup(srv.Close)
	return "http://" + l.Addr().String()
}

// A together accepts its first n connections before it returns the first. Only
// one goroutine may call Accept.
type together struct {
	net.Listener
	n       int
	waiting []net.Conn
}

func (t *together) Accept() (net.Conn, error) {
	for ; t.n > 0; t.n-- {
		c, err := t.Listener.Accept()
		if err != nil {
			return nil, err
		}
		t.waiting = append(t.waiting, c)
	}
	if len(t.waiting) == 0 {
		return t.Listener.Accept()
	}
	c := t.waiting[0]
	t.waiting = t.waiting[1:]
	return c, nil
}
