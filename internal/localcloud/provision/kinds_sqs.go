package provision

import (
	"context"
	"errors"
	"path"
	"strconv"

	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
	"github.com/streaming-service/streaming-service/internal/localcloud/sqs"
)

// queueKinds are the queues and who may not use them.
func queueKinds(s *sqs.Service, policies *iam.Service) map[string]kind {
	return map[string]kind{
		"aws:sqs/queue:Queue":                 queueKind(s),
		"aws:sqs/queuePolicy:QueuePolicy":     queuePolicyKind(s, policies),
		"aws:sqs/redrivePolicy:RedrivePolicy": redrivePolicyKind(s),
	}
}

type queueInputs struct {
	Name                         string     `json:"name" change:"replace"`
	FIFOQueue                    bool       `json:"fifoQueue" change:"replace"`
	DelaySeconds                 *int       `json:"delaySeconds"`
	MaxMessageSize               *int       `json:"maxMessageSize"`
	MessageRetentionSeconds      *int       `json:"messageRetentionSeconds"`
	ReceiveWaitTimeSeconds       *int       `json:"receiveWaitTimeSeconds"`
	VisibilityTimeoutSeconds     *int       `json:"visibilityTimeoutSeconds"`
	RedrivePolicy                policyText `json:"redrivePolicy"`
	RedriveAllowPolicy           noEffect   `json:"redriveAllowPolicy"`
	KMSDataKeyReusePeriodSeconds noEffect   `json:"kmsDataKeyReusePeriodSeconds"`
	KMSMasterKeyID               noEffect   `json:"kmsMasterKeyId"`
	SQSManagedSSEEnabled         noEffect   `json:"sqsManagedSseEnabled"`
	Tags                         noEffect   `json:"tags"`
}

// pulumiMaxMessageSize is what pulumi-aws v6 sets on a queue that declares no
// maximum message size, bytes; the service itself would allow 1 MiB.
const pulumiMaxMessageSize = 262_144

// attributes are those of CreateQueue, complete so that a removed one goes back
// to its default.
func (in queueInputs) attributes() map[string]string {
	number := func(value *int, otherwise int) string {
		if value == nil {
			return strconv.Itoa(otherwise)
		}
		return strconv.Itoa(*value)
	}
	return map[string]string{
		"DelaySeconds":                  number(in.DelaySeconds, 0),
		"MaximumMessageSize":            number(in.MaxMessageSize, pulumiMaxMessageSize),
		"MessageRetentionPeriod":        number(in.MessageRetentionSeconds, 345_600),
		"ReceiveMessageWaitTimeSeconds": number(in.ReceiveWaitTimeSeconds, 0),
		"VisibilityTimeout":             number(in.VisibilityTimeoutSeconds, 30),
		"RedrivePolicy":                 string(in.RedrivePolicy),
	}
}

func queueKind(s *sqs.Service) kind {
	return newKind(realised[queueInputs]{
		name: autoname{property: "name", max: 80},
		validate: func(in queueInputs) error {
			if in.FIFOQueue {
				return errors.New("FIFO queues have no counterpart in the local cloud")
			}
			return nil
		},
		onCreate: func(_ context.Context, _ Resource, in queueInputs) (string, Outputs, error) {
			url, arn, err := s.CreateQueue(sqs.Spec{Name: in.Name, Attributes: in.attributes()})
			return url, Outputs{"arn": arn, "url": url}, err
		},
		onUpdate: func(_ context.Context, _ string, _, in queueInputs) (Outputs, error) {
			return nil, s.SetAttributes(sqs.ARN(in.Name), in.attributes())
		},
		onDelete: func(_ context.Context, _ string, in queueInputs) error {
			s.DeleteQueue(sqs.ARN(in.Name))
			return nil
		},
	})
}

type queuePolicyInputs struct {
	QueueURL string     `json:"queueUrl" change:"replace"`
	Policy   policyText `json:"policy"`
}

func queuePolicyKind(s *sqs.Service, policies *iam.Service) kind {
	put := func(in queuePolicyInputs) error {
		arn := sqs.ARN(path.Base(in.QueueURL))
		if err := policies.PutResourcePolicy(arn, string(in.Policy)); err != nil {
			return err
		}
		return s.SetAttributes(arn, map[string]string{"Policy": string(in.Policy)})
	}
	return newKind(realised[queuePolicyInputs]{
		onCreate: func(_ context.Context, _ Resource, in queuePolicyInputs) (string, Outputs, error) {
			return in.QueueURL, nil, put(in)
		},
		onUpdate: func(_ context.Context, _ string, _, in queuePolicyInputs) (Outputs, error) { return nil, put(in) },
		onDelete: func(_ context.Context, _ string, in queuePolicyInputs) error {
			arn := sqs.ARN(path.Base(in.QueueURL))
			policies.DeleteResourcePolicy(arn)
			return s.SetAttributes(arn, map[string]string{"Policy": ""})
		},
	})
}

// redrivePolicyInputs are the redrive policy of a queue as a resource of its
// own, for two queues that name each other.
type redrivePolicyInputs struct {
	QueueURL      string     `json:"queueUrl" change:"replace"`
	RedrivePolicy policyText `json:"redrivePolicy"`
}

func redrivePolicyKind(s *sqs.Service) kind {
	set := func(in redrivePolicyInputs, policy policyText) error {
		return s.SetAttributes(sqs.ARN(path.Base(in.QueueURL)), map[string]string{"RedrivePolicy": string(policy)})
	}
	return newKind(realised[redrivePolicyInputs]{
		onCreate: func(_ context.Context, _ Resource, in redrivePolicyInputs) (string, Outputs, error) {
			return in.QueueURL, nil, set(in, in.RedrivePolicy)
		},
		onUpdate: func(_ context.Context, _ string, _, in redrivePolicyInputs) (Outputs, error) {
			return nil, set(in, in.RedrivePolicy)
		},
		onDelete: func(_ context.Context, _ string, in redrivePolicyInputs) error { return set(in, "") },
	})
}
