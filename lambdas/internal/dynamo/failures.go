package dynamo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// Conflicts of transactions are not in the SDK's retry list. They are tried
// again with full jitter.
const (
	conflictBase  = 5 * time.Millisecond
	conflictMax   = 400 * time.Millisecond
	conflictTotal = 8 * time.Second
)

// retryConflicts calls write until it meets no conflict, for conflictTotal at
// the most; then the outcome is ErrUnavailable.
func retryConflicts(ctx context.Context, write func() error) error {
	pause := newPause()
	for {
		err := write()
		if !isConflict(err) {
			return err
		}
		if !pause.wait(ctx) {
			return fmt.Errorf("%w: %w", life.ErrUnavailable, err)
		}
	}
}

// pause spaces the tries of one operation.
type pause struct {
	deadline time.Time
	ceiling  time.Duration
}

func newPause() *pause { return &pause{time.Now().Add(conflictTotal), conflictBase} }

// wait sleeps before the next try; false if there is no time for one.
func (p *pause) wait(ctx context.Context) bool {
	d := rand.N(p.ceiling) + time.Millisecond //nolint:gosec // spreads load, guards nothing
	p.ceiling = min(2*p.ceiling, conflictMax)
	if time.Now().Add(d).After(p.deadline) {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func isConflict(err error) bool {
	if _, ok := errors.AsType[*types.TransactionConflictException](err); ok {
		return true
	}
	cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return false
	}
	conflict := false
	for _, r := range cancelled.CancellationReasons {
		switch reasonCode(r) {
		case "ConditionalCheckFailed":
			return false
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			conflict = true
		}
	}
	return conflict
}

func reasonCode(r types.CancellationReason) string {
	if r.Code == nil {
		return ""
	}
	return *r.Code
}

// failedPart reports whether the n-th part of a cancelled transaction failed
// its condition.
func failedPart(err error, n int) bool {
	cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
	return ok && n < len(cancelled.CancellationReasons) && reasonCode(cancelled.CancellationReasons[n]) == "ConditionalCheckFailed"
}

// conditionFailed returns the item, nil if absent, that failed a condition: that
// of an update or of the first part of a transaction.
func conditionFailed(err error) (item, bool) {
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return failed.Item, true
	}
	if cancelled, ok := errors.AsType[*types.TransactionCanceledException](err); ok && failedPart(err, 0) {
		return cancelled.CancellationReasons[0].Item, true
	}
	return nil, false
}

// refusals are errors that say for certain that nothing was done, and that
// doing the same again would end the same.
func isRefusal(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorFault() == smithy.FaultServer {
		return false
	}
	switch api.ErrorCode() {
	case "AccessDeniedException", "ValidationException", "ResourceNotFoundException", "UnrecognizedClientException",
		"MissingAuthenticationTokenException", "IncompleteSignatureException", "ItemCollectionSizeLimitExceededException":
		return true
	}
	return false
}

// failure describes a failed call. Unless it was refused for certain, its
// outcome is unknown.
func failure(doing string, err error) error {
	if isRefusal(err) || errors.Is(err, life.ErrUnavailable) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %w: %w", doing, life.ErrUnavailable, err)
}
