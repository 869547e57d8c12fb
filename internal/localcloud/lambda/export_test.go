package lambda

// What the external tests look into.
var (
	FailedItems   = failedItems
	ParseSchedule = parseSchedule
)
