package attempt

import (
	"context"
	"slices"
	"sync"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// mediaInMemory bounds the bytes of the uploads that a process holds at once. The
// model's client needs about four times as much for a request with them, of the
// 256 MB that a process has by default.
const mediaInMemory = 2 * protocol.MaxMediaBytes

// media are the uploads of one call of the model. They have their memory to
// themselves, so that no user's images end the answers of others in the same
// process.
type media struct {
	*attempt
	filled [][]protocol.Block // with the bytes of uploads
	sent   func()             // gives the memory back, once
}

// withMedia returns in with the bytes of all uploads, as soon as there is memory
// for them. What it was given stays as it is. The model has read them all when it
// begins to answer: sent is for then, and lets go of them.
func (a *attempt) withMedia(ctx context.Context, in life.Input) (_ life.Input, sent func(), err error) {
	if in.UploadBytes == 0 {
		return in, func() {}, nil
	}
	bytes := min(in.UploadBytes, mediaInMemory)
	if a.media.Acquire(ctx, bytes) != nil {
		return in, nil, context.Cause(ctx)
	}
	m := media{attempt: a}
	m.sent = sync.OnceFunc(func() {
		m.drop()
		a.media.Release(bytes)
	})
	if in.Messages, err = m.messages(ctx, in.Messages); err != nil {
		m.sent()
		return in, nil, unreadable(ctx, err, protocol.CodeUploadNotFound)
	}
	return in, m.sent, nil
}

func (m *media) messages(ctx context.Context, messages []protocol.Message) ([]protocol.Message, error) {
	list := slices.Clone(messages)
	for i := range list {
		var err error
		if list[i].Blocks, err = m.blocks(ctx, list[i].Blocks); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (m *media) blocks(ctx context.Context, blocks []protocol.Block) ([]protocol.Block, error) {
	list := slices.Clone(blocks)
	m.filled = append(m.filled, list)
	for i, b := range list {
		var err error
		if list[i].Content, err = m.blocks(ctx, b.Content); err != nil {
			return nil, err
		}
		if b.UploadID == "" {
			continue
		}
		if list[i].Data, err = m.fetch(ctx, b.UploadID); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (m *media) fetch(ctx context.Context, uploadID string) ([]byte, error) {
	if m.Uploads == nil {
		return nil, life.ErrNotFound
	}
	return m.Uploads.Fetch(ctx, m.record.UserID, uploadID)
}

// drop lets go of the bytes, whoever still has the blocks.
func (m *media) drop() {
	for _, blocks := range m.filled {
		for i := range blocks {
			if blocks[i].UploadID != "" {
				blocks[i].Data = nil
			}
		}
	}
}
