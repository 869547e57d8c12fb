package dynamodb

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/expression"
)

// maxPage is how much a query or scan reads before it stops, in bytes.
const maxPage = 1 << 20

// search is what Query and Scan have in common.
type search struct {
	TableName                 string                     `json:"TableName"`
	IndexName                 string                     `json:"IndexName"`
	ConsistentRead            bool                       `json:"ConsistentRead"`
	ExclusiveStartKey         attribute.Item             `json:"ExclusiveStartKey"`
	ExpressionAttributeNames  map[string]string          `json:"ExpressionAttributeNames"`
	ExpressionAttributeValues map[string]attribute.Value `json:"ExpressionAttributeValues"`
	FilterExpression          *string                    `json:"FilterExpression"`
	Limit                     *int                       `json:"Limit"`
	ProjectionExpression      *string                    `json:"ProjectionExpression"`
	ReturnConsumedCapacity    string                     `json:"ReturnConsumedCapacity"`
	Select                    string                     `json:"Select"`

	table  *table
	start  *key
	filter *expression.Condition
	keep   []expression.Path
	page   page
	cost   cost
}

// page is what one call read.
type page struct {
	items   []attribute.Item
	scanned int
	size    int
	last    attribute.Item // nil if the end was reached
}

func (r *search) consumed() cost { return r.cost }

// permit is the permission to read the table, or the index alone.
func (r *search) permit(action string) []awsapi.Permission {
	needed := permit(action, r.TableName)
	if r.IndexName != "" {
		needed[0].Resource = IndexSpec{Name: r.IndexName}.ARN(nameOf(r.TableName))
	}
	return needed
}

func (r *search) prepare(s *Service, scope *expression.Scope) (refusal *awsapi.Error) {
	if r.table, refusal = s.tableOrIndex(r.TableName, r.IndexName); refusal != nil {
		return refusal
	}
	if r.ExclusiveStartKey != nil {
		start, refusal := r.table.exactKey(r.ExclusiveStartKey)
		if refusal != nil {
			return invalid("The provided starting key is invalid: " + refusal.Message)
		}
		r.start = &start
	}
	if r.Limit != nil && *r.Limit < 1 {
		return invalid(fmt.Sprintf("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1", *r.Limit))
	}
	return r.prepareExpressions(scope)
}

func (r *search) prepareExpressions(scope *expression.Scope) *awsapi.Error {
	var err error
	if r.FilterExpression != nil {
		if r.filter, err = scope.Condition("FilterExpression", *r.FilterExpression); err != nil {
			return invalid(err.Error())
		}
	}
	if r.ProjectionExpression != nil {
		if r.keep, err = scope.Projection(*r.ProjectionExpression); err != nil {
			return invalid(err.Error())
		}
	}
	if err := scope.Unused(); err != nil {
		return invalid(err.Error())
	}
	return r.checkSelect()
}

func (r *search) checkSelect() *awsapi.Error {
	switch r.Select {
	case "", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "COUNT", "SPECIFIC_ATTRIBUTES":
	default:
		return invalid("the local cloud does not know Select " + r.Select)
	}
	if r.Select != "" && r.Select != "SPECIFIC_ATTRIBUTES" && r.ProjectionExpression != nil {
		return invalid("Cannot specify the ProjectionExpression when choosing to get " + r.Select)
	}
	return r.checkIndexRead()
}

// take adds a record to the page; false once the page is full.
func (r *search) take(item attribute.Item) bool {
	r.page.scanned++
	r.page.size += item.Size()
	if r.filter.Holds(item) {
		r.page.items = append(r.page.items, expression.Project(item, r.keep))
	}
	if r.Limit != nil && r.page.scanned >= *r.Limit || r.page.size >= maxPage {
		r.page.last = r.table.keyAttributes(item)
		return false
	}
	return true
}

func (r *search) answer() any {
	r.cost = cost{}
	r.cost.addRead(r.table, r.page.size, readFactor(r.ConsistentRead))
	answer := struct {
		Items            *[]attribute.Item `json:"Items,omitempty"`
		Count            int               `json:"Count"`
		ScannedCount     int               `json:"ScannedCount"`
		LastEvaluatedKey attribute.Item    `json:"LastEvaluatedKey,omitempty"`
		ConsumedCapacity *capacity         `json:"ConsumedCapacity,omitempty"`
	}{
		Count: len(r.page.items), ScannedCount: r.page.scanned, LastEvaluatedKey: r.page.last,
		ConsumedCapacity: r.cost.shownOne(r.ReturnConsumedCapacity),
	}
	if r.Select != "COUNT" {
		items := append([]attribute.Item{}, r.page.items...)
		answer.Items = &items
	}
	return answer
}

