package life

import (
	"context"
	"time"
)

// Store is what the life of a request needs of its records, whoever acts.
type Store interface {
	// Record reads a request consistently; ErrNotFound if there is none.
	Record(ctx context.Context, key Key) (Record, error)
	// Chunks reads the log of an attempt from the chunk that holds afterSeq+1
	// up to the first gap.
	Chunks(ctx context.Context, requestID, owner string, afterSeq int) ([]Chunk, error)
	// Settle moves the request's reservation to what it is charged. It reports
	// whether this call did so; a second settlement does nothing.
	Settle(ctx context.Context, record Record) (bool, error)
	// EndUnowned ends a request that no attempt holds. The error is nil if the
	// returned record is terminal, by this call or before, and ErrLive if an
	// attempt runs.
	EndUnowned(ctx context.Context, key Key, end End, now time.Time) (Record, error)
	// RequestCancel raises the cancel flag of a streaming request and returns
	// the request as it then stands.
	RequestCancel(ctx context.Context, key Key, now time.Time) (Record, error)
	// MarkResend reserves the right to send the message again; false if it is
	// not due or the request has ended.
	MarkResend(ctx context.Context, key Key, now, next time.Time) (bool, error)
}

// Queue sends the claim check of a request to the processor.
type Queue interface {
	Send(ctx context.Context, key Key) error
}

// Poster sends a frame to every live socket of a user. Sockets that are gone or
// slow are its business, not its caller's.
type Poster interface {
	Post(ctx context.Context, userID string, frame []byte) error
}

// Meter counts what happens to requests.
type Meter interface {
	Settled(record Record, settlement Settlement)
	SettleFailed(record Record, err error)
	Resent(record Record)
}
