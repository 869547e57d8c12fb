package responsestreaming

import (
	"context"
	"net"
	"net/http"
)

// forwarderAddress stands for the forwarder. It is no address of any network.
const forwarderAddress = "forwarder.invalid:80"

// pipeListener is a listener to which only this process connects.
type pipeListener struct{ accepted chan net.Conn }

var _ net.Listener = (*pipeListener)(nil)

func newPipeListener() *pipeListener { return &pipeListener{make(chan net.Conn)} }

// dialPipes lets aws-lambda-go reach the forwarder: its transport is a clone of
// net/http's default one.
func dialPipes(pipes *pipeListener) {
	transport := http.DefaultTransport.(*http.Transport) //nolint:errcheck // as net/http declares it
	network := transport.DialContext
	transport.DialContext = func(ctx context.Context, kind, address string) (net.Conn, error) {
		if address == forwarderAddress {
			return pipes.dial(ctx)
		}
		return network(ctx, kind, address)
	}
}

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.accepted <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *pipeListener) Accept() (net.Conn, error) { return <-l.accepted, nil }

// Close implements net.Listener. The listener lives as long as the process.
func (l *pipeListener) Close() error { return nil }

// Addr implements net.Listener.
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: forwarderAddress, Net: "pipe"} }
