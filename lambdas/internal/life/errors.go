package life

import (
	"errors"
	"fmt"

	"github.com/streaming-service/streaming-service/protocol"
)

// Errors that an adapter returns and the domain acts on.
var (
	// ErrNotFound says that the user has no such request.
	ErrNotFound = errors.New("no such request")
	// ErrFenced says that the attempt no longer owns its request.
	ErrFenced = errors.New("the attempt no longer owns the request")
	// ErrLive says that the attempt of another owner may still be running.
	ErrLive = errors.New("an attempt is running")
	// ErrUnavailable is an outcome that is not known; the same call is safe to
	// repeat.
	ErrUnavailable = errors.New("outcome unknown")
)

// Reason says why a claim was refused.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	ReasonTerminal  Reason = "terminal"  // ended: settle, post the end again, acknowledge
	ReasonLive      Reason = "live"      // another attempt runs: hand the message back
	ReasonCancelled Reason = "cancelled" // cancelled between attempts: end it
	ReasonCap       Reason = "cap"       // attempts used up: end it
	ReasonExpired   Reason = "expired"   // older than it may become: end it
)

// ClaimRefused is the error of a refused claim; Record is the request as the
// refusal saw it.
type ClaimRefused struct {
	Record Record
	Reason Reason
}

func (e *ClaimRefused) Error() string {
	return fmt.Sprintf("claim of request %s refused: %s", e.Record.RequestID, e.Reason)
}

// Existing is the error of an admission that met a record under its id.
type Existing struct {
	Record Record
	// Unsent says that this very admission wrote the record and lost the answer:
	// nobody else has sent its message.
	Unsent bool
}

func (e *Existing) Error() string { return "request " + e.Record.RequestID + " exists" }

// Refusal is the error of an admission that a limit refused.
type Refusal struct {
	Code       protocol.Code
	RetryAfter int64  // seconds, at least 1; 0: none is promised
	Quota      string // requests, tokens or budget, with CodeQuotaExceeded
	Limit      int64  // of requests, tokens or nano-dollars, whichever is Quota
	Used       int64  // of requests, tokens or nano-dollars, whichever is Quota
}

func (e *Refusal) Error() string { return "admission refused: " + string(e.Code) }

// WhyRefused names what refused claim on record. A refusal that nothing in the
// record explains any more, as at the very millisecond of a lease's end, is
// worth another try.
func WhyRefused(record Record, claim Claim) Reason {
	switch {
	case record.Status.Terminal():
		return ReasonTerminal
	case record.Live(claim.Now):
		return ReasonLive
	case record.Cancel:
		return ReasonCancelled
	case record.UsedUp():
		return ReasonCap
	case claim.MaxAge > 0 && record.CreatedAt.Before(claim.Now.Add(-claim.MaxAge)):
		return ReasonExpired
	default:
		return ReasonLive
	}
}
