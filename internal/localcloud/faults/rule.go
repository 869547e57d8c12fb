package faults

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Services that a rule may name, by their endpoint prefix; websocket stands for
// the sockets themselves, execute-api for calls of @connections.
const (
	serviceTable  = "dynamodb"
	serviceQueue  = "sqs"
	serviceModel  = "bedrock-runtime"
	serviceSocket = "websocket"
)

var services = []string{serviceTable, serviceQueue, serviceModel, serviceSocket, "execute-api", "s3", "cognito-idp", "cognito-identity", "*"}

// Rule is one element of the list at /_local/faults. It names a service or a
// function; probabilities are from 0 to 1.
type Rule struct {
	Service   string `json:"service,omitempty"`
	Operation string `json:"operation,omitempty"` // "" is every operation
	Function  string `json:"function,omitempty"`  // declared name; "*" is every function

	Seed  *uint64 `json:"seed,omitempty"`  // of this rule; alone in a rule: of those that follow
	Times int     `json:"times,omitempty"` // at most so many injections; 0 is no limit

	Rate        *float64 `json:"rate,omitempty"` // of error, latencyMs and afterCommit; default 1
	Error       string   `json:"error,omitempty"`
	Status      int      `json:"status,omitempty"` // HTTP status of error; default what AWS answers
	LatencyMs   int      `json:"latencyMs,omitempty"`
	AfterCommit bool     `json:"afterCommit,omitempty"` // act, then drop the connection
	AfterTokens *int     `json:"afterTokens,omitempty"` // model: strike inside the stream after so many tokens

	Kill    float64 `json:"kill,omitempty"`
	Timeout float64 `json:"timeout,omitempty"`
	Panic   float64 `json:"panic,omitempty"`
	Freeze  float64 `json:"freeze,omitempty"`

	Lose      float64 `json:"lose,omitempty"`
	Duplicate float64 `json:"duplicate,omitempty"`
	Early     float64 `json:"early,omitempty"`
	Reorder   float64 `json:"reorder,omitempty"`

	TransactionConflict float64  `json:"transactionConflict,omitempty"`
	OverlapConflict     *float64 `json:"overlapConflict,omitempty"`
	StaleRead           *float64 `json:"staleRead,omitempty"`

	Drop           float64 `json:"drop,omitempty"`
	LoseFrame      float64 `json:"loseFrame,omitempty"`
	LoseDisconnect float64 `json:"loseDisconnect,omitempty"`

	Truncate float64 `json:"truncate,omitempty"`
	Hang     float64 `json:"hang,omitempty"`
}

func (r *Rule) onlySeed() bool {
	return r.Seed != nil && r.Service == "" && r.Function == ""
}

func (r *Rule) rate() float64 {
	if r.Rate == nil {
		return 1
	}
	return *r.Rate
}

// group is the probabilities that only one kind of subject can have.
type group struct {
	subject string
	applies bool
	values  map[string]float64
}

func (r *Rule) groups() []group {
	table := map[string]float64{"transactionConflict": r.TransactionConflict}
	if r.OverlapConflict != nil {
		table["overlapConflict"] = *r.OverlapConflict
	}
	if r.StaleRead != nil {
		table["staleRead"] = *r.StaleRead
	}
	return []group{
		{"a function", r.Function != "", map[string]float64{"kill": r.Kill, "timeout": r.Timeout, "panic": r.Panic, "freeze": r.Freeze}},
		{"service sqs", r.Service == serviceQueue, map[string]float64{"lose": r.Lose, "duplicate": r.Duplicate, "early": r.Early, "reorder": r.Reorder}},
		{"service dynamodb", r.Service == serviceTable, table},
		{"service websocket", r.Service == serviceSocket, map[string]float64{"drop": r.Drop, "loseFrame": r.LoseFrame, "loseDisconnect": r.LoseDisconnect}},
		{"service bedrock-runtime", r.Service == serviceModel, map[string]float64{"truncate": r.Truncate, "hang": r.Hang}},
	}
}

func (r *Rule) validate() error {
	if r.onlySeed() {
		return nil
	}
	checks := []error{r.validateSubject(), r.validateCall()}
	for _, group := range r.groups() {
		checks = append(checks, group.validate())
	}
	return errors.Join(checks...)
}

func (r *Rule) validateSubject() error {
	switch {
	case r.Service == "" && r.Function == "":
		return errors.New("service or function must be given")
	case r.Service != "" && r.Function != "":
		return errors.New("service and function exclude each other")
	case r.Service != "" && !slices.Contains(services, r.Service):
		return fmt.Errorf("service must be one of %s, got %q", strings.Join(services, ", "), r.Service)
	case r.Function != "" && (r.Error != "" || r.LatencyMs != 0 || r.AfterCommit || r.Operation != ""):
		return errors.New("operation, error, latencyMs and afterCommit belong to a service, not to a function")
	}
	return nil
}

