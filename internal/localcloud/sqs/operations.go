package sqs

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

type empty struct{}

func sendMessage(_ *Service, c *call) (any, *awsapi.Error) {
	var entry sendEntry
	if refusal := decode(c.body, &entry); refusal != nil {
		return nil, refusal
	}
	entry.ID = ""
	result, refusal := c.queue.send(&entry, c.sender)
	if refusal != nil {
		return nil, refusal
	}
	return result, nil
}

type receiveInput struct {
	MaxNumberOfMessages         *int     `json:"MaxNumberOfMessages"`
	WaitTimeSeconds             *int     `json:"WaitTimeSeconds"`
	VisibilityTimeout           *int     `json:"VisibilityTimeout"`
	AttributeNames              []string `json:"AttributeNames"`
	MessageSystemAttributeNames []string `json:"MessageSystemAttributeNames"`
	MessageAttributeNames       []string `json:"MessageAttributeNames"`
}

type receivedMessage struct {
	MessageID              string               `json:"MessageId"`
	ReceiptHandle          string               `json:"ReceiptHandle"`
	Body                   string               `json:"Body"`
	MD5OfBody              string               `json:"MD5OfBody"`
	Attributes             map[string]string    `json:"Attributes,omitempty"`
	MessageAttributes      map[string]Attribute `json:"MessageAttributes,omitempty"`
	MD5OfMessageAttributes string               `json:"MD5OfMessageAttributes,omitempty"`
}

func receiveMessage(_ *Service, c *call) (any, *awsapi.Error) {
	var in receiveInput
	if refusal := decode(c.body, &in); refusal != nil {
		return nil, refusal
	}
	c.queue.mu.Lock()
	wait := c.queue.settings.numbers[receiveWait]
	c.queue.mu.Unlock()
	most, refusal := bounded("MaxNumberOfMessages", in.MaxNumberOfMessages, 1, 1, maxBatch)
	if refusal != nil {
		return nil, refusal
	}
	if wait, refusal = bounded("WaitTimeSeconds", in.WaitTimeSeconds, wait, 0, 20); refusal != nil {
		return nil, refusal
	}
	visibility, refusal := optionalVisibility(in.VisibilityTimeout)
	if refusal != nil {
		return nil, refusal
	}
	messages, refusal := c.queue.receive(c.request.Context(), most, seconds(wait), visibility)
	if refusal != nil {
		return nil, refusal
	}
	return map[string]any{"Messages": in.shape(messages)}, nil
}

func optionalVisibility(value *int) (*time.Duration, *awsapi.Error) {
	if value == nil {
		return nil, nil
	}
	n, refusal := bounded(visibilityTimeout, value, 0, 0, numbers[visibilityTimeout].most)
	d := seconds(n)
	return &d, refusal
}

func bounded(name string, value *int, standard, least, most int) (int, *awsapi.Error) {
	if value == nil {
		return standard, nil
	}
	if *value < least || *value > most {
		return 0, invalidParameter("Value " + strconv.Itoa(*value) + " for parameter " + name + " is invalid. Reason: Must be >= " + strconv.Itoa(least) + " and <= " + strconv.Itoa(most) + ", if provided.")
	}
	return *value, nil
}

func (in *receiveInput) shape(messages []Message) []receivedMessage {
	system := append(slices.Clone(in.AttributeNames), in.MessageSystemAttributeNames...)
	shaped := make([]receivedMessage, 0, len(messages))
	for _, m := range messages {
		attributes := chosen(m.MessageAttributes, in.MessageAttributeNames)
		shaped = append(shaped, receivedMessage{
			MessageID: m.ID, ReceiptHandle: m.ReceiptHandle, Body: m.Body, MD5OfBody: m.MD5OfBody,
			Attributes: chosen(m.Attributes, system), MessageAttributes: attributes, MD5OfMessageAttributes: md5OfAttributes(attributes),
		})
	}
	return shaped
}

