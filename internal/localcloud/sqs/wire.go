package sqs

import (
	"encoding/json"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// maxRequest bounds a request's body: a batch of 1 MiB, escaped as JSON.
const maxRequest = 8 << 20

var _ http.Handler = (*Service)(nil)

// call is one request with what its operation needs.
type call struct {
	request *http.Request
	body    []byte
	queue   *queue // nil for operations on no queue
	sender  string // access key
}

// operation is one action of the API.
type operation struct {
	permission string // IAM action without its prefix
	queueless  bool
	run        func(*Service, *call) (any, *awsapi.Error)
}

var operations = map[string]operation{
	"SendMessage":                  {permission: "SendMessage", run: sendMessage},
	"SendMessageBatch":             {permission: "SendMessage", run: sendMessageBatch},
	"ReceiveMessage":               {permission: "ReceiveMessage", run: receiveMessage},
	"DeleteMessage":                {permission: "DeleteMessage", run: deleteMessage},
	"DeleteMessageBatch":           {permission: "DeleteMessage", run: deleteMessageBatch},
	"ChangeMessageVisibility":      {permission: "ChangeMessageVisibility", run: changeMessageVisibility},
	"ChangeMessageVisibilityBatch": {permission: "ChangeMessageVisibility", run: changeMessageVisibilityBatch},
	"GetQueueAttributes":           {permission: "GetQueueAttributes", run: getQueueAttributes},
	"SetQueueAttributes":           {permission: "SetQueueAttributes", run: setQueueAttributes},
	"PurgeQueue":                   {permission: "PurgeQueue", run: purgeQueue},
	"DeleteQueue":                  {permission: "DeleteQueue", run: deleteQueue},
	"ListQueueTags":                {permission: "ListQueueTags", run: listQueueTags},
	"ListDeadLetterSourceQueues":   {permission: "ListDeadLetterSourceQueues", run: listDeadLetterSourceQueues},
	"GetQueueUrl":                  {permission: "GetQueueUrl", queueless: true, run: getQueueURL},
	"CreateQueue":                  {permission: "CreateQueue", queueless: true, run: createQueue},
	"ListQueues":                   {permission: "ListQueues", queueless: true, run: listQueues},
}

// ServeHTTP speaks SQS's JSON 1.0 protocol.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	result, lose, refusal := s.serve(r)
	switch {
	case lose:
		awsapi.Drop(w)
	case refusal != nil:
		awsapi.SQS.WriteError(w, refusal)
	default:
		awsapi.SQS.WriteResult(w, result)
	}
}

func (s *Service) serve(r *http.Request) (result any, lose bool, refusal *awsapi.Error) {
	name, ok := awsapi.Target(r, "AmazonSQS")
	op, known := operations[name]
	if r.Method != http.MethodPost || !ok || !known {
		return nil, false, &awsapi.Error{Status: 400, Code: "InvalidAction", Message: "The action " + name + " is not valid for this endpoint."}
	}
	c := &call{request: r}
	if c.body, refusal = awsapi.ReadBody(r, maxRequest); refusal != nil {
		return nil, false, refusal
	}
	target, refusal := parseTarget(c.body)
	if refusal != nil {
		return nil, false, refusal
	}
	lose, refusal = s.admit(c, name, op, target)
	if refusal != nil {
		return nil, false, refusal
	}
	if !op.queueless {
		if target.QueueURL == "" {
			return nil, false, missingParameter("QueueUrl")
		}
		if c.queue, refusal = s.queue(nameOf(target.QueueURL)); refusal != nil {
			return nil, false, refusal
		}
	}
	result, refusal = op.run(s, c)
	return result, lose, refusal
}

// target is what tells the queue and the messages that a request is about.
type target struct {
	QueueURL      string `json:"QueueUrl"`
	QueueName     string `json:"QueueName"`
	ReceiptHandle string `json:"ReceiptHandle"`
	Entries       []struct {
		ReceiptHandle string `json:"ReceiptHandle"`
	} `json:"Entries"`
}

func parseTarget(body []byte) (target, *awsapi.Error) {
	var t target
	if !utf8.Valid(body) {
		return t, serialization()
	}
	return t, decode(body, &t)
}

func decode(body []byte, into any) *awsapi.Error {
	if err := json.Unmarshal(body, into); err != nil {
		return serialization()
	}
	return nil
}

func serialization() *awsapi.Error {
	return &awsapi.Error{Status: 400, Code: "SerializationException", Message: "the body is not a valid request"}
}

// admit asks the guard. The bodies of the messages that the call is about stand
// beside the request's, so that it is attributed to their requests.
func (s *Service) admit(c *call, name string, op operation, t target) (lose bool, refusal *awsapi.Error) {
	key := awsapi.AccessKeyID(c.request)
	c.sender = key
	resource := ARN(nameOf(t.QueueURL))
	switch {
	case t.QueueURL == "" && t.QueueName != "":
		resource = ARN(t.QueueName)
	case op.queueless:
		resource = "*"
	}
	return s.guard.Admit(c.request.Context(), awsapi.Call{
		Service: "sqs", Operation: name, AccessKeyID: key,
		Permissions: []awsapi.Permission{{Action: "sqs:" + op.permission, Resource: resource}},
		Body:        s.withMessages(c.body, t),
	})
}

func (s *Service) withMessages(body []byte, t target) []byte {
	q, refusal := s.queue(nameOf(t.QueueURL))
	if refusal != nil {
		return body
	}
	receipts := []string{t.ReceiptHandle}
	for _, entry := range t.Entries {
		receipts = append(receipts, entry.ReceiptHandle)
	}
	for _, receipt := range receipts {
		if receipt != "" {
			body = append(slices.Clip(body), q.bodyOf(receipt)...)
		}
	}
	return body
}
