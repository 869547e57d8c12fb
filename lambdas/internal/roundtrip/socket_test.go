package roundtrip_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/roundtrip"
)

// pair returns a socket and the other end of its connection.
func pair(t *testing.T) (socket, other *net.TCPConn) {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialed, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = dialed.Close()
		_ = accepted.Close()
	})
	return dialed.(*net.TCPConn), accepted.(*net.TCPConn)
}

// A socket does what the connection that it stands for does.
func TestSocketIsTheConnection(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(net.Conn) net.Conn{
		"socket": roundtrip.NewSocket, "connection": func(conn net.Conn) net.Conn { return conn },
	} {
		t.Run(name+" writes more than fits", func(t *testing.T) {
			t.Parallel()
			dialed, other := pair(t)
			sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
			written := make(chan error, 1)
			go func() {
				n, err := of(dialed).Write(sent)
				if err == nil && n != len(sent) {
					err = io.ErrShortWrite
				}
				written <- errors.Join(err, dialed.Close())
			}()
			time.Sleep(50 * time.Millisecond) // the buffers are full
			got, err := io.ReadAll(other)
			if err := errors.Join(err, <-written); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d of %d bytes came, %v", len(got), len(sent), err)
			}
		})
		t.Run(name+" reads what comes, and the end", func(t *testing.T) {
			t.Parallel()
			dialed, other := pair(t)
			go func() {
				for _, text := range []string{"one", "two"} {
					time.Sleep(10 * time.Millisecond)
					_, _ = other.Write([]byte(text))
				}
				_ = other.Close()
			}()
			socket, all := of(dialed), ""
			for buffer := make([]byte, 100); ; {
				n, err := socket.Read(buffer)
				all += string(buffer[:n])
				if errors.Is(err, io.EOF) && n == 0 {
					break
				}
				if err != nil || n == 0 {
					t.Fatalf("read %d bytes, %v", n, err)
				}
			}
			if all != "onetwo" {
				t.Errorf("read %q", all)
			}
		})
		t.Run(name+" fails when the other end has broken off", func(t *testing.T) {
			t.Parallel()
			dialed, other := pair(t)
			_ = other.SetLinger(0) // a reset
			_ = other.Close()
			time.Sleep(20 * time.Millisecond)
			socket := of(dialed)
			if n, err := socket.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
				t.Errorf("read %d bytes, %v", n, err)
			}
			if n, err := socket.Write([]byte("text")); err == nil {
				t.Errorf("wrote %d bytes", n)
			}
		})
		t.Run(name+" has deadlines and can be closed", func(t *testing.T) {
			t.Parallel()
			dialed, _ := pair(t)
			socket := of(dialed)
			_ = socket.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			if _, err := socket.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("after the deadline: %v", err)
			}
			_ = socket.SetReadDeadline(time.Time{})
			time.AfterFunc(10*time.Millisecond, func() { _ = socket.Close() })
			if _, err := socket.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("closed meanwhile: %v", err)
			}
		})
	}
}
