package lambda

import "time"

// What the external tests look into.
var (
	FailedItems   = failedItems
	ParseSchedule = parseSchedule
)

// WaitForFinishing replaces how long an invocation waits for an environment that
// has answered.
func (s *Service) WaitForFinishing(d time.Duration) { s.finishingWait = d }

// LimitStreams replaces Lambda's limits of a streamed response.
func (s *Service) LimitStreams(size, burst, rate int64) {
	s.streamLimits = streamLimits{size, burst, rate}
}