// chosen keeps the attributes that a receiver asked for: by name, by prefix
// ("x.*") or all ("All", ".*").
func chosen[V any](all map[string]V, names []string) map[string]V {
	kept := map[string]V{}
	for name, value := range all {
		for _, wanted := range names {
			prefix, isPrefix := strings.CutSuffix(wanted, ".*")
			if wanted == "All" || wanted == name || isPrefix && strings.HasPrefix(name, prefix) {
				kept[name] = value
			}
		}
	}
	return kept
}

func deleteMessage(_ *Service, c *call) (any, *awsapi.Error) {
	var in receiptEntry
	if refusal := decode(c.body, &in); refusal != nil {
		return nil, refusal
	}
	return empty{}, in.delete(c.queue)
}

func changeMessageVisibility(_ *Service, c *call) (any, *awsapi.Error) {
	var in receiptEntry
	if refusal := decode(c.body, &in); refusal != nil {
		return nil, refusal
	}
	return empty{}, in.changeVisibility(c.queue)
}

func getQueueAttributes(_ *Service, c *call) (any, *awsapi.Error) {
	var in struct {
		AttributeNames []string `json:"AttributeNames"`
	}
	if refusal := decode(c.body, &in); refusal != nil {
		return nil, refusal
	}
	return map[string]any{"Attributes": chosen(c.queue.attributes(), in.AttributeNames)}, nil
}

func setQueueAttributes(_ *Service, c *call) (any, *awsapi.Error) {
	var in struct {
		Attributes map[string]string `json:"Attributes"`
	}
	if refusal := decode(c.body, &in); refusal != nil {
		return nil, refusal
	}
	return empty{}, c.queue.setAttributes(in.Attributes)
}

func purgeQueue(_ *Service, c *call) (any, *awsapi.Error) {
	c.queue.purge()
	return empty{}, nil
}

func deleteQueue(s *Service, c *call) (any, *awsapi.Error) {
	s.DeleteQueue(ARN(c.queue.name))
	return empty{}, nil
}

func listQueueTags(_ *Service, c *call) (any, *awsapi.Error) {
	return map[string]any{"Tags": c.queue.tags}, nil
}

func listDeadLetterSourceQueues(s *Service, c *call) (any, *awsapi.Error) {
	urls := []string{}
	for _, q := range s.sorted() {
		q.mu.Lock()
		policy := q.settings.redrive
		q.mu.Unlock()
		if policy != nil && policy.target == ARN(c.queue.name) {
			urls = append(urls, s.URL(q.name))
		}
	}
	return map[string]any{"queueUrls": urls}, nil
}

func getQueueURL(s *Service, c *call) (any, *awsapi.Error) {
	var in struct {
		QueueName string `json:"QueueName"`
	}
	if refusal := decode(c.body, &in); refusal != nil {
		return nil, refusal
	}
	if _, refusal := s.queue(in.QueueName); refusal != nil {
		return nil, refusal
	}
	return map[string]string{"QueueUrl": s.URL(in.QueueName)}, nil
}

func createQueue(s *Service, c *call) (any, *awsapi.Error) {
	var in struct {
		QueueName  string            `json:"QueueName"`
		Attributes map[string]string `json:"Attributes"`
		Tags       map[string]string `json:"tags"`
	}
	if refusal := decode(c.body, &in); refusal != nil {
		return nil, refusal
	}
	if refusal := s.create(Spec{Name: in.QueueName, Attributes: in.Attributes, Tags: in.Tags}); refusal != nil {
		return nil, refusal
	}
	return map[string]string{"QueueUrl": s.URL(in.QueueName)}, nil
}

func listQueues(s *Service, c *call) (any, *awsapi.Error) {
	var in struct {
		QueueNamePrefix string `json:"QueueNamePrefix"`
	}
	if refusal := decode(c.body, &in); refusal != nil {
		return nil, refusal
	}
	urls := []string{}
	for _, q := range s.sorted() {
		if strings.HasPrefix(q.name, in.QueueNamePrefix) {
			urls = append(urls, s.URL(q.name))
		}
	}
	return map[string]any{"QueueUrls": urls}, nil
}

func (s *Service) sorted() []*queue {
	s.mu.RLock()
	defer s.mu.RUnlock()
	queues := make([]*queue, 0, len(s.queues))
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		queues = append(queues, s.queues[name])
	}
	return queues
}
