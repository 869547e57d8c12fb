// Package kills ends the real processes of the processor and of completions
// under load, on the local cloud, and holds the service to docs/life.md: every
// request ends, its text is exact, nothing stays reserved, and a killed attempt
// is soon followed by another.
//
//	go test ./tests/kills -run TestKills -kills 200 -lease 30 -timeout 60m -v
//
// kills 200 processes under the lease that production has. Without flags it
// kills a few, under a short one. The same in fake time, with every other fault
// and thousands of requests, is lambdas/internal/lives.
package kills
