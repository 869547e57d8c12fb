package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

// Targets of the frames.
const (
	frameTokens    = 1000
	frameRate      = 80 // tokens a second
	framesTarget   = 80
	delayTarget    = 200 * time.Millisecond
	promptTarget   = 5 * time.Millisecond // "none to the first": a post and no wait
	framesParallel = 3
)

// modelVariable is where the functions look for the model.
const modelVariable = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"

// measureFrames streams a few answers to one socket and compares each token's
// arrival with the moment when the model said it.
func measureFrames(ctx context.Context, b *bench) (result, error) {
	var r result
	tokens := b.times(frameTokens, frameTokens/4)
	model, err := startMetronome(ctx, tokens, frameRate)
	if err != nil {
		return r, err
	}
	defer model.close()
	c, err := b.startCloud(ctx, map[string]string{modelVariable: model.url}, everything)
	if err != nil {
		return r, err
	}
	defer c.Close() //nolint:errcheck // nothing is kept
	u, err := c.signIn(ctx)
	if err != nil {
		return r, err
	}
	defer u.close()
	if _, err := streamSome(ctx, u, 1); err != nil { // starts the functions
		return r, err
	}
	streams, err := streamSome(ctx, u, framesParallel)
	if err != nil {
		return r, err
	}
	var delays, firsts sample
	frames := 0
	for id, arrivals := range streams {
		d, err := delaysOf(arrivals, model.times(id))
		if err != nil {
			return r, fmt.Errorf("request %s: %w", id, err)
		}
		delays, firsts = append(delays, d...), append(firsts, d[0])
		frames = max(frames, len(arrivals))
	}
	q := delays.several(0.5, 0.99, 1)
	count := measure{
		what: fmt.Sprintf("frames of %d tokens", tokens), value: fmt.Sprint(frames), spread: "start and end included",
		beside: "one a token would be " + ratio(float64(tokens), float64(frames)),
	}
	if tokens == frameTokens { // the first half second has more
		count.target, count.met = fmt.Sprintf("≤ %d", framesTarget), frames <= framesTarget
	}
	r.add(count)
	r.add(measure{
		what: "added to a token", value: "p50 " + milliseconds(q[0]), spread: "p99 " + milliseconds(q[1]) + ", max " + milliseconds(q[2]),
		beside: "the model, said to received", target: "≤ 200 ms to any", met: q[2] <= delayTarget,
	})
	r.add(measure{
		what: "added to the first token", value: milliseconds(firsts.median()), spread: "max " + milliseconds(firsts.at(1)),
		beside: "the model, said to received", target: "no wait: ≤ 5 ms", met: firsts.median() <= promptTarget,
	})
	r.note("%d answers at once to one socket", framesParallel)
	return r, nil
}

// streamSome submits requests and waits for their ends.
func streamSome(ctx context.Context, u *user, n int) (map[string][]arrival, error) {
	ids := make([]string, n)
	for i := range ids {
		var err error
		if ids[i], err = u.submit(ctx, protocol.SubmitRequest{Prompt: fmt.Sprintf("Count, please (%d)", i)}); err != nil {
			return nil, err
		}
	}
	return u.streams(ctx, ids...)
}

// delaysOf returns by how much each token of an answer was late.
func delaysOf(arrivals []arrival, said []time.Time) (sample, error) {
	delays := make(sample, 0, len(said))
	var text strings.Builder
	for i, a := range arrivals {
		if a.Seq == nil || *a.Seq != i {
			return nil, fmt.Errorf("frame %d is missing", i)
		}
		from, to, right := tokensOf(a.Text, text.Len())
		if !right || to > len(said) {
			return nil, fmt.Errorf("frame %d does not continue the answer", i)
		}
		for token := from; token < to; token++ {
			delays = append(delays, a.at.Sub(said[token]))
		}
		text.WriteString(a.Text)
	}
	if len(delays) != len(said) || len(said) == 0 {
		return nil, fmt.Errorf("%d of %d tokens came", len(delays), len(said))
	}
	return delays, nil
}
