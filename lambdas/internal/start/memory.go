package start

import (
	"runtime/debug"
	"strconv"
)

// memorySize is how many MB a function has, as Lambda says.
const memorySize = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"

// How memory is used. It is paid for whether it is used or not, while Go's
// default, 100 %, collects garbage as soon as there is as much of it as there is
// of anything else. A quarter of the memory is left for what Go does not count.
const (
	garbagePercent = 400
	usedShare      = 0.75
)

// useMemory has garbage collected late, but in time.
func useMemory(getenv func(string) string) {
	size, err := strconv.Atoi(getenv(memorySize))
	if err != nil {
		return // not on Lambda
	}
	debug.SetGCPercent(garbagePercent)
	debug.SetMemoryLimit(int64(usedShare * float64(size<<20)))
}
