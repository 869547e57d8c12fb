package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
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

// loads are the sizes of the load test of the compiled processor: what AWS hands
// to it, and what it does not.
var loads = []int{batchOnAWS, 250, loadStreams}

// measureLoad runs a thousand streams through the processor: first its handler
// alone, then the compiled function as one batch. That is in a process of its
// own; model, sockets and tables are in this process, on the same cores.
func measureLoad(ctx context.Context, b *bench) (result, error) {
	var r result
	if err := b.loadHandler(ctx, &r); err != nil {
		return r, err
	}
	var few *loaded
	sizes := loads
	if b.quick {
		sizes = sizes[:2]
	}
	for _, streams := range sizes {
		l, err := b.load(ctx, streams)
		if err != nil {
			return r, err
		}
		l.add(&r, few)
		if few == nil {
			few = l
		}
	}
	r.note("each stream %d tokens, of a user with one socket; whole: all tokens and the end came, in order", few.tokens)
	r.note("the compiled processor talks to the model, the sockets and the local cloud's tables over HTTP; they run in another process on the same cores")
	return r, nil
}

// loaded is what one load test found.
type loaded struct {
	tally
	asked     int // streams
	tokens    int
	share     int // MB that the processor's share is as of; 0: all
	invoked   time.Time
	firsts    sample // from the event to the first text of each stream
	failures  int    // messages handed back
	memory    int64
	processor time.Duration // CPU time
	rest      time.Duration // CPU time of this process meanwhile
	elapsed   time.Duration
}

// workload is what one processor is given.
type workload struct {
	streams int // at once
	tokens  int // of each
	rate    float64
	memory  int // MB that the function's share of a processor is as of; 0: all that there is
}

// load runs streams at once through one processor.
func (b *bench) load(ctx context.Context, streams int) (*loaded, error) {
	return b.loadWith(ctx, workload{streams: streams, tokens: b.times(loadTokens, loadTokens/5), rate: loadRate})
}

func (b *bench) loadWith(ctx context.Context, of workload) (*loaded, error) {
	model, err := startMetronome(ctx, of.tokens, of.rate)
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
	batch, err := b.admit(ctx, c, of.streams)
	if err != nil {
		return nil, err
	}
	b.progress("load: %d streams of %d tokens", of.streams, of.tokens)
	l := &loaded{asked: of.streams, tokens: of.tokens, share: of.memory}
	variables := c.environment(components.FunctionProcessor)
	variables[environment.WebSocketAPIEndpoint], variables[modelVariable] = sockets.url, model.url
	if of.memory > 0 {
		variables[memoryVariable] = strconv.Itoa(of.memory)
	}
	if err := l.process(ctx, b, variables, batch); err != nil {
		return nil, err
	}
	l.tally = sockets.tally()
	for _, at := range l.begun {
		l.firsts = append(l.firsts, at.Sub(l.invoked))
	}
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
	if l.share > 0 {
		release, err := throttle(p.command.Process.Pid, l.share)
		if err != nil {
			p.stop()
			return err
		}
		defer release()
	}
	begun, before := time.Now(), ownCPU()
	l.invoked = begun
	body, err := p.invoke(ctx, event)
	l.elapsed, l.rest, l.memory = time.Since(begun), ownCPU()-before, p.peakMemory()
	l.processor = p.stop()
	if err != nil {
		return err
	}
	var response events.SQSEventResponse
	if err := json.Unmarshal(body, &response); err != nil {
		return fmt.Errorf("reading the processor's answer: %w", err)
	}
	if l.failures = len(response.BatchItemFailures); l.failures > 0 {
		b.progress("load: %d messages handed back; the processor's last line: %s", l.failures, p.lastLine())
	}
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

// add adds the figures beside those of a few streams. Those of a thousand
// streams have targets.
func (l *loaded) add(r *result, few *loaded) {
	q := l.delays.several(0.5, 0.99)
	cores := func(cpu time.Duration) float64 { return cpu.Seconds() / l.elapsed.Seconds() }
	whole := measure{
		what: fmt.Sprintf("compiled processor, %d streams", l.asked), value: fmt.Sprintf("%d whole", l.whole),
		spread: fmt.Sprintf("of %d frames %d lost, %d reordered, %d repeated; %d messages handed back", l.frames, l.lost, l.reordered, l.repeated, l.failures),
	}
	delay := measure{what: "  added to a token", value: "p50 " + milliseconds(q[0]), spread: "p99 " + milliseconds(q[1])}
	memory := measure{what: "  resident memory", value: "max " + megabytes(l.memory)}
	cpu := measure{
		what: "  CPU", value: fmt.Sprintf("%.2f cores", cores(l.processor)),
		spread: fmt.Sprintf("%.0f µs a token; the rest of the test %.2f cores, for %s", l.perToken(), cores(l.rest), seconds(l.elapsed)),
	}
	if few != nil {
		before := few.delays.several(0.5, 0.99)
		delay.beside = fmt.Sprintf("%d streams p50 %s, p99 %s", few.asked, milliseconds(before[0]), milliseconds(before[1]))
		memory.beside = fmt.Sprintf("%d streams %s", few.asked, megabytes(few.memory))
		cpu.beside = fmt.Sprintf("%d streams %.0f µs a token", few.asked, few.perToken())
	}
	if l.asked == loadStreams {
		memory.what += fmt.Sprintf(", %d streams", l.asked)
		whole.target, whole.met = "none lost, none reordered", l.whole == l.asked && l.lost+l.reordered+l.wrong+l.failures == 0
		memory.target, memory.met = "≤ 256 MB", l.memory <= memoryTarget
	}
	if l.memory == 0 {
		memory.value, memory.target = "not told by this system", ""
	}
	for _, m := range []measure{whole, delay, memory, cpu} {
		r.add(m)
	}
}

// perToken is the processor time of a token, µs.
func (l *loaded) perToken() float64 {
	return float64(l.processor.Microseconds()) / float64(max(1, l.asked*l.tokens))
}
