// Package life is the domain: the life of a request from admission to
// settlement, as rules on plain values. It knows no AWS service.
package life

import (
	"errors"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// Periods of a lease. Sources and reasons are in docs/life.md.
const (
	Skew                = 5 * time.Second
	DefaultLease        = 30 * time.Second
	AttemptCap          = 4
	ConnectionTTL       = 7_500 * time.Second
	GoneGrace           = 35 * time.Second
	MetaRetentionInDays = 45
)

// Errors that an adapter returns and the domain acts on.
var (
	ErrNotFound = errors.New("no such request")
	ErrFenced   = errors.New("the attempt no longer owns the request")
	// ErrUnavailable is an outcome that is not known; the same call is safe to
	// repeat.
	ErrUnavailable = errors.New("outcome unknown")
)

// Key addresses a request record.
type Key struct{ UserID, RequestID string }

// Record is the meta item of a request.
type Record struct {
	Key
	Period       string // 2026-11, in the configured time zone, at admission
	Estimate     int64  // tokens reserved at admission
	BodyHash     string // hex SHA-256 of the raw body
	Model        ModelParameters
	Status       protocol.Status
	Attempt      int
	AttemptCap   int
	Owner        string // nonce of the attempt that produced the text
	LeaseUntil   time.Time
	Cancel       bool
	Kept         bool
	FirstClaimAt time.Time // zero: never claimed
	ResendAt     time.Time
	EndSeq       int
	StopReason   string
	Usage        *protocol.TokenUsage
	ErrorCode    protocol.Code
	CreatedAt    time.Time
	UpdatedAt    time.Time
	ExpiresAt    time.Time
}

// ModelParameters are what the model is called with, fixed at admission.
type ModelParameters struct {
	ModelID     string
	MaxTokens   int
	Temperature *float64
	TopP        *float64
}

// Input is what the model is asked, stored as an item of its own.
type Input struct {
	Messages      []protocol.Message `json:"messages"`
	System        []string           `json:"system,omitempty"` // operator's block, then the client's
	StopSequences []string           `json:"stopSequences,omitempty"`
}

// Attempt is the fence of every write of an attempt.
type Attempt struct {
	Key
	Number int
	Owner  string
}

// End is how a request ends.
type End struct {
	Status     protocol.Status
	EndSeq     int
	StopReason string
	Usage      *protocol.TokenUsage
	ErrorCode  protocol.Code
}

// Chunk is a run of consecutive delta frames in the log of an attempt.
type Chunk struct {
	FirstSeq     int   // seq of the first delta
	Lengths      []int // bytes of each delta's text
	Text         string
	OutputTokens int64 // estimate as of the last frame
}

// Connection is one live socket of a user.
type Connection struct {
	UserID       string
	ConnectionID string
	ConnectedAt  time.Time
	TokenExpires time.Time
	ExpiresAt    time.Time
}

// Now is the clock. Tests replace it.
type Now func() time.Time
