package provision

import (
	"context"
	"fmt"

	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
)

// eventKinds are the schedules that invoke functions.
func eventKinds(s *lambda.Service) map[string]kind {
	return map[string]kind{
		"aws:cloudwatch/eventRule:EventRule":     eventRuleKind(s),
		"aws:cloudwatch/eventTarget:EventTarget": eventTargetKind(s),
	}
}

type eventRuleInputs struct {
	Name               string   `json:"name" change:"replace"`
	ScheduleExpression string   `json:"scheduleExpression"`
	State              string   `json:"state"`
	IsEnabled          *bool    `json:"isEnabled"`
	EventBusName       string   `json:"eventBusName" change:"replace"`
	Description        noEffect `json:"description"`
	ForceDestroy       noEffect `json:"forceDestroy"`
	Tags               noEffect `json:"tags"`
}

func eventRuleKind(s *lambda.Service) kind {
	put := func(in eventRuleInputs) error {
		if in.EventBusName != "" && in.EventBusName != "default" {
			return fmt.Errorf("event bus %q has no counterpart in the local cloud", in.EventBusName)
		}
		disabled := in.State == "DISABLED" || in.IsEnabled != nil && !*in.IsEnabled
		_, err := s.PutRule(lambda.RuleSpec{Name: in.Name, ScheduleExpression: in.ScheduleExpression, Disabled: disabled})
		return err
	}
	return newKind(realised[eventRuleInputs]{
		name: autoname{property: "name", max: 64},
		onCreate: func(_ context.Context, _ Resource, in eventRuleInputs) (string, Outputs, error) {
			return in.Name, Outputs{"arn": lambda.RuleARN(in.Name)}, put(in)
		},
		onUpdate: func(_ context.Context, _ string, _, in eventRuleInputs) (Outputs, error) { return nil, put(in) },
		onDelete: func(_ context.Context, id string, _ eventRuleInputs) error { return s.DeleteRule(id) },
	})
}

type eventTargetInputs struct {
	Rule         string   `json:"rule" change:"replace"`
	TargetID     string   `json:"targetId" change:"replace"`
	ARN          string   `json:"arn"`
	Input        string   `json:"input"`
	EventBusName noEffect `json:"eventBusName" change:"replace"` // checked with the rule
	ForceDestroy noEffect `json:"forceDestroy"`
	RetryPolicy  noEffect `json:"retryPolicy"`
}

func eventTargetKind(s *lambda.Service) kind {
	put := func(in eventTargetInputs) error {
		return s.PutTarget(in.Rule, lambda.Target{ID: in.TargetID, ARN: in.ARN, Input: in.Input})
	}
	return newKind(realised[eventTargetInputs]{
		name: autoname{property: "targetId", max: 64},
		onCreate: func(_ context.Context, _ Resource, in eventTargetInputs) (string, Outputs, error) {
			return in.Rule + "-" + in.TargetID, nil, put(in)
		},
		onUpdate: func(_ context.Context, _ string, _, in eventTargetInputs) (Outputs, error) { return nil, put(in) },
		onDelete: func(_ context.Context, _ string, in eventTargetInputs) error {
			return s.RemoveTarget(in.Rule, in.TargetID)
		},
	})
}
