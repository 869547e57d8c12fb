package rawheader

import (
	"bytes"
	"net/textproto"
	"strconv"
	"strings"
)

// maxLine bounds what is kept of one line. Longer header blocks than 1 MB are
// refused by net/http itself.
const maxLine = 1 << 20

// maxWaiting bounds the requests that a client may pipeline before the server
// has taken the first; beyond it recording stops.
const maxWaiting = 64

type state int

const (
	requestLine state = iota
	headerLine
	body      // skip more bytes
	chunkSize // line with the size of the next chunk
	chunkData // skip more bytes, then CRLF
	chunkEnd  // the CRLF after a chunk
	trailerLine
	stopped // not HTTP/1 any more
)

// scanner follows the requests on a connection and keeps their header lines.
// It only has to understand what net/http accepts: where they differ, Handler
// notices and the canonical names are used.
type scanner struct {
	state   state
	line    []byte // the unfinished line
	more    int64  // bytes to skip in body and chunkData
	length  int64  // of the request being read
	chunked bool
	fields  []Field
	waiting [][]Field
}

// take removes the oldest complete request.
func (s *scanner) take() []Field {
	if len(s.waiting) == 0 {
		return nil
	}
	fields := s.waiting[0]
	s.waiting = s.waiting[1:]
	return fields
}

// scan follows the next bytes of the connection.
func (s *scanner) scan(p []byte) {
	for len(p) > 0 && s.state != stopped {
		if s.state == body || s.state == chunkData {
			p = s.skip(p)
			continue
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			s.keep(p)
			return
		}
		s.keep(p[:end])
		p = p[end+1:]
		line := strings.TrimSuffix(string(s.line), "\r")
		s.line = s.line[:0]
		if s.state != stopped {
			s.endLine(line)
		}
	}
}

func (s *scanner) keep(p []byte) {
	if len(s.line)+len(p) > maxLine {
		s.stop()
		return
	}
	s.line = append(s.line, p...)
	if s.state == requestLine && len(s.line) > 0 && (s.line[0] < '\n' || s.line[0] > '~') {
		s.stop() // a WebSocket frame, after the handshake
	}
}

func (s *scanner) stop() {
	s.state, s.line, s.fields = stopped, nil, nil
}

func (s *scanner) skip(p []byte) []byte {
	n := min(s.more, int64(len(p)))
	s.more -= n
	if s.more == 0 {
		if s.state == body {
			s.state = requestLine
		} else {
			s.state = chunkEnd
		}
	}
	return p[n:]
}

func (s *scanner) endLine(line string) {
	switch s.state {
	case requestLine:
		s.endRequestLine(line)
	case headerLine:
		s.endHeaderLine(line)
	case chunkSize:
		s.endChunkSize(line)
	case chunkEnd:
		s.state = chunkSize
	case trailerLine:
		if line == "" {
			s.state = requestLine
		}
	}
}

func (s *scanner) endRequestLine(line string) {
	if line == "" {
		return // a stray blank line before a request is legal
	}
	if !strings.Contains(line, " HTTP/1.") {
		s.stop()
		return
	}
	s.state, s.length, s.chunked, s.fields = headerLine, 0, false, nil
}

func (s *scanner) endHeaderLine(line string) {
	if line == "" {
		s.endHeaders()
		return
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		s.stop()
		return
	}
	value = textproto.TrimString(value)
	s.fields = append(s.fields, Field{Name: name, Value: value})
	switch strings.ToLower(name) {
	case "content-length":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 0 {
			s.stop()
			return
		}
		s.length = n
	case "transfer-encoding":
		s.chunked = strings.EqualFold(value, "chunked")
	}
}

func (s *scanner) endHeaders() {
	if len(s.waiting) >= maxWaiting {
		s.stop()
		return
	}
	s.waiting = append(s.waiting, s.fields)
	s.fields = nil
	switch {
	case s.chunked:
		s.state = chunkSize
	case s.length > 0:
		s.state, s.more = body, s.length
	default:
		s.state = requestLine
	}
}

func (s *scanner) endChunkSize(line string) {
	size, _, _ := strings.Cut(line, ";")
	n, err := strconv.ParseInt(textproto.TrimString(size), 16, 64)
	switch {
	case err != nil || n < 0:
		s.stop()
	case n == 0:
		s.state = trailerLine
	default:
		s.state, s.more = chunkData, n
	}
}
