package dynamodb

import (
	"maps"
	"slices"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/expression"
)

// DynamoDB's limits of batches.
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
	maxBatchSize  = 16 << 20
)

// keysAndAttributes is what a BatchGetItem reads of one table.
type keysAndAttributes struct {
	Keys                     []attribute.Item  `json:"Keys"`
	ConsistentRead           bool              `json:"ConsistentRead,omitempty"`
	ProjectionExpression     *string           `json:"ProjectionExpression,omitempty"`
	ExpressionAttributeNames map[string]string `json:"ExpressionAttributeNames,omitempty"`
}

type batchGetItem struct {
	RequestItems           map[string]keysAndAttributes `json:"RequestItems"`
	ReturnConsumedCapacity string                       `json:"ReturnConsumedCapacity"`

	tables map[string]*batchRead
	cost   cost
}

type batchRead struct {
	table *table
	keys  []key
	keep  []expression.Path
}

func (r *batchGetItem) permissions() []awsapi.Permission {
	var needed []awsapi.Permission
	for name := range r.RequestItems {
		needed = append(needed, permit("BatchGetItem", name)...)
	}
	return needed
}

func (r *batchGetItem) consumed() cost { return r.cost }

func (r *batchGetItem) prepare(s *Service) *awsapi.Error {
	count := 0
	r.tables = map[string]*batchRead{}
	for name, asked := range r.RequestItems {
		count += len(asked.Keys)
		read, refusal := s.prepareBatchRead(name, asked)
		if refusal != nil {
			return refusal
		}
		r.tables[name] = read
	}
	switch {
	case count == 0:
		return invalid("1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case count > maxBatchGet:
		return invalid("Too many items requested for the BatchGetItem call")
	}
	return nil
}

func (s *Service) prepareBatchRead(name string, asked keysAndAttributes) (read *batchRead, refusal *awsapi.Error) {
	read = &batchRead{}
	if read.table, refusal = s.table(name); refusal != nil {
		return nil, refusal
	}
	seen := map[string]bool{}
	for _, given := range asked.Keys {
		k, refusal := read.table.exactKey(given)
		if refusal != nil {
			return nil, refusal
		}
		place := read.table.place(k)
		if seen[place] {
			return nil, invalid("Provided list of item keys contains duplicates")
		}
		seen[place] = true
		read.keys = append(read.keys, k)
	}
	p := projection{asked.ProjectionExpression, asked.ExpressionAttributeNames}
	read.keep, refusal = p.paths()
	return read, refusal
}

func (r *batchGetItem) execute(s *Service) (any, *awsapi.Error) {
	r.cost = cost{}
	responses := map[string][]attribute.Item{}
	unprocessed := map[string]keysAndAttributes{}
	size, now := 0, time.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(r.RequestItems)) {
		asked, read := r.RequestItems[name], r.tables[name]
		found := []attribute.Item{}
		for i, k := range read.keys {
			if size > maxBatchSize {
				rest := asked
				rest.Keys = asked.Keys[i:]
				unprocessed[name] = rest
				break
			}
			item := read.table.find(k).seen(asked.ConsistentRead, now, s.faults.StaleRead)
			size += item.Size()
			r.cost.addRead(read.table, item.Size(), readFactor(asked.ConsistentRead))
			if item != nil {
				found = append(found, expression.Project(item, read.keep))
			}
		}
		responses[name] = found
	}
	return struct {
		Responses        map[string][]attribute.Item  `json:"Responses"`
		UnprocessedKeys  map[string]keysAndAttributes `json:"UnprocessedKeys"`
		ConsumedCapacity []capacity                   `json:"ConsumedCapacity,omitempty"`
	}{responses, unprocessed, r.cost.shown(r.ReturnConsumedCapacity)}, nil
}

type batchWriteItem struct {
	RequestItems map[string][]struct {
		PutRequest *struct {
			Item attribute.Item `json:"Item"`
		} `json:"PutRequest"`
		DeleteRequest *struct {
			Key attribute.Item `json:"Key"`
		} `json:"DeleteRequest"`
	} `json:"RequestItems"`
	ReturnConsumedCapacity string `json:"ReturnConsumedCapacity"`
	ReturnItemCollection   string `json:"ReturnItemCollectionMetrics"`

	writes []mutation
	cost   cost
}

func (r *batchWriteItem) permissions() []awsapi.Permission {
	var needed []awsapi.Permission
	for name := range r.RequestItems {
		needed = append(needed, permit("BatchWriteItem", name)...)
	}
	return needed
}

func (r *batchWriteItem) consumed() cost { return r.cost }

func (r *batchWriteItem) prepare(s *Service) *awsapi.Error {
	seen := map[string]bool{}
	for name, asked := range r.RequestItems {
		for _, one := range asked {
			var m mutation
			var refusal *awsapi.Error
			switch {
			case (one.PutRequest == nil) == (one.DeleteRequest == nil):
				return invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of PutRequest and DeleteRequest")
			case one.PutRequest != nil:
				m, refusal = (&put{TableName: name, Item: one.PutRequest.Item}).mutation(s)
			default:
				m, refusal = (&remove{TableName: name, Key: one.DeleteRequest.Key}).mutation(s)
			}
			if refusal != nil {
				return refusal
			}
			if seen[m.table.place(m.key)] {
				return invalid("Provided list of item keys contains duplicates")
			}
			seen[m.table.place(m.key)] = true
			r.writes = append(r.writes, m)
		}
	}
	if len(r.writes) == 0 || len(r.writes) > maxBatchWrite {
		return invalid("1 validation error detected: Value at 'requestItems' failed to satisfy constraint: Member must have length less than or equal to 25 and greater than or equal to 1")
	}
	return nil
}

func (r *batchWriteItem) execute(s *Service) (any, *awsapi.Error) {
	r.cost = cost{}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for i := range r.writes {
		m := &r.writes[i]
		old, updated, _ := m.compute() // without a condition nothing is refused
		r.cost.addWrite(m.table, written(old, updated), 1)
		r.cost.addIndexes(m.table, old, updated)
		m.table.store(m.key, updated, false, now)
	}
	return struct {
		UnprocessedItems map[string]any `json:"UnprocessedItems"`
		ConsumedCapacity []capacity     `json:"ConsumedCapacity,omitempty"`
	}{map[string]any{}, r.cost.shown(r.ReturnConsumedCapacity)}, nil
}
