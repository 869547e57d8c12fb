//go:build !race

package roundtrip

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// socket is a TCP connection whose reads and writes, one of each at a time, are
// system calls that Go's runtime is not told of. It is to be told of calls that
// may block, which those of a socket never do: it then wakes its monitor (sysmon in
// runtime/proc.go), which looks every 20 µs whether the call has come back, and
// sleeps again when nothing runs. With many small calls this took a quarter of a
// process's time.
type socket struct {
	net.Conn
	raw syscall.RawConn

	in, out  transfer
	readNow  func(fd uintptr) bool // kept, so that none is made for each read
	writeNow func(fd uintptr) bool
}

// transfer is a read or a write that is under way.
type transfer struct {
	data   []byte // what is left to be written, or may be read
	n      int
	failed syscall.Errno // 0: it has not
}

// newSocket returns conn as it is if it is not TCP.
func newSocket(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}
	s := &socket{Conn: tcp, raw: raw}
	s.readNow, s.writeNow = s.in.read, s.out.write
	return s
}

// Read implements net.Conn.
func (s *socket) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.in = transfer{data: p}
	if err := s.raw.Read(s.readNow); err != nil {
		return 0, err
	}
	n, failed := s.in.n, s.in.failed
	s.in.data = nil
	switch {
	case failed != 0:
		return 0, os.NewSyscallError("read", failed)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write implements net.Conn.
func (s *socket) Write(p []byte) (int, error) {
	s.out = transfer{data: p}
	err := s.raw.Write(s.writeNow)
	if err == nil && s.out.failed != 0 {
		err = os.NewSyscallError("write", s.out.failed)
	}
	s.out.data = nil
	return s.out.n, err
}

// read reports whether there was something to read, if only a failure.
func (t *transfer) read(fd uintptr) bool {
	t.n, t.failed = call(syscall.SYS_READ, fd, t.data, 0)
	return t.failed != syscall.EAGAIN
}

// write reports whether all is written, or nothing more can be.
func (t *transfer) write(fd uintptr) bool {
	for len(t.data) > 0 {
		var n int
		if n, t.failed = call(syscall.SYS_WRITE, fd, t.data, 0); t.failed != 0 {
			return t.failed != syscall.EAGAIN
		}
		t.n += n
		t.data = t.data[n:]
	}
	return true
}

// quiet reports whether nothing has come on an idle connection: neither its end
// nor anything else, which nobody has asked for.
func (s *socket) quiet() bool {
	quiet := false
	err := s.raw.Read(func(fd uintptr) bool {
		_, failed := call(syscall.SYS_RECVFROM, fd, make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = failed == syscall.EAGAIN
		return true
	})
	return err == nil && quiet
}

// call makes a system call that transfers bytes and does not block.
func call(trap, fd uintptr, p []byte, flags uintptr) (int, syscall.Errno) {
	for {
		data := unsafe.Pointer(unsafe.SliceData(p)) //nolint:gosec // as the system wants it
		n, _, failed := syscall.RawSyscall6(trap, fd, uintptr(data), uintptr(len(p)), flags, 0, 0)
		switch failed {
		case 0:
			return int(n), 0
		case syscall.EINTR:
		default:
			return 0, failed
		}
	}
}
