package sqs

import (
	"fmt"
	"regexp"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// receiptEntry is a DeleteMessage or ChangeMessageVisibility, or one entry of
// their batches.
type receiptEntry struct {
	ID                string  `json:"Id"`
	ReceiptHandle     *string `json:"ReceiptHandle"`
	VisibilityTimeout *int    `json:"VisibilityTimeout"`
}

func (e *receiptEntry) delete(q *queue) *awsapi.Error {
	if e.ReceiptHandle == nil {
		return missingParameter("ReceiptHandle")
	}
	return q.remove(*e.ReceiptHandle)
}

func (e *receiptEntry) changeVisibility(q *queue) *awsapi.Error {
	switch {
	case e.ReceiptHandle == nil:
		return missingParameter("ReceiptHandle")
	case e.VisibilityTimeout == nil:
		return missingParameter(visibilityTimeout)
	}
	d, refusal := optionalVisibility(e.VisibilityTimeout)
	if refusal != nil {
		return refusal
	}
	return q.changeVisibility(*e.ReceiptHandle, *d)
}

type failedEntry struct {
	ID          string `json:"Id"`
	Code        string `json:"Code"`
	Message     string `json:"Message"`
	SenderFault bool   `json:"SenderFault"`
}

type batchResult[R any] struct {
	Successful []R           `json:"Successful"`
	Failed     []failedEntry `json:"Failed"`
}

func (r *batchResult[R]) add(id string, result R, refusal *awsapi.Error) {
	if refusal == nil {
		r.Successful = append(r.Successful, result)
		return
	}
	code := refusal.QueryCode
	if code == "" {
		code = refusal.Code
	}
	r.Failed = append(r.Failed, failedEntry{ID: id, Code: code, Message: refusal.Message, SenderFault: refusal.Status < 500})
}

func newBatchResult[R any]() *batchResult[R] {
	return &batchResult[R]{Successful: []R{}, Failed: []failedEntry{}}
}

var entryIDPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func checkBatch(ids []string) *awsapi.Error {
	switch {
	case len(ids) == 0:
		return batchError("EmptyBatchRequest", "There should be at least one entry in the request.")
	case len(ids) > maxBatch:
		return batchError("TooManyEntriesInBatchRequest", fmt.Sprintf("Maximum number of entries per request are %d. You have sent %d.", maxBatch, len(ids)))
	}
	seen := map[string]bool{}
	for _, id := range ids {
		switch {
		case !entryIDPattern.MatchString(id):
			return batchError("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		case seen[id]:
			return batchError("BatchEntryIdsNotDistinct", "Id "+id+" repeated.")
		}
		seen[id] = true
	}
	return nil
}

func sendMessageBatch(_ *Service, c *call) (any, *awsapi.Error) {
	var in struct {
		Entries []sendEntry `json:"Entries"`
	}
	if refusal := decode(c.body, &in); refusal != nil {
		return nil, refusal
	}
	size := 0
	ids := make([]string, 0, len(in.Entries))
	for i := range in.Entries {
		ids = append(ids, in.Entries[i].ID)
		size += in.Entries[i].size()
	}
	if refusal := checkBatch(ids); refusal != nil {
		return nil, refusal
	}
	if size > maxPayload {
		return nil, batchError("BatchRequestTooLong", fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxPayload, size))
	}
	result := newBatchResult[*sendResult]()
	for i := range in.Entries {
		sent, refusal := c.queue.send(&in.Entries[i], c.sender)
		result.add(in.Entries[i].ID, sent, refusal)
	}
	return result, nil
}

func deleteMessageBatch(_ *Service, c *call) (any, *awsapi.Error) {
	return receiptBatch(c, (*receiptEntry).delete)
}

func changeMessageVisibilityBatch(_ *Service, c *call) (any, *awsapi.Error) {
	return receiptBatch(c, (*receiptEntry).changeVisibility)
}

func receiptBatch(c *call, act func(*receiptEntry, *queue) *awsapi.Error) (any, *awsapi.Error) {
	var in struct {
		Entries []receiptEntry `json:"Entries"`
	}
	if refusal := decode(c.body, &in); refusal != nil {
		return nil, refusal
	}
	ids := make([]string, 0, len(in.Entries))
	for _, entry := range in.Entries {
		ids = append(ids, entry.ID)
	}
	if refusal := checkBatch(ids); refusal != nil {
		return nil, refusal
	}
	type done struct {
		ID string `json:"Id"`
	}
	result := newBatchResult[done]()
	for i := range in.Entries {
		result.add(in.Entries[i].ID, done{in.Entries[i].ID}, act(&in.Entries[i], c.queue))
	}
	return result, nil
}
