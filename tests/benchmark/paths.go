package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
	"github.com/streaming-service/streaming-service/protocol"
)

// gbSeconds is the counter that memory is billed by.
const gbSeconds = usage.GBSeconds

// besideTarget is the most that 1,000 requests may cost beside the model, over
// the WebSocket.
const besideTarget = 0.09

// standBy is how long after its call the message of a completion has come and
// been worked: the lease, the skew, a second, and its way through the queue.
const standBy = 40 * time.Second

// manyStreams are settings with which one user may fill a process.
var manyStreams = []string{"throttle.userConcurrency=100", "throttle.userBurstLimit=100", "throttle.userRateLimit=0", "queue.maximumConcurrency=2"}

// costed is a way that answers take, and what a request on it used.
type costed struct {
	name     string
	counters map[string]float64
}

// measurePaths meters the same request on every way to its answer.
func measurePaths(ctx context.Context, b *bench) (result, error) {
	var r result
	c, err := b.startCloud(ctx, nil, everything, manyStreams...)
	if err != nil {
		return r, err
	}
	defer c.Close() //nolint:errcheck // nothing is kept
	paths, err := c.paths(ctx, b)
	if err != nil {
		return r, err
	}
	addBills(&r, paths)
	for _, p := range paths[:2] {
		total := besideModel(p.counters)
		r.add(measure{what: p.name, value: dollars(total), target: fmt.Sprintf("≤ $%.2f", besideTarget), met: total <= besideTarget})
	}
	r.note("1,000 requests of %d bytes with answers of %d tokens at %d tokens/s; prices as in the row units", meteredPrompt, meteredTokens, meteredRate)
	r.note("ten at once: a full batch, which one process answers together; it comes when all processors are busy")
	r.note("naive: as one at a time over the WebSocket, but a frame for each token; it works a batch one after the other, so a full batch is no cheaper")
	return r, nil
}

func (c *cloud) paths(ctx context.Context, b *bench) ([]costed, error) {
	u, err := c.signIn(ctx)
	if err != nil {
		return nil, err
	}
	defer u.close()
	if _, _, err := askService(ctx, u, "Hello"); err != nil { // starts the functions
		return nil, err
	}
	b.progress("paths: one answer over the WebSocket")
	socket, err := c.meter(ctx, u, meteredRate)
	if err != nil {
		return nil, err
	}
	b.progress("paths: ten answers in one process")
	together, err := c.meterBatch(ctx, u)
	if err != nil {
		return nil, err
	}
	u.close()
	completion := c.completions(u)
	if _, err := completion.read(ctx, "Hello", true, firstScript); err != nil {
		return nil, err
	}
	paths := []costed{{"WebSocket", socket.Counters}, {"WebSocket, ten at once", together}}
	for _, way := range []struct {
		name   string
		stream bool
	}{{"SSE", true}, {"plain", false}} {
		b.progress("paths: one answer over openAiUrl, stream %t", way.stream)
		used, err := c.meterCompletion(ctx, completion, way.stream)
		if err != nil {
			return nil, err
		}
		paths = append(paths, costed{way.name, used.Counters})
	}
	return append(paths, costed{"naive", naive(socket.Counters)}), nil
}

// naive is what a request uses that posts each token by itself.
func naive(socket map[string]float64) map[string]float64 {
	counters := maps.Clone(socket)
	const frames = meteredTokens + 2
	emptyFrame := len(protocol.DeltaFrame(strings.Repeat("x", 26), 1, meteredTokens, "").Encode())
	counters[usage.BytesSent] += (frames - counters[usage.FramesSent]) * float64(emptyFrame)
	counters[usage.FramesSent] = frames
	return counters
}

