package load_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/load"
)

// A script writes the answer to one request, byte for byte, and reports
// whether the connection stays open.
type script func(c *net.TCPConn, r *http.Request) bool

// serve starts a server that does what the script says until the test ends,
// and returns its URL.
func serve(tb testing.TB, answer script) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var mu sync.Mutex
	var conns []net.Conn
	var handlers sync.WaitGroup
	handlers.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			handlers.Go(func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					for b := make([]byte, 512); err == nil; {
						_, err = r.Body.Read(b)
					}
					if !answer(c.(*net.TCPConn), r) {
						return
					}
				}
			})
		}
	})
	tb.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		handlers.Wait()
	})
	return "http://" + l.Addr().String()
}

const (
	streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=5, max=100\r\n\r\n"
	noLength   = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" // ends with the connection
	streamEnd  = "0\r\n\r\n"

	first  = `data: {"index":0,"content":"He","tokens":[1],"stop":false,"id_slot":2,"tokens_predicted":1,"tokens_evaluated":7}` + "\n\n"
	second = `data: {"index":0,"content":"llo","tokens":[2],"stop":false,"id_slot":2,"tokens_predicted":2,"tokens_evaluated":7}` + "\n\n"
	final  = `data: {"index":0,"content":"","tokens":[],"id_slot":2,"stop":true,"tokens_predicted":3,"tokens_evaluated":7,"generation_settings":{"seed":1},"prompt":"x","truncated":false,"stop_type":"limit","timings":{"cache_n":0,"prompt_n":7,"prompt_ms":14.5,"predicted_n":3,"predicted_ms":30}}` + "\n\n"
)

// chunk returns s as one chunk of a response.
func chunk(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }

// say is the script that writes s and then closes or keeps the connection.
func say(keep bool, s string) script {
	return func(c *net.TCPConn, _ *http.Request) bool {
		_, err := c.Write([]byte(s))
		return keep && err == nil
	}
}

// good answers as the real server does, to keep the connection open after it.
func good(keep bool) script {
	return say(keep, streamHead+chunk(first)+chunk(second)+chunk(final)+streamEnd)
}

// prompts returns n prompts of a few tokens each.
func prompts(n int) []load.Prompt {
	ps := make([]load.Prompt, n)
	for i := range ps {
		ps[i] = load.Prompt{ID: fmt.Sprintf("p%d", i), Text: strings.Repeat("word ", i%7) + fmt.Sprintf("number %d <&>", i)}
	}
	return ps
}

// run puts a load on a server and fails the test when that does not work.
func run(tb testing.TB, ps []load.Prompt, o load.Options) *load.Result {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	res, err := load.Run(ctx, ps, o)
	if err != nil {
		tb.Fatal(err)
	}
	return res
}
