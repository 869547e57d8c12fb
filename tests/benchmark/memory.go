package main

import (
	"context"
	"fmt"

	"github.com/streaming-service/streaming-service/components"
)

// memories are the sizes of the processor that are compared, in MB.
var memories = []int{128, 256, 512, fullProcessor}

// measureMemory gives the compiled processor the shares of a processor that go
// with a function's memory: one stream, and the ten of a full batch.
func measureMemory(ctx context.Context, b *bench) (result, error) {
	var r result
	r.add(measure{what: "MB", columns: []string{"of a processor", "GB-seconds of 1,000 answers", "streams", "event to first text", "slowest", "added to a token", "p99", "CPU a token", "resident"}})
	for _, memory := range memories {
		for _, streams := range []int{1, batchOnAWS} {
			l, err := b.loadWith(ctx, workload{streams: streams, tokens: b.times(frameTokens/2, frameTokens/10), rate: frameRate, memory: memory})
			if err != nil {
				return r, err
			}
			if l.whole != streams {
				return r, fmt.Errorf("%d MB: %d of %d answers are whole", memory, l.whole, streams)
			}
			q := l.delays.several(0.5, 0.99)
			r.add(measure{what: fmt.Sprint(memory), columns: []string{
				fmt.Sprintf("%.1f %%", 100*float64(memory)/fullProcessor),
				fmt.Sprintf("$%.4f", gbSecondPrice()*float64(memory)/1024*float64(meteredTokens)/meteredRate*billed/float64(streams)),
				fmt.Sprint(streams), milliseconds(l.firsts.median()), milliseconds(l.firsts.at(1)),
				milliseconds(q[0]), milliseconds(q[1]), fmt.Sprintf("%.0f µs", l.perToken()), megabytes(l.memory),
			}})
		}
	}
	r.note("%s in a control group with the share of a processor that Lambda documents, granted every %v, from its first event on", components.FunctionProcessor, cfsPeriod)
	r.note("the event is the first of its process, so it includes opening all connections; Lambda starts processes without that limit")
	return r, nil
}

func gbSecondPrice() float64 {
	for _, p := range prices {
		if p.counter == gbSeconds {
			return p.dollars
		}
	}
	return 0
}
