package start

import (
	"runtime"
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

// processorMemory is how many MB come with the time of one processor
// (docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). A function
// sees two even if its share is a part of one: goroutines on the second would
// only make it wait for its share sooner, and wake one another up across both.
const processorMemory = 1769

// useShare uses the share of a machine that a function has: all its memory, with
// garbage collected late but in time, and as many processors as that comes with.
func useShare(getenv func(string) string) {
	size, err := strconv.Atoi(getenv(memorySize))
	if err != nil {
		return // not on Lambda
	}
	debug.SetGCPercent(garbagePercent)
	debug.SetMemoryLimit(int64(usedShare * float64(size<<20)))
	runtime.GOMAXPROCS(min(runtime.NumCPU(), (size+processorMemory-1)/processorMemory))
}
