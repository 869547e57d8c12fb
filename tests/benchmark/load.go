package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
)

// The load test.
const (
	loadStreams  = 1000
	loadRate     = 50  // tokens a second
	loadTokens   = 500 // of each stream
	batchOnAWS   = 10  // what Lambda hands to one process at most
	memoryTarget = 256_000_000
)

// measureLoad runs a thousand streams through one processor, as one batch, and
// before them as many as AWS hands to it. The processor is the compiled one, in
// a process of its own; model, sockets and tables are in this process, on the
// same cores.
func measureLoad(ctx context.Context, b *bench) (result, error) {
	var r result
	few, err := b.load(ctx, batchOnAWS)
	if err != nil {
		return r, err
	}
	many, err := b.load(ctx, b.times(loadStreams, loadStreams/10))
	if err != nil {
		return r, err
	}
	few.add(&r, nil)
	many.add(&r, few)
	r.note("each stream %d tokens; every stream is of a user with one socket; tables are those of the local cloud", many.tokens)
	r.note("the model, the sockets and the tables use the same cores, from another process; their time is not in these figures")
	return r, nil
}

// loaded is what one load test found.
type loaded struct {
	tally
	tokens    int
	failures  int // messages handed back
	memory    int64
	processor time.Duration // CPU time
	elapsed   time.Duration
}

// load runs streams at once through one processor.
func (b *bench) load(ctx context.Context, streams int) (*loaded, error) {
	tokens := b.times(loadTokens, loadTokens/5)
	model, err := startMetronome(ctx, tokens, loadRate)
	if err != nil {
		return nil, err
	}
	defer model.close()
	sockets, err := startGateway(ctx, model)
	if err != nil {
		return nil, err
	}
	defer sockets.close()
	noPolling := func(r provision.Resource) bool { return r.Type != mappingType }
	c, err := b.startCloud(ctx, nil, noPolling)
	if err != nil {
		return nil, err
	}
	defer c.Close() //nolint:errcheck // nothing is kept
	batch, err := b.admit(ctx, c, streams)
	if err != nil {
		return nil, err
	}
	b.progress("load: %d streams of %d tokens", streams, tokens)
	l := &loaded{tokens: tokens}
	variables := c.environment(components.FunctionProcessor)
	variables[environment.WebSocketAPIEndpoint], variables[modelVariable] = sockets.url, model.url
	if err := l.process(ctx, b, variables, batch); err != nil {
		return nil, err
	}
	l.tally = sockets.tally()
	return l, nil
}

// process hands a batch to a new processor.
func (l *loaded) process(ctx context.Context, b *bench, variables map[string]string, batch events.SQSEvent) error {
	event, err := json.Marshal(batch)
	if err != nil {
		return fmt.Errorf("encoding the batch: %w", err)
	}
	p, err := b.start(ctx, components.FunctionProcessor, variables)
	if err != nil {
		return err
	}
	begun := time.Now()
	body, err := p.invoke(ctx, event)
	l.elapsed, l.memory = time.Since(begun), p.peakMemory()
	l.processor = p.stop()
	if err != nil {
		return err
	}
	var response events.SQSEventResponse
	if err := json.Unmarshal(body, &response); err != nil {
		return fmt.Errorf("reading the processor's answer: %w", err)
	}
	l.failures = len(response.BatchItemFailures)
	return nil
}

// start starts a function and waits until it is ready.
func (b *bench) start(ctx context.Context, function string, variables map[string]string) (*process, error) {
	executable, err := b.executable(ctx, function)
	if err != nil {
		return nil, err
	}
	p, err := startProcess(ctx, variables, b.dir, executable)
	if err != nil {
		return nil, err
	}
	if _, err := p.ready(ctx); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// add adds the figures; those of a thousand streams have targets.
func (l *loaded) add(r *result, few *loaded) {
	q := l.delays.several(0.5, 0.99)
	streams := fmt.Sprintf("%d streams", l.streams)
	whole := measure{
		what: streams + ", whole", value: fmt.Sprintf("%d of %d", l.whole, l.streams),
		spread: fmt.Sprintf("frames: %d lost, %d reordered, %d wrong, of %d; %d messages handed back", l.lost, l.reordered, l.wrong, l.frames, l.failures),
	}
	delay := measure{what: streams + ", added to a token", value: "p50 " + milliseconds(q[0]), spread: "p99 " + milliseconds(q[1])}
	memory := measure{what: streams + ", resident memory", value: "max " + megabytes(l.memory)}
	cpu := measure{
		what: streams + ", CPU", value: seconds(l.processor),
		spread: fmt.Sprintf("%.2f cores for %s", l.processor.Seconds()/l.elapsed.Seconds(), seconds(l.elapsed)),
	}
	if few != nil {
		sound := l.whole == l.streams && l.lost+l.reordered+l.wrong+l.failures == 0
		whole.target, whole.met = "none lost, none reordered", sound
		memory.target, memory.met = "≤ 256 MB", l.memory <= memoryTarget
		memory.beside = fmt.Sprintf("%d streams %s", few.streams, megabytes(few.memory))
		before := few.delays.several(0.5, 0.99)
		delay.beside = fmt.Sprintf("%d streams p50 %s, p99 %s", few.streams, milliseconds(before[0]), milliseconds(before[1]))
		perToken := func(l *loaded) float64 { return float64(l.processor.Microseconds()) / float64(l.streams*l.tokens) }
		cpu.beside = fmt.Sprintf("%.0f µs a token; %d streams %.0f µs", perToken(l), few.streams, perToken(few))
	}
	if l.memory == 0 {
		memory.value, memory.target = "not told by this system", ""
	}
	for _, m := range []measure{whole, delay, memory, cpu} {
		r.add(m)
	}
}
