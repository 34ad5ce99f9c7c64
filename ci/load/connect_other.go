//go:build !linux

package load

import (
	"context"
	"net"
	"net/netip"
	"time"
)

func connectHere(ctx context.Context, to netip.AddrPort, from netip.Addr, deadline time.Time) (net.Conn, error) {
	dialer := net.Dialer{Deadline: deadline}
	if from.IsValid() {
		dialer.LocalAddr = &net.TCPAddr{IP: from.AsSlice()}
	}
	return dialer.DialContext(ctx, "tcp", to.String())
}

// mayOpen is not known.
func mayOpen() int { return 1 << 30 }
