// Package lives tests the whole life of requests: the functions' own handlers
// and adapters, against services in the same process and in fake time, while
// everything around them fails. It holds tests only.
//
//	go test ./lambdas/internal/lives -run TestLives -lives 10000 -seed 1 -v
//
// drives 10,000 requests and prints what failed on purpose, what became of the
// requests, and which invariant of docs/life.md was violated. Real processes are
// killed by tests/kills: what is here must not need them.
package lives