// staleOnce draws once for a whole read, as one replica answers it.
func staleOnce(draw func() bool) func() bool {
	drawn, stale := false, false
	return func() bool {
		if !drawn {
			drawn, stale = true, draw()
		}
		return stale
	}
}

type query struct {
	search
	KeyConditionExpression *string `json:"KeyConditionExpression"`
	ScanIndexForward       *bool   `json:"ScanIndexForward"`

	condition expression.KeyCondition
}

func (r *query) permissions() []awsapi.Permission { return r.permit("Query") }

func (r *query) prepare(s *Service) *awsapi.Error {
	t, refusal := s.tableOrIndex(r.TableName, r.IndexName)
	if refusal != nil {
		return refusal
	}
	if r.KeyConditionExpression == nil {
		return invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	scope := expression.NewScope(r.ExpressionAttributeNames, r.ExpressionAttributeValues)
	condition, err := scope.KeyCondition(*r.KeyConditionExpression, t.spec.HashKey.Name, t.spec.RangeKey.Name)
	if err != nil {
		return invalid(err.Error())
	}
	r.condition = condition
	if condition.Partition.Kind != t.spec.HashKey.Kind {
		return invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
	}
	return r.search.prepare(s, scope)
}

func (r *query) execute(s *Service) (any, *awsapi.Error) {
	now, stale := time.Now(), staleOnce(s.faults.StaleRead)
	s.mu.RLock()
	for _, record := range r.candidates() {
		item := record.seen(r.ConsistentRead, now, stale)
		if item != nil && r.condition.Range.Holds(item) && !r.take(item) {
			break
		}
	}
	s.mu.RUnlock()
	return r.answer(), nil
}

// candidates returns the partition's records in the order of the query, after
// its starting key.
func (r *query) candidates() []*record {
	p := r.table.partitions[r.condition.Partition.Text]
	if p == nil {
		return nil
	}
	forward := r.ScanIndexForward == nil || *r.ScanIndexForward
	records := p.records
	if r.start != nil {
		i, found := p.position(*r.start)
		switch {
		case !forward:
			records = records[:i]
		case found:
			records = records[i+1:]
		default:
			records = records[i:]
		}
	}
	if !forward {
		records = slices.Clone(records)
		slices.Reverse(records)
	}
	return records
}

type scan struct {
	search
	Segment       *int `json:"Segment"`
	TotalSegments *int `json:"TotalSegments"`
}

// maxSegments is DynamoDB's limit of a parallel scan.
const maxSegments = 1_000_000

func (r *scan) permissions() []awsapi.Permission { return r.permit("Scan") }

func (r *scan) prepare(s *Service) *awsapi.Error {
	switch {
	case (r.Segment == nil) != (r.TotalSegments == nil):
		return invalid("The TotalSegments and Segment parameters must both be present")
	case r.Segment != nil && (*r.TotalSegments < 1 || *r.TotalSegments > maxSegments || *r.Segment < 0 || *r.Segment >= *r.TotalSegments):
		return invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments")
	}
	return r.search.prepare(s, expression.NewScope(r.ExpressionAttributeNames, r.ExpressionAttributeValues))
}

func (r *scan) execute(s *Service) (any, *awsapi.Error) {
	now, stale := time.Now(), staleOnce(s.faults.StaleRead)
	s.mu.Lock() // for the order of partitions, which it may have to make
	defer s.mu.Unlock()
	order := r.table.scanOrder()
	for _, p := range order[r.from(order):] {
		if r.Segment != nil && int(p.hash%uint64(*r.TotalSegments)) != *r.Segment { //nolint:gosec // both are small and positive
			continue
		}
		for _, record := range r.after(p) {
			if item := record.seen(r.ConsistentRead, now, stale); item != nil && !r.take(item) {
				return r.answer(), nil
			}
		}
	}
	return r.answer(), nil
}

// from is where in the order of partitions the scan goes on.
func (r *scan) from(order []*partition) int {
	if r.start == nil {
		return 0
	}
	return sort.Search(len(order), func(i int) bool { return comparePartitions(order[i], newPartition(r.start.partition)) >= 0 })
}

func (r *scan) after(p *partition) []*record {
	if r.start == nil || p.key != r.start.partition {
		return p.records
	}
	i, found := p.position(*r.start)
	if found {
		i++
	}
	return p.records[i:]
}
