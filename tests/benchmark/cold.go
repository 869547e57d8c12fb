package main

import (
	"context"
	"fmt"
	"time"

	"github.com/streaming-service/streaming-service/components"
)

// coldTarget is the longest that a function may take from exec to /next.
const coldTarget = 15 * time.Millisecond

// measureColdStarts starts every function again and again, in turns with
// Node.js where that is asked for.
func measureColdStarts(ctx context.Context, b *bench) (result, error) {
	var r result
	c, err := b.startCloud(ctx, nil, everything)
	if err != nil {
		return r, err
	}
	defer c.Close() //nolint:errcheck // nothing is kept
	subjects, err := b.functionsToStart(ctx, c)
	if err != nil {
		return r, err
	}
	node, reason := b.nodeToStart(ctx, c)
	if node != nil {
		subjects = append(subjects, node)
	}
	for i := range b.times(30, 8) + 1 {
		for _, s := range subjects {
			took, err := startOnce(ctx, s)
			if err != nil {
				return r, fmt.Errorf("%s: %w", s.name, err)
			}
			if i > 0 { // the first one reads the executable from the disk
				s.took = append(s.took, took)
			}
		}
	}
	for _, s := range subjects {
		r.add(s.measure(node))
	}
	if reason != "" {
		r.note("Node.js with the AWS SDK v3: not compared, %s", reason)
	}
	r.note("%d starts each, in turns; the operating system has read the files before", len(subjects[0].took))
	return r, nil
}

// subject is something that is started until it asks for its first event.
type subject struct {
	name        string
	command     []string
	dir         string
	environment map[string]string
	took        sample
}

func (b *bench) functionsToStart(ctx context.Context, c *cloud) ([]*subject, error) {
	var subjects []*subject
	for _, function := range components.Functions() {
		executable, err := b.executable(ctx, function)
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, &subject{
			name: function, command: []string{executable}, dir: b.dir, environment: c.environment(function),
		})
	}
	return subjects, nil
}

// startOnce starts a subject and ends it when it has called /next.
func startOnce(ctx context.Context, s *subject) (time.Duration, error) {
	p, err := startProcess(ctx, s.environment, s.dir, s.command...)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	return p.ready(ctx)
}

// measure tells the median beside that of Node.js, if there is one.
func (s *subject) measure(node *subject) measure {
	m := measure{what: s.name, value: milliseconds(s.took.median()), spread: "p95 " + milliseconds(s.took.at(0.95))}
	if s == node {
		return m
	}
	m.target, m.met = "≤ 15 ms", s.took.median() <= coldTarget
	if node != nil {
		m.beside = "Node.js takes " + ratio(float64(node.took.median()), float64(s.took.median()))
	}
	return m
}
