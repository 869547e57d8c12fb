package sqs

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// maxBatch is the number of entries of a batch, and of messages of a receive.
const maxBatch = 10

// maxPayload is SQS's limit of a message, and of all messages of a batch, in bytes.
const maxPayload = 1_048_576

// sendEntry is a SendMessage, or one entry of a SendMessageBatch.
type sendEntry struct {
	ID                      string               `json:"Id"`
	MessageBody             *string              `json:"MessageBody"`
	DelaySeconds            *int                 `json:"DelaySeconds"`
	MessageAttributes       map[string]Attribute `json:"MessageAttributes"`
	MessageSystemAttributes map[string]Attribute `json:"MessageSystemAttributes"`
	MessageGroupID          *string              `json:"MessageGroupId"`
	MessageDeduplicationID  *string              `json:"MessageDeduplicationId"`
}

type sendResult struct {
	ID                           string `json:"Id,omitempty"`
	MessageID                    string `json:"MessageId"`
	MD5OfMessageBody             string `json:"MD5OfMessageBody"`
	MD5OfMessageAttributes       string `json:"MD5OfMessageAttributes,omitempty"`
	MD5OfMessageSystemAttributes string `json:"MD5OfMessageSystemAttributes,omitempty"`
}

// send validates and stores one message.
func (q *queue) send(entry *sendEntry, sender string) (*sendResult, *awsapi.Error) {
	delay, refusal := q.check(entry)
	if refusal != nil {
		return nil, refusal
	}
	now := time.Now()
	m := &stored{
		id: awsapi.NewRequestID(), body: *entry.MessageBody, bodyMD5: md5Hex([]byte(*entry.MessageBody)),
		attributes: maps.Clone(entry.MessageAttributes), system: entry.system(), sender: sender,
		sentAt: now, visibleAt: now.Add(delay),
	}
	if !q.service.faults.LoseMessage() {
		q.add(m)
	}
	return &sendResult{
		ID: entry.ID, MessageID: m.id, MD5OfMessageBody: m.bodyMD5,
		MD5OfMessageAttributes:       md5OfAttributes(entry.MessageAttributes),
		MD5OfMessageSystemAttributes: md5OfAttributes(entry.MessageSystemAttributes),
	}, nil
}

func (e *sendEntry) system() map[string]string {
	system := map[string]string{}
	for name, attribute := range e.MessageSystemAttributes {
		system[name] = attribute.StringValue
	}
	if e.MessageGroupID != nil {
		system["MessageGroupId"] = *e.MessageGroupID
	}
	return system
}

// check refuses what SQS refuses and returns the delay of the message.
func (q *queue) check(entry *sendEntry) (time.Duration, *awsapi.Error) {
	q.mu.Lock()
	delay, most := q.settings.duration(delaySeconds), q.settings.numbers[maximumSize]
	q.mu.Unlock()
	switch {
	case entry.MessageBody == nil || *entry.MessageBody == "":
		return 0, missingParameter("MessageBody")
	case entry.MessageDeduplicationID != nil:
		return 0, invalidParameter("Value for parameter MessageDeduplicationId is invalid. Reason: The request includes a parameter that is not valid for this queue type.")
	case entry.MessageGroupID != nil && (len(*entry.MessageGroupID) == 0 || len(*entry.MessageGroupID) > 128):
		return 0, invalidParameter("Value for parameter MessageGroupId is invalid. Reason: it must have 1 to 128 characters.")
	case entry.size() > most:
		return 0, invalidParameter("One or more parameters are invalid. Reason: Message must be shorter than " + strconv.Itoa(most) + " bytes.")
	case !allowedText(*entry.MessageBody):
		return 0, invalidContents()
	}
	if entry.DelaySeconds != nil {
		if *entry.DelaySeconds < 0 || *entry.DelaySeconds > numbers[delaySeconds].most {
			return 0, invalidParameter("Value " + strconv.Itoa(*entry.DelaySeconds) + " for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.")
		}
		delay = seconds(*entry.DelaySeconds)
	}
	return delay, checkAttributes(entry)
}

func checkAttributes(entry *sendEntry) *awsapi.Error {
	if len(entry.MessageAttributes) > maxBatch {
		return invalidParameter("Number of message attributes [" + strconv.Itoa(len(entry.MessageAttributes)) + "] exceeds the allowed maximum [10].")
	}
	for name := range entry.MessageSystemAttributes {
		if name != "AWSTraceHeader" {
			return invalidParameter("Message system attribute name '" + name + "' is invalid.")
		}
	}
	for name, a := range entry.MessageAttributes {
		kind, _, _ := strings.Cut(a.DataType, ".")
		switch {
		case kind != "String" && kind != "Number" && kind != "Binary":
			return invalidParameter("The type of message (user) attribute '" + name + "' is invalid. You must use only the following supported type prefixes: Binary, Number, String.")
		case kind == "Binary" && len(a.BinaryValue) == 0, kind != "Binary" && a.StringValue == "":
			return invalidParameter("The message (user) attribute '" + name + "' must contain a non-empty value of type '" + kind + "'.")
		case !allowedText(a.StringValue):
			return invalidContents()
		}
	}
	return nil
}

// size is what counts against the limits: the body and each attribute's name,
// type and value.
func (e *sendEntry) size() int {
	size := 0
	if e.MessageBody != nil {
		size = len(*e.MessageBody)
	}
	for name, a := range e.MessageAttributes {
		size += len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
	}
	return size
}

// allowedText tells whether SQS takes every character: tab, line feed, carriage
// return and all of XML's others but surrogates, U+FFFE and U+FFFF.
func allowedText(text string) bool {
	for _, c := range text {
		switch {
		case c == '\t' || c == '\n' || c == '\r':
		case c < 0x20 || c == 0xFFFE || c == 0xFFFF:
			return false
		}
	}
	return true
}
