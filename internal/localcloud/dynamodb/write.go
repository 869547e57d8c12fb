package dynamodb

import (
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/expression"
)

// expressions are the parameters that conditional requests share.
type expressions struct {
	ConditionExpression       *string                    `json:"ConditionExpression"`
	ExpressionAttributeNames  map[string]string          `json:"ExpressionAttributeNames"`
	ExpressionAttributeValues map[string]attribute.Value `json:"ExpressionAttributeValues"`
	ReturnValuesOnFailure     string                     `json:"ReturnValuesOnConditionCheckFailure"`
}

// mutation is one write, ready to be done: alone or as part of a transaction.
type mutation struct {
	table     *table
	key       key
	condition *expression.Condition
	returnOld bool // in the error of a failed condition
	check     bool // nothing is written: ConditionCheck
	// change returns the new item, nil for none.
	change func(old attribute.Item) (attribute.Item, *awsapi.Error)
}

// compute decides on a mutation and returns what to store. The caller holds the
// lock.
func (m *mutation) compute() (old, updated attribute.Item, refusal *awsapi.Error) {
	old = m.table.find(m.key).current()
	if !m.condition.Holds(old) {
		if m.returnOld {
			return old, old, conditionFailed(old)
		}
		return old, old, conditionFailed(nil)
	}
	if m.check {
		return old, old, nil
	}
	updated, refusal = m.change(old)
	if refusal != nil {
		return old, old, refusal
	}
	return old, updated, nil
}

// single is what PutItem, UpdateItem and DeleteItem have in common.
type single struct {
	mutation mutation
	entry    *writing
	cost     cost
}

func (w *single) places() ([]string, bool) {
	return []string{w.mutation.table.place(w.mutation.key)}, false
}

func (w *single) overlaps(entry *writing) { w.entry = entry }
func (w *single) consumed() cost          { return w.cost }

// do performs the write and returns the item before and after it.
func (w *single) do(s *Service) (old, updated attribute.Item, refusal *awsapi.Error) {
	m := &w.mutation
	w.cost = cost{}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := m.table.find(m.key)
	if w.entry.rejected || r != nil && r.transacted && s.faults.TransactionConflict() {
		return nil, nil, conflicting()
	}
	old, updated, refusal = m.compute()
	w.cost.addWrite(m.table, written(old, updated), 1)
	if refusal == nil {
		w.cost.addIndexes(m.table, old, updated)
		m.table.store(m.key, updated, false, time.Now())
	}
	return old, updated, refusal
}

// prepareCondition parses the condition of a request; more expressions of it may
// have been parsed in the same scope.
func (e *expressions) prepareCondition(scope *expression.Scope, m *mutation) *awsapi.Error {
	if e.ConditionExpression != nil {
		condition, err := scope.Condition("ConditionExpression", *e.ConditionExpression)
		if err != nil {
			return invalid(err.Error())
		}
		m.condition = condition
	}
	switch e.ReturnValuesOnFailure {
	case "", "NONE":
	case "ALL_OLD":
		m.returnOld = true
	default:
		return invalid("Value '" + e.ReturnValuesOnFailure + "' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, NONE]")
	}
	if err := scope.Unused(); err != nil {
		return invalid(err.Error())
	}
	return nil
}

func (e *expressions) scope() *expression.Scope {
	return expression.NewScope(e.ExpressionAttributeNames, e.ExpressionAttributeValues)
}

// put is a Put, alone or in a transaction.
type put struct {
	TableName string         `json:"TableName"`
	Item      attribute.Item `json:"Item"`
	expressions
}

func (p *put) mutation(s *Service) (m mutation, refusal *awsapi.Error) {
	if m.table, refusal = s.table(p.TableName); refusal != nil {
		return m, refusal
	}
	if m.key, refusal = m.table.keyOf(p.Item); refusal != nil {
		return m, refusal
	}
	if refusal = checkItem(p.Item, "Item size has exceeded the maximum allowed size"); refusal != nil {
		return m, refusal
	}
	if refusal = m.table.checkIndexKeys(p.Item); refusal != nil {
		return m, refusal
	}
	m.change = func(attribute.Item) (attribute.Item, *awsapi.Error) { return p.Item, nil }
	return m, p.prepareCondition(p.scope(), &m)
}

func checkItem(item attribute.Item, tooLarge string) *awsapi.Error {
	if item.Size() > attribute.MaxItemSize {
		return invalid(tooLarge)
	}
	if err := item.CheckDepth(); err != nil {
		return invalid(err.Error())
	}
	return nil
}

// remove is a Delete, alone or in a transaction.
type remove struct {
	TableName string         `json:"TableName"`
	Key       attribute.Item `json:"Key"`
	expressions
}

func (d *remove) mutation(s *Service) (m mutation, refusal *awsapi.Error) {
	if m.table, m.key, refusal = s.tableAndKey(d.TableName, d.Key); refusal != nil {
		return m, refusal
	}
	m.change = func(attribute.Item) (attribute.Item, *awsapi.Error) { return nil, nil }
	return m, d.prepareCondition(d.scope(), &m)
}

func (s *Service) tableAndKey(name string, given attribute.Item) (*table, key, *awsapi.Error) {
	t, refusal := s.table(name)
	if refusal != nil {
		return nil, key{}, refusal
	}
	k, refusal := t.exactKey(given)
	return t, k, refusal
}

// check is a ConditionCheck of a transaction.
type check struct {
	TableName string         `json:"TableName"`
	Key       attribute.Item `json:"Key"`
	expressions
}

func (c *check) mutation(s *Service) (m mutation, refusal *awsapi.Error) {
	if m.table, m.key, refusal = s.tableAndKey(c.TableName, c.Key); refusal != nil {
		return m, refusal
	}
	if c.ConditionExpression == nil {
		return m, invalid("The ConditionExpression must not be null in ConditionCheck")
	}
	m.check = true
	return m, c.prepareCondition(c.scope(), &m)
}

// update is an Update, alone or in a transaction.
type update struct {
	TableName        string         `json:"TableName"`
	Key              attribute.Item `json:"Key"`
	UpdateExpression *string        `json:"UpdateExpression"`
	expressions

	parsed *expression.Update
}

func (u *update) mutation(s *Service) (m mutation, refusal *awsapi.Error) {
	if m.table, m.key, refusal = s.tableAndKey(u.TableName, u.Key); refusal != nil {
		return m, refusal
	}
	scope := u.scope()
	u.parsed = &expression.Update{}
	if u.UpdateExpression != nil {
		parsed, err := scope.Update(*u.UpdateExpression)
		if err != nil {
			return m, invalid(err.Error())
		}
		u.parsed = parsed
	}
	for _, path := range u.parsed.Paths() {
		if m.table.isKey(path.Top()) {
			return m, invalid("One or more parameter values were invalid: Cannot update attribute " + path.Top() + ". This attribute is part of the key")
		}
	}
	t := m.table
	m.change = func(old attribute.Item) (attribute.Item, *awsapi.Error) { return u.apply(t, old) }
	return m, u.prepareCondition(scope, &m)
}

// apply returns the updated item; one that did not exist begins with its key.
func (u *update) apply(t *table, old attribute.Item) (attribute.Item, *awsapi.Error) {
	base := old
	if base == nil {
		base = u.Key
	}
	updated, err := u.parsed.Apply(base)
	if err != nil {
		return nil, invalid(err.Error())
	}
	if refusal := checkItem(updated, "Item size to update has exceeded the maximum allowed size"); refusal != nil {
		return nil, refusal
	}
	return updated, t.checkIndexKeys(updated)
}
