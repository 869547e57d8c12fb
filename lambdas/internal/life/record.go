// Package life is the domain: the life of a request from admission to
// settlement, as rules on plain values. It knows no AWS service; the store, the
// queue and the sockets are interfaces here and adapters elsewhere.
package life

import (
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// Periods and bounds of a request's life. Sources and reasons are in
// docs/life.md.
const (
	// Skew is how far two clocks of the service may differ.
	Skew = 5 * time.Second
	// DefaultLease is how long a claim holds without renewal.
	DefaultLease = 30 * time.Second
	// AttemptCap bounds the attempts of one request, and the calls of its model
	// in all of them together.
	AttemptCap = 4
	// UnansweredRefunds is how many requests of a user and month are refunded that
	// the model ended by itself without an answer: a prompt can bring that about.
	UnansweredRefunds = 20
	// ConnectionTTL outlives the two hours that API Gateway grants a socket.
	ConnectionTTL = 7_500 * time.Second
	// GoneGrace is how old a connection must be before a 410 removes it: the
	// row is written before the socket exists, while $connect still runs.
	GoneGrace = 35 * time.Second
	// MetaRetention is how long a record outlives its end: up to 31 days of the
	// rest of its period, and 45 days for the audit and for idempotency keys.
	MetaRetention = (31 + 45) * 24 * time.Hour
)

// Key addresses a request record. It is always built from the caller's own user
// id, so that the records of others are absent by construction.
type Key struct{ UserID, RequestID string }

// Record is the meta item of a request. Times are kept to the millisecond.
type Record struct {
	Key
	Period       string       // such as 2026-11: month of admission in the configured time zone
	Estimate     int64        // tokens reserved at admission
	Price        *Price       // of its tokens, as of admission; nil: its model had none
	CostEstimate protocol.USD // reserved at admission
	ForService   bool         // its cost counts against the budget of the whole service
	BodyHash     string       // hex SHA-256 of the raw body; names the input item
	Nonce        string       // random, of the admission that wrote the record
	Model        ModelParameters
	Status       protocol.Status
	Attempt      int
	AttemptCap   int
	Calls        int       // of the model, announced; each attempt announces one as it begins
	Owner        string    // nonce of the attempt that produced the text
	LeaseUntil   time.Time // zero: no lease
	Cancel       bool      // the user asked for the end of a streaming attempt
	Kept         bool      // a replay answered 202: not to be taken back
	FirstClaimAt time.Time // zero: never claimed
	ResendAt     time.Time // zero: never sent again; else not before
	EndSeq       int       // seq of the end frame; 0: ended by somebody else than the attempt's owner
	StopReason   string
	Usage        *protocol.TokenUsage // nil: unknown
	ErrorCode    protocol.Code
	Final        bool // it failed for what it asks: no other try can succeed
	RefundsSpent bool // its user had no refund of unanswered requests left at admission
	CreatedAt    time.Time
	UpdatedAt    time.Time
	ExpiresAt    time.Time // zero until the request has ended
}

// ModelParameters are what the model is called with, fixed at admission.
type ModelParameters struct {
	ModelID     string
	MaxTokens   int
	Temperature *float64 // nil: the model's own
	TopP        *float64 // nil: the model's own
}

// Input is what the model is asked, stored as an item of its own.
type Input struct {
	Messages      []protocol.Message   `json:"messages"`
	System        []string             `json:"system,omitempty"` // operator's block, then the client's
	StopSequences []string             `json:"stopSequences,omitempty"`
	Tools         []protocol.Tool      `json:"tools,omitempty"`
	ToolChoice    *protocol.ToolChoice `json:"toolChoice,omitempty"`
	Effort        string               `json:"effort,omitempty"` // of reasoning; "": none is asked for
	Cache         bool                 `json:"cache,omitempty"`
	UploadBytes   int64                `json:"uploadBytes,omitempty"` // of all uploads that the messages refer to, as of admission
}

// Live reports whether an attempt may still be running at now: its lease has
// not run out for every clock of the service.
func (r Record) Live(now time.Time) bool {
	return r.Status == protocol.StatusStreaming && !r.LeaseUntil.Before(now.Add(-Skew))
}

// UsedUp reports whether the request may neither be attempted nor may its model
// be called again.
func (r Record) UsedUp() bool { return max(r.Attempt, r.Calls) >= r.AttemptCap }

// Claimed reports whether any attempt was ever made.
func (r Record) Claimed() bool { return !r.FirstClaimAt.IsZero() }

// EndedByOther reports whether somebody else than the owner of an attempt ended
// the request: the end frame then carries an attempt of its own, and the text
// belongs to the attempt before.
func (r Record) EndedByOther() bool { return r.Status.Terminal() && r.EndSeq == 0 }

// Fence returns the attempt that r was claimed as.
func (r Record) Fence() Attempt { return Attempt{Key: r.Key, Number: r.Attempt, Owner: r.Owner} }

// Attempt is the fence of every write of an attempt.
type Attempt struct {
	Key
	Number int
	Owner  string
}

// Claim is how an attempt claims its request.
type Claim struct {
	Owner  string // random, private to the attempt
	Now    time.Time
	Lease  time.Duration
	MaxAge time.Duration // older requests are refused; 0: none is too old
}

// ClaimedBy returns a new request as its first attempt holds it.
func (r Record) ClaimedBy(claim Claim) Record {
	r.Status, r.Attempt, r.Calls = protocol.StatusStreaming, 1, 1
	r.Owner, r.LeaseUntil, r.FirstClaimAt = claim.Owner, claim.Now.Add(claim.Lease), claim.Now
	return r
}

// End is how a request ends.
type End struct {
	Status     protocol.Status
	EndSeq     int // ignored when the request is ended by somebody else than its owner
	StopReason string
	Usage      *protocol.TokenUsage
	ErrorCode  protocol.Code
	Final      bool // no other try can succeed, under whatever key
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
