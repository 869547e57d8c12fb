//go:build unix && (!linux || race)

package roundtrip

import (
	"net"
	"syscall"
)

// socket is a connection as Go has it. The race detector learns what one side
// knows of the other from Go's own system calls alone.
type socket struct{ net.Conn }

func newSocket(conn net.Conn) net.Conn { return &socket{conn} }

// quiet reports whether nothing has come on an idle connection: neither its end
// nor anything else, which nobody has asked for.
func (s *socket) quiet() bool {
	conn, ok := s.Conn.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true
	})
	return err == nil && quiet
}