func (r *Rule) validateCall() error {
	switch {
	case r.Rate != nil && !probability(*r.Rate):
		return fmt.Errorf("rate must be between 0 and 1, got %v", *r.Rate)
	case r.Rate != nil && r.Error == "" && r.LatencyMs == 0 && !r.AfterCommit:
		return errors.New("rate needs error, latencyMs or afterCommit")
	case r.LatencyMs < 0 || r.LatencyMs > 900_000:
		return fmt.Errorf("latencyMs must be between 0 and 900000, got %d", r.LatencyMs)
	case r.Times < 0:
		return fmt.Errorf("times must be >= 0, got %d", r.Times)
	case r.AfterTokens != nil && (r.Service != serviceModel || *r.AfterTokens < 0):
		return errors.New("afterTokens must be >= 0 and belongs to service bedrock-runtime")
	case r.Status != 0 && (r.Error == "" || r.Status < 400 || r.Status > 599):
		return fmt.Errorf("status must be between 400 and 599 and needs error, got %d", r.Status)
	case r.AfterCommit && r.AfterTokens != nil:
		return errors.New("afterCommit and afterTokens exclude each other")
	}
	return nil
}

func (g group) validate() error {
	for name, value := range g.values {
		switch {
		case !probability(value):
			return fmt.Errorf("%s must be between 0 and 1, got %v", name, value)
		case value > 0 && !g.applies:
			return fmt.Errorf("%s needs %s", name, g.subject)
		}
	}
	return nil
}

func probability(p float64) bool { return p >= 0 && p <= 1 && !math.IsNaN(p) }

// statuses of errors that are not answered with 400.
var statuses = map[string]int{
	"InternalServerError": 500, "InternalServerException": 500, "InternalFailure": 500, "InternalErrorException": 500,
	"ServiceUnavailable": 503, "SlowDown": 503, "InternalError": 500, "AccessDenied": 403, "NoSuchKey": 404, "ServiceUnavailableException": 503,
	"GoneException": 410, "LimitExceededException": 429, "ForbiddenException": 403, "PayloadTooLargeException": 413,
	"ModelTimeoutException": 408, "ModelErrorException": 424, "ModelNotReadyException": 429, "ResourceNotFoundException": 404,
}

func (r *Rule) awsError(service string) *awsapi.Error {
	return &awsapi.Error{Status: r.status(service), Code: r.Error, Message: "injected by /_local/faults"}
}

func (r *Rule) status(service string) int {
	if r.Status != 0 {
		return r.Status
	}
	if service == serviceModel && (r.Error == "ThrottlingException" || r.Error == "ServiceQuotaExceededException") {
		return 429
	}
	if service == serviceTable || service == "cognito-idp" {
		if r.Error == "LimitExceededException" || r.Error == "ResourceNotFoundException" || r.Error == "ForbiddenException" {
			return 400
		}
	}
	if status, ok := statuses[r.Error]; ok {
		return status
	}
	return 400
}

// aspect keeps the draws of one rule's probabilities apart.
type aspect uint8

const (
	aspectCall aspect = iota
	aspectKill
	aspectTimeout
	aspectPanic
	aspectFreeze
	aspectMoment
	aspectLose
	aspectDuplicate
	aspectEarly
	aspectReorder
	aspectConflict
	aspectOverlap
	aspectStale
	aspectDrop
	aspectFrame
	aspectDisconnect
	aspectTruncate
	aspectHang
	aspects
)

// activeRule is a rule with the state of its draws.
type activeRule struct {
	Rule
	seed  uint64
	asked [aspects]atomic.Uint64
	hits  atomic.Int64
}

func newActiveRule(rule Rule, seed, position uint64) *activeRule {
	if rule.Seed != nil {
		seed = *rule.Seed
	}
	return &activeRule{Rule: rule, seed: mix(seed ^ mix(position))}
}

// draw tells whether the n-th question about an aspect hits: a pure function of
// the seed, the rule's position and n.
func (r *activeRule) draw(a aspect, probability float64) bool {
	if probability <= 0 || r.exhausted() {
		return false
	}
	if r.unit(a) >= probability {
		return false
	}
	return r.Times == 0 || r.hits.Add(1) <= int64(r.Times)
}

func (r *activeRule) exhausted() bool { return r.Times > 0 && r.hits.Load() >= int64(r.Times) }

func (r *activeRule) unit(a aspect) float64 {
	n := r.asked[a].Add(1)
	return float64(mix(r.seed^mix(uint64(a)<<56^n))>>11) / (1 << 53)
}

// mix is the finaliser of SplitMix64: it spreads each input bit over the word.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (r *activeRule) matchesCall(service, operation string) bool {
	return (r.Service == service || r.Service == "*") && (r.Operation == "" || r.Operation == "*" || r.Operation == operation)
}

// matchesFunction accepts the declared name and a physical one that holds it,
// such as streaming-processor-1a2b3c4.
func (r *activeRule) matchesFunction(name string) bool {
	return r.Function != "" && (r.Function == "*" || r.Function == name || slices.Contains(strings.Split(name, "-"), r.Function))
}

type functionFault struct {
	kind        string
	aspect      aspect
	probability float64
}

func (r *activeRule) functionFaults() []functionFault {
	return []functionFault{
		{"kill", aspectKill, r.Kill},
		{"timeout", aspectTimeout, r.Timeout},
		{"panic", aspectPanic, r.Panic},
		{"freeze", aspectFreeze, r.Freeze},
	}
}
