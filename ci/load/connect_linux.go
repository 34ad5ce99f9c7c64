package load

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// connectHere connects to a server on this machine. The kernel has such a connection
// ready when the call returns, and who uses it at once can send at once: net.Dialer
// waits for the poller first, and of hundreds that connect together each would then
// send after all the others have connected, which would count as the server's time.
// from is the address to connect from; the zero one leaves it to the kernel.
func connectHere(ctx context.Context, to netip.AddrPort, from netip.Addr, deadline time.Time) (net.Conn, error) {
	family := unix.AF_INET
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	file := os.NewFile(uintptr(fd), "connection")
	defer file.Close()
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return nil, os.NewSyscallError("setsockopt", err)
	}
	if from.IsValid() { // the port is chosen with the connection, by both ends
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return nil, os.NewSyscallError("setsockopt", err)
		}
		if err := unix.Bind(fd, socketAddress(netip.AddrPortFrom(from, 0))); err != nil {
			return nil, os.NewSyscallError("bind", err)
		}
	}
	begun := unix.Connect(fd, socketAddress(to))
	if begun != nil && begun != unix.EINPROGRESS {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(to), Err: os.NewSyscallError("connect", begun)}
	}
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	if begun == nil {
		return conn, nil
	}
	if err := connected(ctx, conn.(*net.TCPConn), deadline); err != nil {
		conn.Close()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(to), Err: err}
	}
	return conn, nil
}

// connected waits until a connection that was begun is there.
func connected(ctx context.Context, conn *net.TCPConn, deadline time.Time) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	conn.SetWriteDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { conn.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		now := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		if n, err := unix.Poll(now, 0); n == 0 || err != nil {
			return false
		}
		code, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
		failed = os.NewSyscallError("connect", err)
		return true
	})
	return errors.Join(err, failed)
}

// mayOpen returns how many files this process may have open.
func mayOpen() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil || limit.Cur > 1<<30 {
		return 1 << 30
	}
	return int(limit.Cur)
}

func socketAddress(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is6() {
		return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
}
