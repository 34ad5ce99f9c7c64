package load

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// A target is the server that is loaded.
type target struct {
	base    *url.URL
	address string      // resolved once: a name server is not what is measured
	here    *here       // where that is this machine
	tls     *tls.Config // nil for http
}

func newTarget(text string, roots *x509.CertPool) (target, error) {
	base, err := url.Parse(text)
	if err != nil {
		return target{}, fmt.Errorf("load: address of the server: %w", err)
	}
	port := map[string]string{"http": "80", "https": "443"}[base.Scheme]
	if port == "" || base.Host == "" {
		return target{}, fmt.Errorf("load: address of the server %q: want http://HOST:PORT or https://HOST:PORT", base.Redacted())
	}
	addr, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(base.Hostname(), cmp.Or(base.Port(), port)))
	if err != nil {
		return target{}, fmt.Errorf("load: address of the server: %w", err)
	}
	t := target{base: base, address: addr.String()}
	if to := addr.AddrPort(); to.Addr().IsLoopback() {
		t.here = &here{to: netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), connect: connectHere}
	}
	if base.Scheme == "https" {
		t.tls = &tls.Config{ServerName: base.Hostname(), NextProtos: []string{"http/1.1"}, RootCAs: roots}
	}
	return t, nil
}

// dial opens a connection until deadline; a handshake is part of it.
func (t target) dial(ctx context.Context, deadline time.Time) (net.Conn, error) {
	connect := t.there
	if t.here != nil {
		connect = t.here.dial
	}
	conn, err := connect(ctx, deadline)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(deadline)
	if t.tls == nil {
		return conn, nil
	}
	secured := tls.Client(conn, t.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("no TLS with %s: %w", t.base.Host, err)
	}
	return secured, nil
}

func (t target) there(ctx context.Context, deadline time.Time) (net.Conn, error) {
	dialer := net.Dialer{Deadline: deadline}
	return dialer.DialContext(ctx, "tcp", t.address)
}

// Elsewhere is the place that a redirect names, in one bounded line: its host, where it
// names one, and its path. What else an address may hold is nobody's business.
func Elsewhere(location string) string {
	to, err := url.Parse(location)
	if err != nil {
		return "an address that is none"
	}
	return quote([]byte((&url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path}).String()))
}

// sameModel reports whether an answer may be of the model that was asked for. A name that
// goes on with a version is the same model: "m-2026-11-30" answers for "m".
func sameModel(asked, answered string) bool {
	return asked == "" || answered == "" || asked == answered || strings.HasPrefix(answered, asked+"-") || strings.HasPrefix(answered, asked+":")
}
