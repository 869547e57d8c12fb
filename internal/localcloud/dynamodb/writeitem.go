package dynamodb

import (
	"slices"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/expression"
)

// writeAnswer is the answer of PutItem, UpdateItem and DeleteItem.
type writeAnswer struct {
	Attributes       attribute.Item `json:"Attributes,omitempty"`
	ConsumedCapacity *capacity      `json:"ConsumedCapacity,omitempty"`
}

// answerOptions are what a write is asked to answer.
type answerOptions struct {
	ReturnValues           string `json:"ReturnValues"`
	ReturnConsumedCapacity string `json:"ReturnConsumedCapacity"`
	ReturnItemCollection   string `json:"ReturnItemCollectionMetrics"` // there are no collections without indexes
}

func (o *answerOptions) check(allowed ...string) *awsapi.Error {
	if slices.Contains(append(allowed, "", "NONE"), o.ReturnValues) {
		return nil
	}
	return invalid("Return values set to invalid value")
}

// answerOld runs a write that may be asked for the old item at most.
func (o *answerOptions) answerOld(s *Service, write *single) (any, *awsapi.Error) {
	old, _, refusal := write.do(s)
	if refusal != nil {
		return nil, refusal
	}
	answer := writeAnswer{ConsumedCapacity: write.cost.shownOne(o.ReturnConsumedCapacity)}
	if o.ReturnValues == "ALL_OLD" {
		answer.Attributes = old
	}
	return answer, nil
}

type putItem struct {
	put
	answerOptions
	single
}

func (r *putItem) permissions() []awsapi.Permission { return permit("PutItem", r.TableName) }

func (r *putItem) prepare(s *Service) (refusal *awsapi.Error) {
	if refusal = r.check("ALL_OLD"); refusal != nil {
		return refusal
	}
	r.single.mutation, refusal = r.put.mutation(s)
	return refusal
}

func (r *putItem) execute(s *Service) (any, *awsapi.Error) {
	return r.answerOld(s, &r.single)
}

type deleteItem struct {
	remove
	answerOptions
	single
}

func (r *deleteItem) permissions() []awsapi.Permission { return permit("DeleteItem", r.TableName) }

func (r *deleteItem) prepare(s *Service) (refusal *awsapi.Error) {
	if refusal = r.check("ALL_OLD"); refusal != nil {
		return refusal
	}
	r.single.mutation, refusal = r.remove.mutation(s)
	return refusal
}

func (r *deleteItem) execute(s *Service) (any, *awsapi.Error) {
	return r.answerOld(s, &r.single)
}

type updateItem struct {
	update
	answerOptions
	single
}

func (r *updateItem) permissions() []awsapi.Permission { return permit("UpdateItem", r.TableName) }

func (r *updateItem) prepare(s *Service) (refusal *awsapi.Error) {
	if refusal = r.check("ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"); refusal != nil {
		return refusal
	}
	r.single.mutation, refusal = r.update.mutation(s)
	return refusal
}

func (r *updateItem) execute(s *Service) (any, *awsapi.Error) {
	old, updated, refusal := r.do(s)
	if refusal != nil {
		return nil, refusal
	}
	return writeAnswer{Attributes: r.asked(old, updated), ConsumedCapacity: r.cost.shownOne(r.ReturnConsumedCapacity)}, nil
}

func (r *updateItem) asked(old, updated attribute.Item) attribute.Item {
	paths := r.parsed.Paths()
	switch {
	case r.ReturnValues == "ALL_OLD":
		return old
	case r.ReturnValues == "ALL_NEW":
		return updated
	case r.ReturnValues == "UPDATED_OLD" && len(paths) > 0:
		return expression.Project(old, paths)
	case r.ReturnValues == "UPDATED_NEW" && len(paths) > 0:
		return expression.Project(updated, paths)
	}
	return nil
}
