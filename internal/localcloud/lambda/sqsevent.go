package lambda

import (
	"encoding/json"
	"fmt"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// sqsRecord is one message in the event of a batch
// (docs.aws.amazon.com/lambda/latest/dg/with-sqs.html).
type sqsRecord struct {
	MessageID         string                  `json:"messageId"`
	ReceiptHandle     string                  `json:"receiptHandle"`
	Body              string                  `json:"body"`
	Attributes        map[string]string       `json:"attributes"`
	MessageAttributes map[string]sqsAttribute `json:"messageAttributes"`
	MD5OfBody         string                  `json:"md5OfBody"`
	EventSource       string                  `json:"eventSource"`
	EventSourceARN    string                  `json:"eventSourceARN"`
	AWSRegion         string                  `json:"awsRegion"`
}

type sqsAttribute struct {
	StringValue      string   `json:"stringValue,omitempty"`
	BinaryValue      []byte   `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues [][]byte `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

func encodeRecord(queueARN string, m Message) (json.RawMessage, error) {
	attributes := make(map[string]sqsAttribute, len(m.MessageAttributes))
	for name, a := range m.MessageAttributes {
		attributes[name] = sqsAttribute{a.StringValue, a.BinaryValue, []string{}, [][]byte{}, a.DataType}
	}
	record, err := json.Marshal(sqsRecord{
		MessageID: m.ID, ReceiptHandle: m.ReceiptHandle, Body: m.Body, Attributes: m.Attributes, MessageAttributes: attributes,
		MD5OfBody: m.MD5OfBody, EventSource: "aws:sqs", EventSourceARN: queueARN, AWSRegion: awsapi.Region,
	})
	if err != nil {
		return nil, fmt.Errorf("encoding message %s: %w", m.ID, err)
	}
	return record, nil
}

// batch is what one invocation gets.
type batch struct {
	messages []Message
	records  []json.RawMessage
	size     int // of the event
}

// eventOverhead is the most that the frame around the records takes.
const eventOverhead = len(`{"Records":[]}`)

// add takes a message if the event stays within the payload limit.
func (b *batch) add(m Message, record json.RawMessage) bool {
	size := len(record) + 1
	if len(b.messages) > 0 && eventOverhead+b.size+size > maxPayload {
		return false
	}
	b.messages, b.records, b.size = append(b.messages, m), append(b.records, record), b.size+size
	return true
}

func (b *batch) payload() ([]byte, error) {
	return json.Marshal(struct {
		Records []json.RawMessage `json:"Records"`
	}{b.records})
}
