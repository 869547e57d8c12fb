package websocket

import (
	"encoding/binary"
	"sync/atomic"
)

// frameScanner follows the frames that a client sends (RFC 6455 section 5.2)
// and notices a data frame larger than API Gateway takes: the WebSocket library
// only knows messages.
type frameScanner struct {
	header    [14]byte // 2 bytes, up to 8 of length, 4 of mask
	have      int
	payload   uint64 // bytes of the current frame still to come
	oversized atomic.Bool
}

// scan follows the next bytes of the connection.
func (f *frameScanner) scan(p []byte) {
	for len(p) > 0 {
		if f.payload > 0 {
			n := min(f.payload, uint64(len(p)))
			f.payload -= n
			p = p[n:]
			continue
		}
		f.header[f.have] = p[0]
		f.have++
		p = p[1:]
		if f.have >= 2 && f.have == f.headerLength() {
			f.begin()
		}
	}
}

func (f *frameScanner) headerLength() int {
	length := 2
	switch f.header[1] & 0x7f {
	case 126:
		length += 2
	case 127:
		length += 8
	}
	if f.header[1]&0x80 != 0 {
		length += 4
	}
	return length
}

// begin takes note of a complete frame header.
func (f *frameScanner) begin() {
	f.have = 0
	switch n := f.header[1] & 0x7f; n {
	case 126:
		f.payload = uint64(binary.BigEndian.Uint16(f.header[2:]))
	case 127:
		f.payload = binary.BigEndian.Uint64(f.header[2:])
	default:
		f.payload = uint64(n)
	}
	if f.payload > MaxFrameBytes {
		f.oversized.Store(true)
	}
}
