package attempt

import (
	"context"

	"github.com/streaming-service/streaming-service/protocol"
)

// mediaInMemory bounds the bytes of the uploads that a process holds at once. The
// model's client needs about four times as much for a request with them, of the
// 256 MB that a process has by default.
const mediaInMemory = 2 * protocol.MaxMediaBytes

// reserve waits until there is memory for the uploads that messages refer to, so
// that no user's images end the answers of others in the same process. What it
// returns gives the memory back.
func (r *Runner) reserve(ctx context.Context, messages []protocol.Message) (release func(), err error) {
	bytes := int64(0)
	for _, m := range messages {
		bytes += uploadedBytes(m.Blocks)
	}
	if bytes == 0 {
		return func() {}, nil
	}
	bytes = min(bytes, protocol.MaxMediaBytes)
	if r.media.Acquire(ctx, bytes) != nil {
		return nil, context.Cause(ctx)
	}
	return func() { r.media.Release(bytes) }, nil
}

// uploadedBytes are the most that the uploads of blocks can have.
func uploadedBytes(blocks []protocol.Block) int64 {
	bytes := int64(0)
	for _, b := range blocks {
		bytes += uploadedBytes(b.Content)
		switch {
		case b.UploadID == "":
		case b.Type == protocol.BlockImage:
			bytes += protocol.MaxImageBytes
		default:
			bytes += protocol.MaxDocumentBytes
		}
	}
	return bytes
}
