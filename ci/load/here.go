package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// maxSources bounds the addresses that this machine connects to itself from. Each has
// some 28 000 ports.
const maxSources = 64

// here is the way to a server on this machine.
type here struct {
	to      netip.AddrPort
	source  atomic.Int32 // of the address that is connected from; 0 leaves it to the kernel
	connect func(ctx context.Context, to netip.AddrPort, from netip.Addr, deadline time.Time) (net.Conn, error)
}

// dial connects. Where an address has no port left, the next one of 127.0.0.0/8 is
// taken from then on.
func (h *here) dial(ctx context.Context, deadline time.Time) (net.Conn, error) {
	for {
		n := h.source.Load()
		conn, err := h.connect(ctx, h.to, sourceAddress(n), deadline)
		if !errors.Is(err, syscall.EADDRNOTAVAIL) || !h.to.Addr().Is4() || n+1 >= maxSources {
			return conn, err
		}
		h.source.CompareAndSwap(n, n+1)
	}
}

// sourceAddress is 127.0.0.2 for 1 and so on, none for 0.
func sourceAddress(n int32) netip.Addr {
	if n == 0 {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + n)})
}

// otherFiles are those that this process has open beside its connections: logs,
// records, pipes of the server, sensors.
const otherFiles = 64

// roomFor says how a load of so many connections at once is too much for a process
// that may open so many files, before it begins.
func roomFor(connections, files int) error {
	if connections+otherFiles <= files {
		return nil
	}
	return fmt.Errorf("load: %d connections at once need %d open files, and this process may have %d; raise the limit ('ulimit -n %d') or lower the concurrency",
		connections, connections+otherFiles, files, connections+otherFiles)
}
