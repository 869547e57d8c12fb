package lambda

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// RuleSpec declares an EventBridge rule on the default bus.
type RuleSpec struct {
	Name               string
	ScheduleExpression string // rate(1 minute), rate(N minutes|hours|days)
	Disabled           bool
}

// Target is what a rule invokes.
type Target struct {
	ID    string
	ARN   string // of a function
	Input string // JSON; "": the event of the schedule
}

// Rules are EventBridge rules with their timers.
type Rules struct {
	invoke func(ruleARN string, target Target, event []byte) error

	mu     sync.Mutex
	rules  map[string]*rule
	timers sync.WaitGroup
	closed bool
}

type rule struct {
	spec    RuleSpec
	every   time.Duration
	targets []Target
	stop    chan struct{}
}

// maxTargets of a rule (docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html).
const maxTargets = 5

var ruleName = regexp.MustCompile(`^[.\-_A-Za-z0-9]{1,64}$`)

// NewRules returns an empty set. invoke is called for each target when a rule
// is due and must not block for long.
func NewRules(invoke func(ruleARN string, target Target, event []byte) error) *Rules {
	return &Rules{invoke: invoke, rules: map[string]*rule{}}
}

// PutRule creates or replaces a rule, keeping its targets, and returns its ARN.
// The first run is one interval from now.
func (rs *Rules) PutRule(spec RuleSpec) (arn string, err error) {
	if !ruleName.MatchString(spec.Name) {
		return "", validation("rule name %q must match %s", spec.Name, ruleName)
	}
	every, err := parseSchedule(spec.ScheduleExpression)
	if err != nil {
		return "", fmt.Errorf("creating rule %s: %w", spec.Name, err)
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.closed {
		return "", errClosed
	}
	r := &rule{spec: spec, every: every, stop: make(chan struct{})}
	if old := rs.rules[spec.Name]; old != nil {
		close(old.stop)
		r.targets = old.targets
	}
	rs.rules[spec.Name] = r
	if !spec.Disabled {
		rs.timers.Go(func() { rs.tick(r) })
	}
	return RuleARN(spec.Name), nil
}

// RuleARN returns the ARN of the rule of that name.
func RuleARN(name string) string { return awsapi.ARN("events", "rule/"+name) }

// DeleteRule deletes a rule without targets.
func (rs *Rules) DeleteRule(name string) error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.rules[name]
	if r == nil {
		return noRule(name)
	}
	if len(r.targets) > 0 {
		return validation("Rule can't be deleted since it has targets.")
	}
	close(r.stop)
	delete(rs.rules, name)
	return nil
}

// PutTarget adds a target to a rule or replaces the one of the same id.
func (rs *Rules) PutTarget(name string, target Target) error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.rules[name]
	switch {
	case r == nil:
		return noRule(name)
	case target.ID == "" || !strings.Contains(target.ARN, ":lambda:"):
		return validation("target %q of rule %s must have an id and the ARN of a function, got %q", target.ID, name, target.ARN)
	case target.Input != "" && checkPayload([]byte(target.Input)) != nil:
		return validation("JSON syntax error in input for target %s.", target.ID)
	}
	targets := slices.DeleteFunc(slices.Clone(r.targets), func(other Target) bool { return other.ID == target.ID })
	if len(targets) >= maxTargets {
		return &awsapi.Error{Status: http.StatusBadRequest, Code: "LimitExceededException", Message: fmt.Sprintf("rule %s has %d targets already", name, maxTargets)}
	}
	r.targets = append(targets, target)
	return nil
}

// RemoveTarget removes a target from a rule.
func (rs *Rules) RemoveTarget(name, targetID string) error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.rules[name]
	if r == nil {
		return noRule(name)
	}
	r.targets = slices.DeleteFunc(slices.Clone(r.targets), func(other Target) bool { return other.ID == targetID })
	return nil
}

// RunRule runs a rule now, enabled or not; its timer goes on as before. The
// error joins those of its targets that could not be invoked.
func (rs *Rules) RunRule(name string) error {
	rs.mu.Lock()
	r := rs.rules[name]
	rs.mu.Unlock()
	if r == nil {
		return noRule(name)
	}
	return rs.run(r)
}

// Close stops all timers.
func (rs *Rules) Close() {
	rs.mu.Lock()
	if !rs.closed {
		rs.closed = true
		for _, r := range rs.rules {
			close(r.stop)
		}
	}
	rs.mu.Unlock()
	rs.timers.Wait()
}

func (rs *Rules) tick(r *rule) {
	ticker := time.NewTicker(r.every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = rs.run(r) // EventBridge tells nobody but its metrics
		case <-r.stop:
			return
		}
	}
}

func (rs *Rules) run(r *rule) error {
	rs.mu.Lock()
	targets := r.targets
	rs.mu.Unlock()
	arn := RuleARN(r.spec.Name)
	var failed []error
	for _, target := range targets {
		event := []byte(target.Input)
		if target.Input == "" {
			event = scheduledEvent(arn, time.Now())
		}
		if err := rs.invoke(arn, target, event); err != nil {
			failed = append(failed, fmt.Errorf("invoking target %s of rule %s: %w", target.ID, r.spec.Name, err))
		}
	}
	return errors.Join(failed...)
}

// scheduledEvent is what a target without input receives.
func scheduledEvent(ruleARN string, now time.Time) []byte {
	return fmt.Appendf(nil, `{"version":"0","id":%q,"detail-type":"Scheduled Event","source":"aws.events","account":%q,"time":%q,"region":%q,"resources":[%q],"detail":{}}`,
		awsapi.NewRequestID(), awsapi.AccountID, now.UTC().Format(time.RFC3339), awsapi.Region, ruleARN)
}

var rateExpression = regexp.MustCompile(`^rate\((\d{1,9}) (minute|minutes|hour|hours|day|days)\)$`)

// parseSchedule reads a rate expression
// (docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html).
func parseSchedule(expression string) (time.Duration, error) {
	if strings.HasPrefix(expression, "cron(") {
		return 0, validation("the local cloud runs rate(...) schedules only, got %q", expression)
	}
	match := rateExpression.FindStringSubmatch(expression)
	if match == nil {
		return 0, validation("Parameter ScheduleExpression is not valid: %q", expression)
	}
	n, err := strconv.Atoi(match[1])
	if err != nil || n < 1 || (n == 1) == strings.HasSuffix(match[2], "s") {
		return 0, validation("Parameter ScheduleExpression is not valid: %q (1 takes the singular, more the plural)", expression)
	}
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	return time.Duration(min(n, 36500)) * units[match[2][0]], nil
}

func noRule(name string) error {
	return &awsapi.Error{Status: http.StatusBadRequest, Code: "ResourceNotFoundException", Message: fmt.Sprintf("Rule %s does not exist on EventBus default.", name)}
}

func validation(format string, args ...any) error {
	return &awsapi.Error{Status: http.StatusBadRequest, Code: "ValidationException", Message: fmt.Sprintf(format, args...)}
}
