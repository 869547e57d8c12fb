package sqs

import (
	"container/heap"
	"crypto/md5" //nolint:gosec // SQS's own checksum of what it stores, not a secret
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Attribute is a message attribute as it travels.
type Attribute struct {
	DataType    string `json:"DataType"`
	StringValue string `json:"StringValue,omitempty"`
	BinaryValue []byte `json:"BinaryValue,omitempty"`
}

// Message is one delivery of a message.
type Message struct {
	ID                string
	ReceiptHandle     string
	Body              string
	MD5OfBody         string
	Attributes        map[string]string // of the system: ApproximateReceiveCount, SentTimestamp, SenderId, …
	MessageAttributes map[string]Attribute
}

// stored is a message in a queue.
type stored struct {
	id         string
	body       string
	bodyMD5    string
	attributes map[string]Attribute
	system     map[string]string // AWSTraceHeader, MessageGroupId
	sender     string

	sentAt    time.Time
	visibleAt time.Time
	firstAt   time.Time // first delivery
	received  int
	receipt   string // of the last delivery
	source    string // ARN of the queue that a dead letter comes from

	sequence uint64 // order of sending, among equal visibleAt
	index    int    // in the heap
}

func (m *stored) delivery() Message {
	system := map[string]string{
		"SenderId":                         m.sender,
		"SentTimestamp":                    strconv.FormatInt(m.sentAt.UnixMilli(), 10),
		"ApproximateReceiveCount":          strconv.Itoa(m.received),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.firstAt.UnixMilli(), 10),
	}
	maps.Copy(system, m.system)
	if m.source != "" {
		system["DeadLetterQueueSourceArn"] = m.source
	}
	return Message{ID: m.id, ReceiptHandle: m.receipt, Body: m.body, MD5OfBody: m.bodyMD5, Attributes: system, MessageAttributes: m.attributes}
}

func (m *stored) newReceipt() string {
	return base64.StdEncoding.EncodeToString([]byte(m.id + " " + strconv.Itoa(m.received) + " " + awsapi.NewRequestID()))
}

// idOfReceipt finds the message that a receipt handle is of.
func idOfReceipt(receipt string) (id string, ok bool) {
	plain, err := base64.StdEncoding.DecodeString(receipt)
	fields := strings.Fields(string(plain))
	if err != nil || len(fields) != 3 {
		return "", false
	}
	return fields[0], true
}

// byVisibility is a heap of messages by the time they become visible.
type byVisibility []*stored

var _ heap.Interface = (*byVisibility)(nil)

func (h byVisibility) Len() int { return len(h) }

func (h byVisibility) Less(i, j int) bool {
	if h[i].visibleAt.Equal(h[j].visibleAt) {
		return h[i].sequence < h[j].sequence
	}
	return h[i].visibleAt.Before(h[j].visibleAt)
}

func (h byVisibility) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push adds a message at the end, for container/heap.
func (h *byVisibility) Push(x any) {
	m := x.(*stored) //nolint:forcetypeassert // container/heap hands back what was given
	m.index = len(*h)
	*h = append(*h, m)
}

// Pop removes the last message, for container/heap.
func (h *byVisibility) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}

func md5Hex(data []byte) string {
	sum := md5.Sum(data) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// md5OfAttributes is SQS's checksum of message attributes: by name, each part
// with its length before it.
func md5OfAttributes(attributes map[string]Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var data []byte
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		data = appendSized(appendSized(data, []byte(name)), []byte(a.DataType))
		if strings.HasPrefix(a.DataType, "Binary") {
			data = appendSized(append(data, 2), a.BinaryValue)
		} else {
			data = appendSized(append(data, 1), []byte(a.StringValue))
		}
	}
	return md5Hex(data)
}

func appendSized(data, part []byte) []byte {
	data = binary.BigEndian.AppendUint32(data, uint32(len(part))) //nolint:gosec // parts are at most 1 MiB
	return append(data, part...)
}
