// Package dynamodb is the database of the local cloud: DynamoDB's JSON 1.0
// protocol over tables in memory, with what a design leans on there: conditions
// and update expressions by AWS's grammar, transactions with all their reasons,
// idempotency tokens and conflicts, consumed capacity, item limits, and eventual
// reads that are stale now and then.
//
// The engine is this package's own. github.com/truora/minidyn, which the tests
// compare results with and nothing else uses, copies whole tables for a transaction and scans them for a query under one lock: with 20,000 items
// 96 ms a transaction and 180 ms a query, where 1,000 streams need thousands of
// calls a second.
//
// Not here, and refused: local secondary indexes, streams, PartiQL, the parameters from
// before expressions. Items past their time to live stay until a snapshot drops
// them two days later: readers must compare the timestamp, as in AWS.
package dynamodb

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// Faults decides what goes otherwise than in a quiet table.
type Faults interface {
	OverlapConflict() bool     // of two writes that are under way on one item, one conflicts
	TransactionConflict() bool // a write to an item that transactions use conflicts
	StaleRead() bool           // an eventual read misses a recent write
}

// Meter takes the consumed capacity.
type Meter interface {
	Add(counter string, amount float64, body []byte)
}

// Service holds the tables. Its methods may be called concurrently.
type Service struct {
	guard  awsapi.Guard
	faults Faults
	meter  Meter

	mu     sync.RWMutex // of the tables and all that they hold
	tables map[string]*table

	conflicts conflicts
	tokens    tokens
}

// Option changes a new Service.
type Option func(*Service)

// WithFaults lets faults decide. Default: nothing goes wrong.
func WithFaults(faults Faults) Option { return func(s *Service) { s.faults = faults } }

// WithMeter counts consumed capacity. Default: it is not counted.
func WithMeter(meter Meter) Option { return func(s *Service) { s.meter = meter } }

// New returns a service without tables.
func New(guard awsapi.Guard, options ...Option) *Service {
	s := &Service{guard: guard, faults: quiet{}, meter: quiet{}, tables: map[string]*table{}}
	s.conflicts.underWay = map[string]*overlap{}
	s.tokens.known = map[string]*outcome{}
	for _, option := range options {
		option(s)
	}
	return s
}

type quiet struct{}

func (quiet) OverlapConflict() bool       { return false }
func (quiet) TransactionConflict() bool   { return false }
func (quiet) StaleRead() bool             { return false }
func (quiet) Add(string, float64, []byte) {}

// Key is a key attribute and its type.
type Key struct {
	Name string
	Kind attribute.Kind // S, N or B; default S
}

// Spec declares a table.
type Spec struct {
	Name                string
	HashKey             Key
	RangeKey            Key // Name "" if there is none
	Indexes             []IndexSpec
	TTLAttribute        string
	PointInTimeRecovery bool
	DeletionProtection  bool
	KMSKeyARN           string
	Tags                map[string]string
}

// ARN returns the ARN of the table of that name.
func ARN(table string) string { return awsapi.ARN("dynamodb", "table/"+table) }

var tableName = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)

// CreateTable declares a table.
func (s *Service) CreateTable(spec Spec) (arn string, err error) {
	if refusal := s.create(spec); refusal != nil {
		return "", fmt.Errorf("creating table %s: %w", spec.Name, refusal)
	}
	return ARN(spec.Name), nil
}

func (s *Service) create(spec Spec) *awsapi.Error {
	if !tableName.MatchString(spec.Name) {
		return invalid("TableName must be at least 3 characters long and at most 255 characters long, of a-z, A-Z, 0-9, '_', '-' and '.'")
	}
	if refusal := spec.validate(); refusal != nil {
		return refusal
	}
	if spec.HashKey.Name == "" {
		return invalid("No Hash Key specified in schema. All Dynamo DB Tables must have exactly one hash key")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.tables[spec.Name]; exists {
		return &awsapi.Error{Status: 400, Code: "ResourceInUseException", Message: "Table already exists: " + spec.Name}
	}
	spec.Tags = maps.Clone(spec.Tags)
	s.tables[spec.Name] = newTable(spec)
	s.tables[spec.Name].declareIndexes()
	return nil
}

func (spec *Spec) validate() *awsapi.Error {
	if refusal := validateKeys(&spec.HashKey, &spec.RangeKey); refusal != nil {
		return refusal
	}
	if len(spec.Indexes) > maxIndexes {
		return invalid(fmt.Sprintf("One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of %d", maxIndexes))
	}
	spec.Indexes = slices.Clone(spec.Indexes)
	names := map[string]bool{}
	for i := range spec.Indexes {
		index := &spec.Indexes[i]
		if refusal := index.validate(); refusal != nil {
			return refusal
		}
		if names[index.Name] {
			return invalid("One or more parameter values were invalid: Duplicate index name: " + index.Name)
		}
		names[index.Name] = true
	}
	return nil
}

// validateKeys checks the types of key attributes; the default is S.
func validateKeys(keys ...*Key) *awsapi.Error {
	for _, key := range keys {
		if key.Kind == "" {
			key.Kind = attribute.String
		}
		if key.Kind != attribute.String && key.Kind != attribute.Number && key.Kind != attribute.Binary {
			return invalid("Member must satisfy enum value set: [B, N, S]; attribute " + key.Name)
		}
	}
	return nil
}

// UpdateTable changes what may change of a table: all but its name and keys.
func (s *Service) UpdateTable(spec Spec) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tables[spec.Name]
	if !ok {
		return fmt.Errorf("updating table %s: %w", spec.Name, tableNotFound(spec.Name))
	}
	spec.HashKey, spec.RangeKey = t.spec.HashKey, t.spec.RangeKey
	if refusal := spec.validate(); refusal != nil {
		return fmt.Errorf("updating table %s: %w", spec.Name, refusal)
	}
	t.spec = spec
	t.declareIndexes()
	return nil
}

// DeleteTable removes a table and its items, unless it is protected.
func (s *Service) DeleteTable(name string) error {
	if refusal := s.drop(name); refusal != nil {
		return fmt.Errorf("deleting table %s: %w", name, refusal)
	}
	return nil
}

func (s *Service) drop(name string) *awsapi.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tables[name]
	switch {
	case !ok:
		return tableNotFound(name)
	case t.spec.DeletionProtection:
		return invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	delete(s.tables, name)
	return nil
}

// table finds a table by name or ARN.
func (s *Service) table(nameOrARN string) (*table, *awsapi.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	name := nameOf(nameOrARN)
	t, ok := s.tables[name]
	if !ok {
		return nil, tableNotFound(name)
	}
	return t, nil
}

func (s *Service) tableNames() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.tables))
}

// staleWindow is how long after a write an eventual read may miss it.
const staleWindow = 500 * time.Millisecond
