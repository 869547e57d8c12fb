package main

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/protocol"
)

// firstTarget is the most that the service may add to the model's first word.
const firstTarget = 5 * time.Millisecond

// firstScript is a short answer without pauses: only its first word counts.
const firstScript = "tokens=20 rate=0 seed=7"

// measureFirstDelta asks the service and, in turns, the model itself.
func measureFirstDelta(ctx context.Context, b *bench) (result, error) {
	var r result
	c, err := b.startCloud(ctx, nil, everything)
	if err != nil {
		return r, err
	}
	defer c.Close() //nolint:errcheck // nothing is kept
	u, err := c.signIn(ctx)
	if err != nil {
		return r, err
	}
	defer u.close()
	model := c.model()
	var direct, service, accepted sample
	const warmUp = 10
	for i := range warmUp + b.times(200, 30) {
		prompt := fmt.Sprintf("Question number %d", i)
		d, err := askModel(ctx, model, prompt)
		if err != nil {
			return r, err
		}
		a, s, err := askService(ctx, u, prompt)
		if err != nil {
			return r, err
		}
		if i >= warmUp {
			direct, service, accepted = append(direct, d), append(service, s), append(accepted, a)
		}
	}
	added := service.minus(direct)
	r.add(measure{what: "model called directly", value: milliseconds(direct.median()), spread: "p95 " + milliseconds(direct.at(0.95))})
	r.add(measure{
		what: "through the service", value: milliseconds(service.median()), spread: "p95 " + milliseconds(service.at(0.95)),
		beside: ratio(float64(service.median()), float64(direct.median())) + " of the direct call",
	})
	r.add(measure{
		what: "added", value: milliseconds(added.median()), spread: "p95 " + milliseconds(added.at(0.95)),
		target: "≤ 5 ms at p50", met: added.median() <= firstTarget,
	})
	r.add(measure{what: "of it, until the 202", value: milliseconds(accepted.median()), spread: "p95 " + milliseconds(accepted.at(0.95))})
	r.note("%d pairs in turns; the scripted model begins after 5 ms", len(service))
	return r, nil
}

// model is a client of the model, as the processor has one.
func (c *cloud) model() *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region: c.config.Region, BaseEndpoint: aws.String(c.URL()), Retryer: aws.NopRetryer{},
		Credentials: operator, HTTPClient: plainBodies{},
	})
}

// askModel returns how long the model's first word takes.
func askModel(ctx context.Context, model *bedrockruntime.Client, prompt string) (time.Duration, error) {
	begun := time.Now()
	out, err := model.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
		ModelId:  aws.String(components.DefaultModelID),
		Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: prompt}}}},
		System:   []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "script: " + firstScript}},
	})
	if err != nil {
		return 0, fmt.Errorf("calling the model: %w", err)
	}
	stream := out.GetStream()
	defer func() { _ = stream.Close() }()
	var took time.Duration
	for event := range stream.Events() {
		if _, ok := event.(*types.ConverseStreamOutputMemberContentBlockDelta); ok && took == 0 {
			took = time.Since(begun)
		}
	}
	if err := stream.Err(); err != nil {
		return 0, fmt.Errorf("reading the model's answer: %w", err)
	}
	return took, nil
}

// askService returns how long the 202 and the first delta take, and waits for
// the end of the answer.
func askService(ctx context.Context, u *user, prompt string) (accepted, first time.Duration, err error) {
	begun := time.Now()
	id, err := u.submit(ctx, scripted(prompt, firstScript))
	if err != nil {
		return 0, 0, err
	}
	accepted = time.Since(begun)
	frames, err := u.streams(ctx, id)
	if err != nil {
		return 0, 0, err
	}
	for _, frame := range frames[id] {
		if frame.Type == protocol.FrameDelta {
			return accepted, frame.at.Sub(begun), nil
		}
	}
	return 0, 0, fmt.Errorf("request %s has no delta", id)
}