// meterBatch returns what a request uses whose process answers ten at once: both
// processors are kept busy until ten messages wait.
func (c *cloud) meterBatch(ctx context.Context, u *user) (map[string]float64, error) {
	submit := func(n int, script string) ([]string, error) {
		ids := make([]string, n)
		for i := range ids {
			var err error
			if ids[i], err = u.submit(ctx, scripted(meteredText(), script)); err != nil {
				return nil, err
			}
		}
		return ids, nil
	}
	busy, err := submit(2, "tokens=20 rate=5 seed=7")
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, settleTime); err != nil { // until each has its processor
		return nil, err
	}
	ids, err := submit(batchOnAWS, meteredScript(meteredRate))
	if err != nil {
		return nil, err
	}
	if _, err := u.streams(ctx, append(busy, ids...)...); err != nil {
		return nil, err
	}
	if err := pause(ctx, settleTime); err != nil {
		return nil, err
	}
	_, requests, err := c.usage(ctx)
	if err != nil {
		return nil, err
	}
	mean := map[string]float64{}
	for _, id := range ids {
		for name, n := range requests[id].Counters {
			mean[name] += n / batchOnAWS
		}
	}
	return mean, nil
}

// completions is the interface of OpenAI for a user.
func (c *cloud) completions(u *user) endpoint {
	return endpoint{"/openai/v1", c.config.OpenAIURL, u.token, components.DefaultModelID}
}

// read asks and reads the whole answer; it returns how long that took.
func (e endpoint) read(ctx context.Context, prompt string, stream bool, script string) (time.Duration, error) {
	begun := time.Now()
	response, err := e.post(ctx, prompt, stream, script)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, fmt.Errorf("reading the answer of %s: %w", e.name, err)
	}
	if stream && !bytes.Contains(text, []byte("data: [DONE]")) {
		return 0, fmt.Errorf("the answer of %s is not whole: %s", e.name, text)
	}
	return time.Since(begun), nil
}

// meterCompletion meters one completion, and the message that stood by for it.
func (c *cloud) meterCompletion(ctx context.Context, e endpoint, stream bool) (metered, error) {
	if err := pause(ctx, standBy); err != nil { // of the completion before
		return metered{}, err
	}
	before, _, err := c.usage(ctx)
	if err != nil {
		return metered{}, err
	}
	took, err := e.read(ctx, meteredText(), stream, meteredScript(meteredRate))
	if err != nil {
		return metered{}, err
	}
	if err := pause(ctx, standBy-took); err != nil {
		return metered{}, err
	}
	after, _, err := c.usage(ctx)
	return metered{Report: difference(after, before), took: took}, err
}

// addBills adds the bills side by side, the largest items of the first before
// the others.
func addBills(r *result, paths []costed) {
	row := func(what string, value func(costed) string) {
		m := measure{what: what}
		for _, p := range paths {
			m.columns = append(m.columns, value(p))
		}
		r.add(m)
	}
	row("$ of 1,000 requests", func(p costed) string { return p.name })
	items := slices.DeleteFunc(slices.Clone(prices), price.ofModel)
	slices.SortStableFunc(items, func(a, b price) int {
		return int(1e6 * (b.cost(paths[0].counters) - a.cost(paths[0].counters)))
	})
	for _, item := range items {
		row(item.what, func(p costed) string { return dollars(item.cost(p.counters)) })
	}
	row("beside the model", func(p costed) string { return dollars(besideModel(p.counters)) })
	row("times the WebSocket's", func(p costed) string { return ratio(besideModel(p.counters), besideModel(paths[0].counters)) })
	row("frames of an answer", func(p costed) string { return fmt.Sprintf("%.4g", p.counters[usage.FramesSent]) })
	row("write units", func(p costed) string { return fmt.Sprintf("%.3g", p.counters[usage.WriteUnits]) })
	row("read units", func(p costed) string { return fmt.Sprintf("%.3g", p.counters[usage.ReadUnits]) })
	row("GB-seconds", func(p costed) string { return fmt.Sprintf("%.3g", p.counters[usage.GBSeconds]) })
}
