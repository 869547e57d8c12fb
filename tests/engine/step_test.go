package engine_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// step is what one operation of the engine did, by logical names in order.
// The stack itself, components and providers are left out.
type step struct {
	name                                string
	creates, updates, replaces, deletes []string
	failed                              []string
	same                                int
	took                                time.Duration
	types                               map[string]string   // of the resources that changed
	changed                             map[string][]string // top-level properties that differ
	total                               map[apitype.OpType]int
}

// counts is a line of the log.
func (s step) counts() string {
	line := fmt.Sprintf("%-42s %3d created %3d updated %3d replaced %3d deleted %3d unchanged",
		s.name, len(s.creates), len(s.updates), len(s.replaces), len(s.deletes), s.same)
	line += fmt.Sprintf(" in %.1fs", s.took.Seconds())
	if len(s.failed) > 0 {
		line += fmt.Sprintf(" %3d failed", len(s.failed))
	}
	return line
}

// nothing tells whether the step changed nothing.
func (s step) nothing() bool {
	return len(s.creates)+len(s.updates)+len(s.replaces)+len(s.deletes)+len(s.failed) == 0
}

// recorder collects the events of an operation.
type recorder struct {
	events chan events.EngineEvent
	done   sync.WaitGroup
	step   step
}

func newRecorder(name string) *recorder {
	r := &recorder{events: make(chan events.EngineEvent), step: step{name: name, types: map[string]string{}, changed: map[string][]string{}}}
	r.done.Go(func() {
		for event := range r.events {
			r.add(event)
		}
	})
	return r
}

// finish returns the step once the operation has ended.
func (r *recorder) finish() step {
	closeOnce(r.events)
	r.done.Wait()
	for _, names := range []*[]string{&r.step.creates, &r.step.updates, &r.step.replaces, &r.step.deletes, &r.step.failed} {
		slices.Sort(*names)
	}
	return r.step
}

// closeOnce closes events. An operation does so too, unless it fails early.
func closeOnce(events chan events.EngineEvent) {
	defer func() { _ = recover() }()
	close(events)
}

func (r *recorder) add(event events.EngineEvent) {
	switch {
	case event.ResOutputsEvent != nil:
		r.finished(event.ResOutputsEvent.Metadata)
	case event.SummaryEvent != nil:
		r.step.total = event.SummaryEvent.ResourceChanges
	case event.ResOpFailedEvent != nil:
		r.step.failed = append(r.step.failed, nameOf(event.ResOpFailedEvent.Metadata.URN))
	}
}

func (r *recorder) finished(m apitype.StepEventMetadata) {
	if !strings.HasPrefix(m.Type, "aws:") {
		return
	}
	name, list := nameOf(m.URN), (*[]string)(nil)
	switch m.Op {
	case apitype.OpSame:
		r.step.same++
		return
	case apitype.OpCreate:
		list = &r.step.creates
	case apitype.OpUpdate:
		list = &r.step.updates
	case apitype.OpCreateReplacement:
		list = &r.step.replaces
	case apitype.OpDelete:
		list = &r.step.deletes
	default:
		return // the other steps of a replacement
	}
	*list = append(*list, name)
	r.step.types[name] = m.Type
	r.step.changed[name] = m.Diffs
}

// run takes a step, logs its counts and returns what it did.
func (s *testStack) run(name string, operate func(chan<- events.EngineEvent, io.Writer) error) (step, string, error) {
	s.t.Helper()
	r := newRecorder(s.Name() + ": " + name)
	var out bytes.Buffer
	begun := time.Now()
	err := operate(r.events, &out)
	taken := r.finish()
	taken.took = time.Since(begun)
	s.steps = append(s.steps, taken)
	s.t.Log(taken.counts())
	return taken, out.String(), err
}

// up updates the stack.
func (s *testStack) up(name string) step {
	s.t.Helper()
	taken, out, err := s.tryUp(name)
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return taken
}

func (s *testStack) tryUp(name string) (step, string, error) {
	s.t.Helper()
	return s.run(name, func(to chan<- events.EngineEvent, out io.Writer) error {
		_, err := s.Up(s.t.Context(), optup.EventStreams(to), optup.SuppressOutputs(), optup.SuppressProgress(), optup.ProgressStreams(out), optup.ErrorProgressStreams(out))
		return err
	})
}

// preview previews an update.
func (s *testStack) preview(name string) step {
	s.t.Helper()
	taken, out, err := s.run(name, func(to chan<- events.EngineEvent, out io.Writer) error {
		_, err := s.Preview(s.t.Context(), optpreview.EventStreams(to), optpreview.ErrorProgressStreams(out))
		return err
	})
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return taken
}

// refresh reads all resources and returns how many of them drifted.
func (s *testStack) refresh(name string) (drifted int) {
	s.t.Helper()
	r := newRecorder(name)
	_, err := s.Refresh(s.t.Context(), optrefresh.SuppressProgress(), optrefresh.EventStreams(r.events))
	changes := r.finish().total
	if err != nil || changes == nil {
		s.t.Fatalf("%s: %v, %v", name, changes, err)
	}
	s.t.Logf("%s: %s %v", s.Name(), name, changes)
	for op, n := range changes {
		if op != apitype.OpSame {
			drifted += n
		}
	}
	return drifted
}

// destroy deletes what the stack made.
func (s *testStack) destroy(name string) step {
	s.t.Helper()
	taken, out, err := s.tryDestroy(name)
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return taken
}

func (s *testStack) tryDestroy(name string) (step, string, error) {
	s.t.Helper()
	return s.run(name, func(to chan<- events.EngineEvent, out io.Writer) error {
		_, err := s.Destroy(s.t.Context(), optdestroy.EventStreams(to), optdestroy.SuppressProgress(), optdestroy.ProgressStreams(out), optdestroy.ErrorProgressStreams(out))
		return err
	})
}

func nameOf(urn string) string { return urn[strings.LastIndex(urn, ":")+1:] }
