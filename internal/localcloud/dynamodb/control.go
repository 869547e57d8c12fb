package dynamodb

import (
	"maps"
	"slices"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

type listTables struct {
	ExclusiveStartTableName string `json:"ExclusiveStartTableName"`
	Limit                   *int   `json:"Limit"`
}

func (r *listTables) permissions() []awsapi.Permission { return permitAll("ListTables") }
func (r *listTables) prepare(*Service) *awsapi.Error   { return nil }

func (r *listTables) execute(s *Service) (any, *awsapi.Error) {
	names := s.tableNames()
	names = slices.DeleteFunc(names, func(name string) bool { return name <= r.ExclusiveStartTableName })
	answer := struct {
		TableNames []string `json:"TableNames"`
		Last       string   `json:"LastEvaluatedTableName,omitempty"`
	}{TableNames: append([]string{}, names...)}
	if r.Limit != nil && *r.Limit > 0 && len(names) > *r.Limit {
		answer.TableNames = names[:*r.Limit]
		answer.Last = names[*r.Limit-1]
	}
	return answer, nil
}

// onTable is a request about one table.
type onTable struct {
	TableName string `json:"TableName"`

	table *table
}

func (r *onTable) prepare(s *Service) (refusal *awsapi.Error) {
	r.table, refusal = s.table(r.TableName)
	return refusal
}

type describeTable struct{ onTable }

func (r *describeTable) permissions() []awsapi.Permission {
	return permit("DescribeTable", r.TableName)
}

func (r *describeTable) execute(s *Service) (any, *awsapi.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return map[string]any{"Table": r.table.description()}, nil
}

func (t *table) description() map[string]any {
	items, size := t.count()
	described := map[string]any{
		"TableName": t.spec.Name, "TableArn": ARN(t.spec.Name), "TableStatus": "ACTIVE", "ItemCount": items, "TableSizeBytes": size,
		"CreationDateTime": float64(t.created.UnixMilli()) / 1000, "KeySchema": t.schema(), "AttributeDefinitions": t.definitions(),
		"BillingModeSummary":        map[string]string{"BillingMode": "PAY_PER_REQUEST"},
		"DeletionProtectionEnabled": t.spec.DeletionProtection,
	}
	if indexes := t.describedIndexes(); len(indexes) > 0 {
		described["GlobalSecondaryIndexes"] = indexes
	}
	if t.spec.KMSKeyARN != "" {
		described["SSEDescription"] = map[string]string{"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": t.spec.KMSKeyARN}
	}
	return described
}

// definitions are the types of all key attributes, those of indexes included.
func (t *table) definitions() []map[string]string {
	keys := t.keys()
	for _, index := range t.indexes {
		for _, k := range index.keys() {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	definitions := make([]map[string]string, len(keys))
	for i, k := range keys {
		definitions[i] = map[string]string{"AttributeName": k.Name, "AttributeType": string(k.Kind)}
	}
	return definitions
}

type describeTimeToLive struct{ onTable }

func (r *describeTimeToLive) permissions() []awsapi.Permission {
	return permit("DescribeTimeToLive", r.TableName)
}

func (r *describeTimeToLive) execute(*Service) (any, *awsapi.Error) {
	described := map[string]string{"TimeToLiveStatus": "DISABLED"}
	if r.table.spec.TTLAttribute != "" {
		described = map[string]string{"TimeToLiveStatus": "ENABLED", "AttributeName": r.table.spec.TTLAttribute}
	}
	return map[string]any{"TimeToLiveDescription": described}, nil
}

type describeContinuousBackups struct{ onTable }

func (r *describeContinuousBackups) permissions() []awsapi.Permission {
	return permit("DescribeContinuousBackups", r.TableName)
}

func (r *describeContinuousBackups) execute(*Service) (any, *awsapi.Error) {
	status := "DISABLED"
	if r.table.spec.PointInTimeRecovery {
		status = "ENABLED"
	}
	return map[string]any{"ContinuousBackupsDescription": map[string]any{
		"ContinuousBackupsStatus":        "ENABLED",
		"PointInTimeRecoveryDescription": map[string]string{"PointInTimeRecoveryStatus": status},
	}}, nil
}

type listTagsOfResource struct {
	ResourceArn string `json:"ResourceArn"`
	NextToken   string `json:"NextToken"`

	table *table
}

func (r *listTagsOfResource) permissions() []awsapi.Permission {
	return permit("ListTagsOfResource", r.ResourceArn)
}

func (r *listTagsOfResource) prepare(s *Service) (refusal *awsapi.Error) {
	r.table, refusal = s.table(r.ResourceArn)
	return refusal
}

func (r *listTagsOfResource) execute(*Service) (any, *awsapi.Error) {
	tags := []map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(r.table.spec.Tags)) {
		tags = append(tags, map[string]string{"Key": name, "Value": r.table.spec.Tags[name]})
	}
	return map[string]any{"Tags": tags}, nil
}

type describeEndpoints struct{}

func (r *describeEndpoints) permissions() []awsapi.Permission { return permitAll("DescribeEndpoints") }
func (r *describeEndpoints) prepare(*Service) *awsapi.Error   { return nil }

func (r *describeEndpoints) execute(*Service) (any, *awsapi.Error) {
	address := "dynamodb." + awsapi.Region + "." + awsapi.DNSSuffix
	return map[string]any{"Endpoints": []map[string]any{{"Address": address, "CachePeriodInMinutes": 1440}}}, nil
}

// createTable is for programs that bring their own tables, such as tests; those
// of the service are declared.
type createTable struct {
	TableName              string      `json:"TableName"`
	KeySchema              []keySchema `json:"KeySchema"`
	GlobalSecondaryIndexes []struct {
		IndexName             string      `json:"IndexName"`
		KeySchema             []keySchema `json:"KeySchema"`
		ProvisionedThroughput any         `json:"ProvisionedThroughput"`
		Projection            struct {
			ProjectionType   string   `json:"ProjectionType"`
			NonKeyAttributes []string `json:"NonKeyAttributes"`
		} `json:"Projection"`
	} `json:"GlobalSecondaryIndexes"`
	AttributeDefinitions []struct {
		AttributeName string         `json:"AttributeName"`
		AttributeType attribute.Kind `json:"AttributeType"`
	} `json:"AttributeDefinitions"`
	BillingMode               string `json:"BillingMode"`
	ProvisionedThroughput     any    `json:"ProvisionedThroughput"` // every table here is on demand
	DeletionProtectionEnabled bool   `json:"DeletionProtectionEnabled"`

	spec Spec
}

func (r *createTable) permissions() []awsapi.Permission { return permit("CreateTable", r.TableName) }

func (r *createTable) prepare(*Service) *awsapi.Error {
	r.spec = Spec{Name: r.TableName, DeletionProtection: r.DeletionProtectionEnabled}
	kinds := map[string]attribute.Kind{}
	for _, definition := range r.AttributeDefinitions {
		kinds[definition.AttributeName] = definition.AttributeType
	}
	if refusal := readSchema(r.KeySchema, kinds, &r.spec.HashKey, &r.spec.RangeKey); refusal != nil {
		return refusal
	}
	for _, index := range r.GlobalSecondaryIndexes {
		spec := IndexSpec{Name: index.IndexName, Projection: index.Projection.ProjectionType, NonKeyAttributes: index.Projection.NonKeyAttributes}
		if refusal := readSchema(index.KeySchema, kinds, &spec.HashKey, &spec.RangeKey); refusal != nil {
			return refusal
		}
		r.spec.Indexes = append(r.spec.Indexes, spec)
	}
	return nil
}

type keySchema struct {
	AttributeName string `json:"AttributeName"`
	KeyType       string `json:"KeyType"`
}

// readSchema reads the keys of a table or index.
func readSchema(schema []keySchema, kinds map[string]attribute.Kind, hash, sortKey *Key) *awsapi.Error {
	for _, element := range schema {
		kind, defined := kinds[element.AttributeName]
		if !defined {
			return invalid("One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [" + element.AttributeName + "]")
		}
		switch element.KeyType {
		case "HASH":
			*hash = Key{element.AttributeName, kind}
		case "RANGE":
			*sortKey = Key{element.AttributeName, kind}
		default:
			return invalid("Invalid KeySchema: KeyType must be HASH or RANGE")
		}
	}
	return nil
}

func (r *createTable) execute(s *Service) (any, *awsapi.Error) {
	if refusal := s.create(r.spec); refusal != nil {
		return nil, refusal
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return map[string]any{"TableDescription": s.tables[r.TableName].description()}, nil
}

type deleteTable struct{ onTable }

func (r *deleteTable) permissions() []awsapi.Permission { return permit("DeleteTable", r.TableName) }

func (r *deleteTable) execute(s *Service) (any, *awsapi.Error) {
	if refusal := s.drop(r.table.spec.Name); refusal != nil {
		return nil, refusal
	}
	described := r.table.description()
	described["TableStatus"] = "DELETING"
	return map[string]any{"TableDescription": described}, nil
}

type updateTimeToLive struct {
	onTable
	TimeToLiveSpecification struct {
		AttributeName string `json:"AttributeName"`
		Enabled       bool   `json:"Enabled"`
	} `json:"TimeToLiveSpecification"`
}

func (r *updateTimeToLive) permissions() []awsapi.Permission {
	return permit("UpdateTimeToLive", r.TableName)
}

func (r *updateTimeToLive) execute(s *Service) (any, *awsapi.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.table.spec.TTLAttribute = ""
	if r.TimeToLiveSpecification.Enabled {
		r.table.spec.TTLAttribute = r.TimeToLiveSpecification.AttributeName
	}
	return map[string]any{"TimeToLiveSpecification": r.TimeToLiveSpecification}, nil
}
