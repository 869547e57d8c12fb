// Package faults makes the local cloud fail on purpose: by service and
// operation, by function, by queue delivery, by socket and by model stream.
// What fails follows from the seed and from how often a rule was asked, so that
// a run can be repeated.
package faults

import (
	"fmt"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// What happens to DynamoDB without any rule: these are not failures but its
// normal behaviour, which an in-memory table would not show.
const (
	DefaultOverlapConflict = 0.5  // share of truly concurrent writes to one item that conflict
	DefaultStaleRead       = 0.02 // share of eventual reads of a just written item that miss the write
)

// Injector decides which calls fail. Its methods may be called concurrently.
type Injector struct {
	rules    atomic.Pointer[ruleSet]
	seed     uint64
	standard *activeRule // draws what happens without rules

	mu       sync.Mutex
	injected map[string]int64
}

type ruleSet struct {
	declared []Rule
	active   []*activeRule
}

// New returns an injector without rules. Rules without a seed of their own draw
// from seed.
func New(seed uint64) *Injector {
	injector := &Injector{seed: seed, standard: newActiveRule(Rule{}, seed, 0), injected: map[string]int64{}}
	injector.rules.Store(&ruleSet{})
	return injector
}

// Set replaces all rules. The error names the rule and its field.
func (i *Injector) Set(rules []Rule) error {
	set := &ruleSet{declared: rules}
	seed := i.seed
	for n, rule := range rules {
		if err := rule.validate(); err != nil {
			return fmt.Errorf("rule %d: %w", n, err)
		}
		if rule.onlySeed() {
			seed = *rule.Seed
			continue
		}
		set.active = append(set.active, newActiveRule(rule, seed, uint64(n)))
	}
	i.rules.Store(set)
	return nil
}

// Clear removes all rules; what was injected stays counted.
func (i *Injector) Clear() { i.rules.Store(&ruleSet{}) }

// Injected returns how often each kind of fault was injected since start, such
// as dynamodb.UpdateItem.InternalServerError or function.processor.kill.
func (i *Injector) Injected() map[string]int64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return maps.Clone(i.injected)
}

func (i *Injector) count(kind string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.injected[kind]++
}

// Decision is what happens to one call of a service.
type Decision struct {
	Latency      time.Duration // to wait before acting
	Error        *awsapi.Error // to answer instead of acting; nil to act
	LoseResponse bool          // act, then drop the connection
}

// Decide says what happens to one call of an AWS API.
func (i *Injector) Decide(service, operation string) Decision {
	var decision Decision
	for _, rule := range i.rules.Load().active {
		if !rule.matchesCall(service, operation) || rule.AfterTokens != nil || !rule.draw(aspectCall, rule.rate()) {
			continue
		}
		i.apply(&decision, rule, service, operation)
		if decision.Error != nil {
			break
		}
	}
	return decision
}

func (i *Injector) apply(decision *Decision, rule *activeRule, service, operation string) {
	kind := service + "." + operation + "."
	if rule.LatencyMs > 0 {
		decision.Latency += time.Duration(rule.LatencyMs) * time.Millisecond
		i.count(kind + "latency")
	}
	switch {
	case rule.AfterCommit:
		decision.LoseResponse = true
		i.count(kind + "afterCommit")
	case rule.Error != "":
		decision.Error = rule.awsError(service)
		i.count(kind + rule.Error)
	}
}

// FunctionFault is what happens to one invocation of a function.
type FunctionFault struct {
	Kind string  // "", "kill", "timeout", "panic" or "freeze"
	At   float64 // when within the invocation, drawn evenly from [0,1)
}

// DecideFunction says what happens to one invocation of the function of
// that declared or physical name.
func (i *Injector) DecideFunction(name string) FunctionFault {
	for _, rule := range i.rules.Load().active {
		if !rule.matchesFunction(name) {
			continue
		}
		for _, fault := range rule.functionFaults() {
			if rule.draw(fault.aspect, fault.probability) {
				i.count("function." + rule.Function + "." + fault.kind)
				return FunctionFault{Kind: fault.kind, At: rule.unit(aspectMoment)}
			}
		}
	}
	return FunctionFault{}
}

// ModelFault is what happens inside one stream of the model.
type ModelFault struct {
	Error       string // in-stream exception, such as throttlingException; "" for none
	AfterTokens int    // when Error, Truncate or Hang strikes
	Truncate    bool   // the stream ends without messageStop
	Hang        bool   // the stream stalls
}

