package roundtrip

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// errStale is the failure of a connection that has been used before and that the
// other side closed without a word of an answer.
var errStale = errors.New("the connection was closed meanwhile")

// lastWords is how long an answer may take whose request could not be sent whole:
// that one is refused, as a rule, and the answer is on its way.
const lastWords = time.Second

// connection is one connection, with one call at a time.
type connection struct {
	net.Conn
	origin string
	socket net.Conn // below TLS
	reader *bufio.Reader
	used   time.Time // end of its last call; zero: there was none
}

func newConnection(origin string, socket, conn net.Conn) *connection {
	return &connection{Conn: conn, origin: origin, socket: socket, reader: bufio.NewReader(conn)}
}

// quiet reports whether nothing has come on an idle connection, as far as this
// system can tell.
func (n *connection) quiet() bool {
	socket, known := n.socket.(*socket)
	return !known || socket.quiet()
}

// abort closes the connection at once, without a farewell over TLS.
func (n *connection) abort() { _ = n.socket.Close() } // nothing is left to be sent

var writers = sync.Pool{New: func() any { return bufio.NewWriter(nil) }}

// exchange sends a request and reads the header of the answer.
func (n *connection) exchange(r *http.Request) (*http.Response, error) {
	sent := n.send(r)
	if sent != nil {
		_ = n.SetReadDeadline(time.Now().Add(lastWords)) // else the read fails, too
	}
	if _, err := n.reader.Peek(1); err != nil {
		err = errors.Join(sent, err)
		if !n.used.IsZero() {
			err = fmt.Errorf("%w: %w", errStale, err)
		}
		return nil, err
	}
	response, err := n.answer(r)
	if sent != nil && err == nil {
		response.Close = true
	}
	return response, err
}

func (n *connection) send(r *http.Request) error {
	w := writers.Get().(*bufio.Writer)
	w.Reset(n.Conn)
	defer func() {
		w.Reset(nil)
		writers.Put(w)
	}()
	// A *bufio.Writer would be flushed between header and body.
	if err := r.Write(struct{ *bufio.Writer }{w}); err != nil {
		return err
	}
	return w.Flush()
}

// answer reads the header of the answer, behind those that only announce it.
func (n *connection) answer(r *http.Request) (*http.Response, error) {
	for {
		response, err := http.ReadResponse(n.reader, r)
		if err != nil || response.StatusCode >= http.StatusOK || response.StatusCode == http.StatusSwitchingProtocols {
			return response, err
		}
	}
}

// body is that of an answer. Its end is the end of the call.
type body struct {
	io.ReadCloser
	ctx  context.Context
	stop func() bool // of what ends the call with ctx
	end  func(whole bool)
	once sync.Once
}

func (b *body) Read(p []byte) (int, error) {
	read, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
		return read, nil
	case b.ctx.Err() != nil && !errors.Is(err, io.EOF):
		err = context.Cause(b.ctx)
	}
	b.finish(errors.Is(err, io.EOF))
	return read, err
}

// Close ends the call, even if something is left to be read.
func (b *body) Close() error {
	b.finish(false)
	return nil
}

func (b *body) finish(whole bool) {
	b.once.Do(func() { b.end(b.stop() && whole) })
}
