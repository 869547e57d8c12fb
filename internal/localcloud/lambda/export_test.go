package lambda

// What the external tests look into.
var (
	FailedItems   = failedItems
	ParseSchedule = parseSchedule
)

// LimitStreams replaces Lambda's limits of a streamed response.
func (s *Service) LimitStreams(size, burst, rate int64) {
	s.streamLimits = streamLimits{size, burst, rate}
}