// DecideModel says what happens inside one model stream.
func (i *Injector) DecideModel() ModelFault {
	for _, rule := range i.rules.Load().active {
		if rule.Service != serviceModel {
			continue
		}
		after := 0
		if rule.AfterTokens != nil {
			after = *rule.AfterTokens
		}
		switch {
		case rule.Error != "" && rule.AfterTokens != nil && rule.draw(aspectCall, rule.rate()):
			i.count("model." + rule.Error)
			return ModelFault{Error: rule.Error, AfterTokens: after}
		case rule.draw(aspectTruncate, rule.Truncate):
			i.count("model.truncate")
			return ModelFault{Truncate: true, AfterTokens: after}
		case rule.draw(aspectHang, rule.Hang):
			i.count("model.hang")
			return ModelFault{Hang: true, AfterTokens: after}
		}
	}
	return ModelFault{}
}

// happens draws one aspect of the rules for a service.
func (i *Injector) happens(service string, aspect aspect, kind string, probability func(*Rule) float64) bool {
	for _, rule := range i.rules.Load().active {
		if rule.Service == service && rule.draw(aspect, probability(&rule.Rule)) {
			i.count(service + "." + kind)
			return true
		}
	}
	return false
}

// LoseMessage tells that a sent message is lost although the sender got an answer.
func (i *Injector) LoseMessage() bool {
	return i.happens(serviceQueue, aspectLose, "lose", func(r *Rule) float64 { return r.Lose })
}

// DuplicateMessage tells that a delivered message stays visible as well.
func (i *Injector) DuplicateMessage() bool {
	return i.happens(serviceQueue, aspectDuplicate, "duplicate", func(r *Rule) float64 { return r.Duplicate })
}

// EarlyMessage tells that a message in flight becomes visible before its time.
func (i *Injector) EarlyMessage() bool {
	return i.happens(serviceQueue, aspectEarly, "early", func(r *Rule) float64 { return r.Early })
}

// ReorderMessage tells that a message is delivered before older ones.
func (i *Injector) ReorderMessage() bool {
	return i.happens(serviceQueue, aspectReorder, "reorder", func(r *Rule) float64 { return r.Reorder })
}

// TransactionConflict tells that a write to an item that transactions use meets
// another transaction.
func (i *Injector) TransactionConflict() bool {
	return i.happens(serviceTable, aspectConflict, "transactionConflict", func(r *Rule) float64 { return r.TransactionConflict })
}

// OverlapConflict tells that a write conflicts with one that is truly under way
// on the same item. Default DefaultOverlapConflict.
func (i *Injector) OverlapConflict() bool {
	return i.happensOrDefault(aspectOverlap, "overlapConflict", DefaultOverlapConflict, func(r *Rule) *float64 { return r.OverlapConflict })
}

// StaleRead tells that an eventual read of a just written item returns its
// previous version. Default DefaultStaleRead.
func (i *Injector) StaleRead() bool {
	return i.happensOrDefault(aspectStale, "staleRead", DefaultStaleRead, func(r *Rule) *float64 { return r.StaleRead })
}

func (i *Injector) happensOrDefault(aspect aspect, kind string, standard float64, probability func(*Rule) *float64) bool {
	for _, rule := range i.rules.Load().active {
		if p := probability(&rule.Rule); rule.Service == serviceTable && p != nil {
			return rule.draw(aspect, *p) && i.counted(serviceTable+"."+kind)
		}
	}
	return i.standard.draw(aspect, standard) && i.counted(serviceTable+"."+kind)
}

func (i *Injector) counted(kind string) bool {
	i.count(kind)
	return true
}

// DropSocket tells that a socket breaks at this frame.
func (i *Injector) DropSocket() bool {
	return i.happens(serviceSocket, aspectDrop, "drop", func(r *Rule) float64 { return r.Drop })
}

// LoseFrame tells that a frame posted to a socket never arrives.
func (i *Injector) LoseFrame() bool {
	return i.happens(serviceSocket, aspectFrame, "loseFrame", func(r *Rule) float64 { return r.LoseFrame })
}

// LoseDisconnect tells that $disconnect is not invoked for a closed socket.
func (i *Injector) LoseDisconnect() bool {
	return i.happens(serviceSocket, aspectDisconnect, "loseDisconnect", func(r *Rule) float64 { return r.LoseDisconnect })
}

var _ http.Handler = (*Injector)(nil)
