// Package protocol holds the wire types of the service: what clients send to
// the REST API, what they receive over the WebSocket API, and the limits of
// both. It imports nothing but the standard library, so that clients in other
// programs can use it without pulling in the service.
package protocol

// Version is the version of the wire protocol, carried by queue messages and
// stored items as "v" and by the WebSocket subprotocol as its suffix.
const Version = 1

// Subprotocol is the WebSocket subprotocol that every client offers and the
// server selects.
const Subprotocol = "streaming.v1"

// Limits of the wire, in bytes unless the name says otherwise.
const (
	// MaxBodyBytes is the largest body of POST /requests.
	MaxBodyBytes = 262_144
	// MaxFrameBytes is the largest WebSocket frame in either direction, as
	// API Gateway enforces it.
	MaxFrameBytes = 32_768
	// MaxIdempotencyKeyLength is the longest Idempotency-Key, in visible
	// ASCII characters.
	MaxIdempotencyKeyLength = 128
	// MaxBlocks is the largest number of blocks of a message, and of a tool's
	// result.
	MaxBlocks = 20
	// MaxImages and MaxImageBytes bound the images of a request, as Converse does.
	MaxImages     = 20
	MaxImageBytes = 3_932_160 // 3.75 MB
	// MaxDocuments and MaxDocumentBytes bound the documents of a request, as
	// Converse does.
	MaxDocuments     = 5
	MaxDocumentBytes = 4_718_592 // 4.5 MB
	// MaxMediaBytes bounds the images and documents of a request together: in
	// base64 they fit into the 25 MB that Bedrock takes of a request.
	MaxMediaBytes = 18_000_000
	// MaxReplayFrames is the largest number of frames one resume replays.
	MaxReplayFrames = 2_000
)

// Code names why a call was refused or a request ended without success.
type Code string

// Codes of REST problems.
const (
	CodeInvalidRequest  Code = "invalid_request"
	CodeModelNotAllowed Code = "model_not_allowed"
	// CodeModelNotCapable is a request with something that its model does not take.
	CodeModelNotCapable Code = "model_not_capable"
	// CodeUploadNotFound is a block whose upload its user does not have. It also
	// ends a request whose upload went after its admission.
	CodeUploadNotFound      Code = "upload_not_found"
	CodeUnauthenticated     Code = "unauthenticated"
	CodeForbidden           Code = "forbidden"
	CodeNotFound            Code = "not_found"
	CodeMethodNotAllowed    Code = "method_not_allowed"
	CodeIdempotencyConflict Code = "idempotency_conflict"
	CodePayloadTooLarge     Code = "payload_too_large"
	CodeQuotaExceeded       Code = "quota_exceeded"
	CodeRateLimited         Code = "rate_limited"
	CodeTooManyInFlight     Code = "too_many_in_flight"
	CodeBlocked             Code = "blocked"
	CodeInternal            Code = "internal"
	CodeUnavailable         Code = "unavailable"
	// CodeServiceBudgetExceeded refuses everybody until the month ends.
	CodeServiceBudgetExceeded Code = "service_budget_exceeded"
)

// Codes of error frames and of the error of a failed request.
const (
	CodeInvalidMessage  Code = "invalid_message"
	CodeModelThrottled  Code = "model_throttled"
	CodeModelError      Code = "model_error"
	CodeModelTimeout    Code = "model_timeout"
	CodeContentFiltered Code = "content_filtered"
	CodeCancelled       Code = "cancelled"
	CodeExpired         Code = "expired"
	CodeDeadLettered    Code = "dead_lettered"
)

// Status is where a request stands in its life.
type Status string

// The statuses of a request.
const (
	StatusQueued    Status = "queued"
	StatusStreaming Status = "streaming"
	StatusSucceeded Status = "succeeded"
	StatusFailed    Status = "failed"
	StatusCancelled Status = "cancelled"
)

// Terminal reports whether a request with this status has ended for good.
func (s Status) Terminal() bool {
	return s == StatusSucceeded || s == StatusFailed || s == StatusCancelled
}
