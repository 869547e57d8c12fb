package sqs

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// settings are the attributes of a queue that can be set.
type settings struct {
	numbers map[string]int
	texts   map[string]string
	redrive *redrivePolicy
}

// redrivePolicy sends a message on when its receive count exceeds the limit.
type redrivePolicy struct {
	target          string // ARN
	maxReceiveCount int
}

const (
	visibilityTimeout = "VisibilityTimeout"
	delaySeconds      = "DelaySeconds"
	maximumSize       = "MaximumMessageSize"
	retention         = "MessageRetentionPeriod"
	receiveWait       = "ReceiveMessageWaitTimeSeconds"
	redrive           = "RedrivePolicy"
)

// numbers are the numeric attributes with AWS's bounds and defaults, in seconds
// or bytes.
var numbers = map[string]struct{ least, most, standard int }{
	visibilityTimeout:              {0, 43_200, 30},
	delaySeconds:                   {0, 900, 0},
	maximumSize:                    {1_024, 1_048_576, 1_048_576},
	retention:                      {60, 1_209_600, 345_600},
	receiveWait:                    {0, 20, 0},
	"KmsDataKeyReusePeriodSeconds": {60, 86_400, 300},
}

// kept are the attributes that are stored and shown but change nothing here.
var kept = map[string]string{"Policy": "", "RedriveAllowPolicy": "", "KmsMasterKeyId": "", "SqsManagedSseEnabled": "true"}

func defaultSettings() settings {
	s := settings{numbers: map[string]int{}, texts: map[string]string{}}
	for name, bounds := range numbers {
		s.numbers[name] = bounds.standard
	}
	maps.Copy(s.texts, kept)
	return s
}

func (s *settings) clone() settings {
	copied := settings{numbers: make(map[string]int, len(s.numbers)), texts: make(map[string]string, len(s.texts)), redrive: s.redrive}
	maps.Copy(copied.numbers, s.numbers)
	maps.Copy(copied.texts, s.texts)
	return copied
}

// apply sets attributes; the first that AWS would refuse is the error.
func (s *settings) apply(attributes map[string]string) *awsapi.Error {
	for name, value := range attributes {
		if refusal := s.set(name, value); refusal != nil {
			return refusal
		}
	}
	return nil
}

func (s *settings) set(name, value string) *awsapi.Error {
	if bounds, numeric := numbers[name]; numeric {
		n, err := strconv.Atoi(value)
		if err != nil || n < bounds.least || n > bounds.most {
			return invalidAttribute(name)
		}
		s.numbers[name] = n
		return nil
	}
	if name == redrive {
		return s.setRedrive(value)
	}
	if _, known := kept[name]; !known {
		return &awsapi.Error{Status: 400, Code: "InvalidAttributeName", Message: "Unknown Attribute " + name + "."}
	}
	s.texts[name] = value
	return nil
}

func (s *settings) setRedrive(value string) *awsapi.Error {
	if value == "" {
		s.redrive = nil
		return nil
	}
	var declared struct {
		Target string      `json:"deadLetterTargetArn"`
		Max    json.Number `json:"maxReceiveCount"`
	}
	err := json.Unmarshal([]byte(value), &declared)
	most := 10
	if declared.Max != "" && err == nil {
		most, err = strconv.Atoi(declared.Max.String())
	}
	switch {
	case err != nil || most < 1 || most > 1000:
		return invalidParameter(fmt.Sprintf("Value %s for parameter RedrivePolicy is invalid. Reason: Invalid value for maxReceiveCount: must be 1 to 1000.", value))
	case !strings.HasPrefix(declared.Target, ARN("")):
		return invalidParameter(fmt.Sprintf("Value %s for parameter RedrivePolicy is invalid. Reason: deadLetterTargetArn must be the ARN of a queue of this account and Region.", value))
	}
	s.redrive = &redrivePolicy{target: declared.Target, maxReceiveCount: most}
	return nil
}

// shown returns the settings in the form of GetQueueAttributes.
func (s *settings) shown() map[string]string {
	shown := map[string]string{}
	for name, value := range s.numbers {
		shown[name] = strconv.Itoa(value)
	}
	for name, value := range s.texts {
		if value != "" {
			shown[name] = value
		}
	}
	if s.redrive != nil {
		shown[redrive] = fmt.Sprintf(`{"deadLetterTargetArn":"%s","maxReceiveCount":%d}`, s.redrive.target, s.redrive.maxReceiveCount)
	}
	return shown
}

func (s *settings) duration(name string) time.Duration { return seconds(s.numbers[name]) }

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func validateName(name string) *awsapi.Error {
	if strings.HasSuffix(name, ".fifo") {
		return &awsapi.Error{Status: 400, Code: "UnsupportedOperation", QueryCode: "AWS.SimpleQueueService.UnsupportedOperation", Message: "the local cloud has no FIFO queues"}
	}
	if !namePattern.MatchString(name) {
		return invalidParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return nil
}
