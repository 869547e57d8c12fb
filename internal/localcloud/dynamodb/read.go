package dynamodb

import (
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/expression"
)

// projection are the parameters of a read of single items.
type projection struct {
	ProjectionExpression     *string           `json:"ProjectionExpression"`
	ExpressionAttributeNames map[string]string `json:"ExpressionAttributeNames"`
}

func (p *projection) paths() ([]expression.Path, *awsapi.Error) {
	scope := expression.NewScope(p.ExpressionAttributeNames, nil)
	var paths []expression.Path
	if p.ProjectionExpression != nil {
		var err error
		if paths, err = scope.Projection(*p.ProjectionExpression); err != nil {
			return nil, invalid(err.Error())
		}
	}
	if err := scope.Unused(); err != nil {
		return nil, invalid(err.Error())
	}
	return paths, nil
}

// seen returns what a read sees of a record: an eventual one may miss a write
// that was made just now. The caller holds the lock.
func (r *record) seen(consistent bool, now time.Time, stale func() bool) attribute.Item {
	if r == nil {
		return nil
	}
	if !consistent && now.Sub(r.changed) < staleWindow && stale() {
		return r.previous
	}
	return r.item
}

func (s *Service) readOne(t *table, k key, consistent bool) attribute.Item {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return t.find(k).seen(consistent, time.Now(), s.faults.StaleRead)
}

type getItem struct {
	TableName              string         `json:"TableName"`
	Key                    attribute.Item `json:"Key"`
	ConsistentRead         bool           `json:"ConsistentRead"`
	ReturnConsumedCapacity string         `json:"ReturnConsumedCapacity"`
	projection

	table *table
	key   key
	keep  []expression.Path
	cost  cost
}

func (r *getItem) permissions() []awsapi.Permission { return permit("GetItem", r.TableName) }
func (r *getItem) consumed() cost                   { return r.cost }

func (r *getItem) prepare(s *Service) (refusal *awsapi.Error) {
	if r.table, r.key, refusal = s.tableAndKey(r.TableName, r.Key); refusal != nil {
		return refusal
	}
	r.keep, refusal = r.paths()
	return refusal
}

func (r *getItem) execute(s *Service) (any, *awsapi.Error) {
	item := s.readOne(r.table, r.key, r.ConsistentRead)
	r.cost = cost{}
	r.cost.addRead(r.table, item.Size(), readFactor(r.ConsistentRead))
	return struct {
		Item             attribute.Item `json:"Item,omitempty"`
		ConsumedCapacity *capacity      `json:"ConsumedCapacity,omitempty"`
	}{expression.Project(item, r.keep), r.cost.shownOne(r.ReturnConsumedCapacity)}, nil
}

// transactGetItems reads items as of one moment.
type transactGetItems struct {
	TransactItems []struct {
		Get *struct {
			TableName string         `json:"TableName"`
			Key       attribute.Item `json:"Key"`
			projection
		} `json:"Get"`
	} `json:"TransactItems"`
	ReturnConsumedCapacity string `json:"ReturnConsumedCapacity"`

	reads []lookup
	entry *writing
	cost  cost
}

// lookup is one item to read.
type lookup struct {
	table *table
	key   key
	keep  []expression.Path
}

func (r *transactGetItems) permissions() []awsapi.Permission {
	var needed []awsapi.Permission
	for _, item := range r.TransactItems {
		if item.Get != nil {
			needed = append(needed, permit("GetItem", item.Get.TableName)...)
		}
	}
	return needed
}

func (r *transactGetItems) consumed() cost          { return r.cost }
func (r *transactGetItems) overlaps(entry *writing) { r.entry = entry }

func (r *transactGetItems) places() (places []string, transaction bool) {
	for _, read := range r.reads {
		places = append(places, read.table.place(read.key))
	}
	return places, true
}

func (r *transactGetItems) prepare(s *Service) *awsapi.Error {
	if len(r.TransactItems) == 0 || len(r.TransactItems) > maxTransactItems {
		return invalid("1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100 and greater than or equal to 1")
	}
	seen := map[string]bool{}
	for _, item := range r.TransactItems {
		if item.Get == nil {
			return invalid("The value null at 'transactItems.member.get' failed to satisfy constraint: Member must not be null")
		}
		t, k, refusal := s.tableAndKey(item.Get.TableName, item.Get.Key)
		if refusal != nil {
			return refusal
		}
		keep, refusal := item.Get.paths()
		if refusal != nil {
			return refusal
		}
		if place := t.place(k); seen[place] {
			return invalid("Transaction request cannot include multiple operations on one item")
		}
		seen[t.place(k)] = true
		r.reads = append(r.reads, lookup{t, k, keep})
	}
	return nil
}

func (r *transactGetItems) execute(s *Service) (any, *awsapi.Error) {
	r.cost = cost{}
	if r.entry.rejected {
		reasons := make([]reason, len(r.reads))
		for i := range reasons {
			reasons[i] = reason{Code: reasonNone}
			if r.entry.conflictsAt(i) {
				reasons[i] = reason{Code: "TransactionConflict", Message: "Transaction is ongoing for the item"}
			}
		}
		return nil, cancelled(reasons)
	}
	type response struct {
		Item attribute.Item `json:"Item,omitempty"`
	}
	responses := make([]response, 0, len(r.reads))
	s.mu.RLock()
	for _, read := range r.reads {
		item := read.table.find(read.key).current()
		r.cost.addRead(read.table, item.Size(), transactional)
		responses = append(responses, response{expression.Project(item, read.keep)})
	}
	s.mu.RUnlock()
	return struct {
		Responses        []response `json:"Responses"`
		ConsumedCapacity []capacity `json:"ConsumedCapacity,omitempty"`
	}{responses, r.cost.shown(r.ReturnConsumedCapacity)}, nil
}
