package openai

import (
	"strconv"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// HeaderRequestID carries the id of the request on every answer to an admitted
// one: GET /requests/{requestId} knows it.
const HeaderRequestID = "x-request-id"

const (
	headerRetryAfter  = "Retry-After"
	headerShouldRetry = "x-should-retry"
)

// RateLimits are the headers that tell how much of the month is left at now.
// What is unlimited has none.
func RateLimits(u protocol.Usage, now time.Time) map[string]string {
	header := map[string]string{}
	resets, err := time.Parse(time.RFC3339, u.ResetsAt)
	if err != nil {
		return header // there is nothing to say about a month that has no end
	}
	in := (time.Duration(max(0, life.Seconds(resets.Sub(now)))) * time.Second).String()
	add := func(what string, limit, remaining *int64) {
		if limit == nil || remaining == nil {
			return
		}
		header["x-ratelimit-limit-"+what] = strconv.FormatInt(*limit, 10)
		header["x-ratelimit-remaining-"+what] = strconv.FormatInt(*remaining, 10)
		header["x-ratelimit-reset-"+what] = in
	}
	add("requests", u.Requests.Limit, u.Requests.Remaining)
	add("tokens", u.Tokens.Limit, u.Tokens.Remaining)
	return header
}
