package dynamodb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// DynamoDB's limits of a transaction.
const (
	maxTransactItems = 100
	maxTransactSize  = 4 << 20
)

// transactItem is one action of a transaction: exactly one member is given.
type transactItem struct {
	ConditionCheck *check  `json:"ConditionCheck,omitempty"`
	Put            *put    `json:"Put,omitempty"`
	Delete         *remove `json:"Delete,omitempty"`
	Update         *update `json:"Update,omitempty"`
}

// part returns what is needed of the action: its IAM action, its table and how
// to make a mutation of it.
func (i *transactItem) part() (action, table string, prepare func(*Service) (mutation, *awsapi.Error), given int) {
	if i.ConditionCheck != nil {
		action, table, prepare = "ConditionCheckItem", i.ConditionCheck.TableName, i.ConditionCheck.mutation
		given++
	}
	if i.Put != nil {
		action, table, prepare = "PutItem", i.Put.TableName, i.Put.mutation
		given++
	}
	if i.Delete != nil {
		action, table, prepare = "DeleteItem", i.Delete.TableName, i.Delete.mutation
		given++
	}
	if i.Update != nil {
		action, table, prepare = "UpdateItem", i.Update.TableName, i.Update.mutation
		given++
	}
	return action, table, prepare, given
}

type transactWriteItems struct {
	TransactItems          []transactItem `json:"TransactItems"`
	ClientRequestToken     string         `json:"ClientRequestToken"`
	ReturnConsumedCapacity string         `json:"ReturnConsumedCapacity"`
	ReturnItemCollection   string         `json:"ReturnItemCollectionMetrics"`

	body  []byte
	parts []mutation
	entry *writing
	cost  cost
}

func (r *transactWriteItems) keep(body []byte) { r.body = body }

func (r *transactWriteItems) permissions() []awsapi.Permission {
	var needed []awsapi.Permission
	for i := range r.TransactItems {
		action, table, _, _ := r.TransactItems[i].part()
		if action != "" {
			needed = append(needed, permit(action, table)...)
		}
	}
	return needed
}

func (r *transactWriteItems) places() (places []string, transaction bool) {
	for i := range r.parts {
		places = append(places, r.parts[i].table.place(r.parts[i].key))
	}
	return places, true
}

func (r *transactWriteItems) overlaps(entry *writing) { r.entry = entry }
func (r *transactWriteItems) consumed() cost          { return r.cost }

func (r *transactWriteItems) prepare(s *Service) *awsapi.Error {
	switch {
	case len(r.TransactItems) == 0 || len(r.TransactItems) > maxTransactItems:
		return invalid(fmt.Sprintf("1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to %d and greater than or equal to 1", maxTransactItems))
	case len(r.ClientRequestToken) > 36:
		return invalid("Value at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36")
	}
	seen := map[string]bool{}
	for i := range r.TransactItems {
		_, _, prepare, given := r.TransactItems[i].part()
		if given != 1 {
			return invalid("TransactItems can only contain one of Check, Put, Update or Delete")
		}
		part, refusal := prepare(s)
		if refusal != nil {
			return refusal
		}
		place := part.table.place(part.key)
		if seen[place] {
			return invalid("Transaction request cannot include multiple operations on one item")
		}
		seen[place] = true
		r.parts = append(r.parts, part)
	}
	return nil
}

func (r *transactWriteItems) execute(s *Service) (any, *awsapi.Error) {
	r.cost = cost{}
	if r.ClientRequestToken == "" {
		if refusal := r.commit(s); refusal != nil {
			return nil, refusal
		}
		return r.answer(), nil
	}
	done, refusal := s.tokens.begin(r.ClientRequestToken, r.body)
	if refusal != nil {
		return nil, refusal
	}
	if done {
		r.chargeReplay(s)
		return r.answer(), nil
	}
	refusal = r.commit(s)
	s.tokens.end(r.ClientRequestToken, refusal == nil)
	if refusal != nil {
		return nil, refusal
	}
	return r.answer(), nil
}

// sameTransaction compares the bodies of two transactions in what they write.
func sameTransaction(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var written [2][]byte
	for i, body := range [][]byte{a, b} {
		var r transactWriteItems
		err := json.Unmarshal(body, &r)
		if err != nil {
			return false
		}
		if written[i], err = json.Marshal(r.TransactItems); err != nil { // names in order
			return false
		}
	}
	return bytes.Equal(written[0], written[1])
}

func (r *transactWriteItems) answer() any {
	return &struct {
		ConsumedCapacity []capacity `json:"ConsumedCapacity,omitempty"`
	}{r.cost.shown(r.ReturnConsumedCapacity)}
}

// chargeReplay charges a repeated token: the items are read, not written.
func (r *transactWriteItems) chargeReplay(s *Service) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i := range r.parts {
		m := &r.parts[i]
		r.cost.addRead(m.table, m.table.find(m.key).current().Size(), transactional)
	}
}

// commit does all of the transaction or nothing. Giving way once lets others
// that want the same items find it under way: in AWS that takes milliseconds.
func (r *transactWriteItems) commit(s *Service) *awsapi.Error {
	runtime.Gosched()
	s.mu.Lock()
	defer s.mu.Unlock()
	reasons := make([]reason, len(r.parts))
	updated := make([]attribute.Item, len(r.parts))
	size, failed := 0, false
	for i := range r.parts {
		reasons[i], updated[i] = r.try(s, &r.parts[i], r.entry.conflictsAt(i))
		failed = failed || reasons[i].Code != reasonNone
		size += updated[i].Size()
	}
	switch {
	case failed:
		return cancelled(reasons)
	case size > maxTransactSize:
		return invalid("Transaction request cannot be larger than 4 MB")
	}
	now := time.Now()
	for i := range r.parts {
		if m := &r.parts[i]; !m.check {
			r.cost.addIndexes(m.table, m.table.find(m.key).current(), updated[i])
			m.table.store(m.key, updated[i], true, now)
		}
	}
	return nil
}

// try decides on one part and charges it.
func (r *transactWriteItems) try(s *Service, m *mutation, conflict bool) (reason, attribute.Item) {
	existing := m.table.find(m.key)
	old, updated, refusal := m.compute()
	r.cost.addWrite(m.table, written(old, updated), transactional)
	if conflict || existing != nil && existing.transacted && s.faults.TransactionConflict() {
		return reason{Code: "TransactionConflict", Message: "Transaction is ongoing for the item"}, nil
	}
	return reasonOf(refusal), updated
}

const reasonNone = "None"

// reason is why one part of a transaction failed, or that it did not.
type reason struct {
	Code    string         `json:"Code"`
	Message string         `json:"Message,omitempty"`
	Item    attribute.Item `json:"Item,omitempty"`
}

func reasonOf(refusal *awsapi.Error) reason {
	if refusal == nil {
		return reason{Code: reasonNone}
	}
	code := map[string]string{"ConditionalCheckFailedException": "ConditionalCheckFailed", "ValidationException": "ValidationError"}[refusal.Code]
	item, _ := refusal.Members["Item"].(attribute.Item)
	return reason{Code: code, Message: refusal.Message, Item: item}
}

func cancelled(reasons []reason) *awsapi.Error {
	codes := make([]string, 0, len(reasons))
	for _, r := range reasons {
		codes = append(codes, r.Code)
	}
	return &awsapi.Error{
		Status:  400,
		Code:    "TransactionCanceledException",
		Message: "Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]",
		Members: map[string]any{"CancellationReasons": reasons},
	}
}
