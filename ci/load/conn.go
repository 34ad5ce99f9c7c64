package load

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

const (
	maxHead     = 64 << 10 // bytes of a response's head
	unlimited   = int64(1) << 62
	maxInformal = 5 // responses 1xx before the real one
)

var errLongHead = errors.New("the head of the response is longer than 64 KiB")

// A conn is a connection that remembers what its reads came to.
type conn struct {
	net.Conn
	opened, left time.Time // left: when its previous response ended
	reused       bool

	lastRead time.Time // when the last read returned
	readErr  error     // that the network reported
	answered bool      // something was read since the request was begun
	budget   int64     // bytes that may still be read
}

func (c *conn) Read(p []byte) (int, error) {
	if c.budget <= 0 {
		return 0, errLongHead
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.budget)])
	c.lastRead = time.Now()
	c.readErr = err
	c.budget -= int64(n)
	c.answered = c.answered || n > 0
	return n, err
}

// A pool connects to one server and keeps idle connections, the last one
// used on top.
type pool struct {
	to   target
	mu   sync.Mutex
	idle []*conn
}

// get returns an idle connection, or a fresh one, to be used until deadline.
//
// A client that goes straight on from one response to the next request takes
// the connection as it is: the server's closing of it is noticed only when it
// is read from, which event loops do later. In a pause they would have noticed;
// so after one, what is idle is looked at.
func (p *pool) get(ctx context.Context, deadline time.Time, paused bool) (*conn, error) {
	for c := p.pop(); c != nil; c = p.pop() {
		if paused && c.closed() {
			c.Close()
			continue
		}
		c.reused, c.answered, c.readErr, c.budget = true, false, nil, maxHead
		c.SetDeadline(deadline)
		return c, nil
	}
	nc, err := p.to.dial(ctx, deadline)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: nc, opened: time.Now(), budget: maxHead}, nil
}

func (p *pool) pop() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	c := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return c
}

func (p *pool) put(c *conn) {
	c.left = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
}

func (p *pool) close() {
	for c := p.pop(); c != nil; c = p.pop() {
		c.Close()
	}
}

// closed reports whether an idle connection has ended, or holds what nobody
// asked for. It looks without waiting.
func (c *conn) closed() bool {
	inner := c.Conn
	if secured, ok := inner.(*tls.Conn); ok {
		inner = secured.NetConn()
	}
	s, ok := inner.(syscall.Conn)
	if !ok || c.SetReadDeadline(time.Time{}) != nil {
		return true
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return true
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		err := syscall.EINTR
		for err == syscall.EINTR {
			_, _, e := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			err, _ = e.(syscall.Errno)
		}
		quiet = err == syscall.EAGAIN
		return true
	})
	return err != nil || !quiet
}

// about returns what is recorded of a connection at the moment it is used.
func (c *conn) about(now time.Time) record.Connection {
	if !c.reused {
		return record.Connection{}
	}
	return record.Connection{Reused: true, Age: now.Sub(c.opened).Seconds(), Idle: now.Sub(c.left).Seconds()}
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

func isReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }

// isOurs reports whether a connection could not be made for want of something
// on this side, so that a failure would be counted against the wrong party.
func isOurs(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
