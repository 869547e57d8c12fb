package dynamodb

import (
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// tokenLife is how long DynamoDB remembers a ClientRequestToken.
const tokenLife = 10 * time.Minute

// tokens remembers the transactions that were done under a ClientRequestToken.
type tokens struct {
	mu    sync.Mutex
	known map[string]*outcome
	swept time.Time
}

type outcome struct {
	body []byte    // of the request
	done time.Time // zero while under way
}

// begin claims a token. done tells that the same transaction was done already.
func (t *tokens) begin(token string, body []byte) (done bool, refusal *awsapi.Error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.sweep(now)
	earlier, known := t.known[token]
	switch {
	case !known || earlier.expired(now):
		t.known[token] = &outcome{body: body}
		return false, nil
	case !sameTransaction(earlier.body, body):
		return false, &awsapi.Error{Status: 400, Code: "IdempotentParameterMismatchException", Message: "The request uses the same client token as a previous, but non-identical request."}
	case earlier.done.IsZero():
		return false, &awsapi.Error{Status: 400, Code: "TransactionInProgressException", Message: "The transaction with the given request token is already in progress."}
	}
	return true, nil
}

func (o *outcome) expired(now time.Time) bool {
	return !o.done.IsZero() && now.Sub(o.done) >= tokenLife
}

// end says how the transaction of a token went; one that was not done may be
// tried again.
func (t *tokens) end(token string, done bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !done {
		delete(t.known, token)
		return
	}
	t.known[token].done = time.Now()
}

// sweep forgets expired tokens, at most once a minute.
func (t *tokens) sweep(now time.Time) {
	if now.Sub(t.swept) < time.Minute {
		return
	}
	t.swept = now
	for token, o := range t.known {
		if o.expired(now) {
			delete(t.known, token)
		}
	}
}
