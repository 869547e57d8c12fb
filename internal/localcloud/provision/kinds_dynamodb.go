package provision

import (
	"context"
	"fmt"
	"slices"

	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb/attribute"
)

// tableKinds are the tables.
func tableKinds(s *dynamodb.Service) map[string]kind {
	return map[string]kind{"aws:dynamodb/table:Table": tableKind(s)}
}

type tableInputs struct {
	Name        string `json:"name" change:"replace"`
	BillingMode string `json:"billingMode"`
	HashKey     string `json:"hashKey" change:"replace"`
	RangeKey    string `json:"rangeKey" change:"replace"`
	Attributes  []struct {
		Name string `json:"name"`
		Type string `json:"type"`
	} `json:"attributes"`
	GlobalSecondaryIndexes []indexInputs `json:"globalSecondaryIndexes"`
	TTL                    struct {
		AttributeName string `json:"attributeName"`
		Enabled       *bool  `json:"enabled"`
	} `json:"ttl"`
	DeletionProtectionEnabled bool `json:"deletionProtectionEnabled"`
	PointInTimeRecovery       struct {
		Enabled bool `json:"enabled"`
	} `json:"pointInTimeRecovery"`
	ServerSideEncryption struct {
		Enabled   bool   `json:"enabled"`
		KMSKeyARN string `json:"kmsKeyArn"`
	} `json:"serverSideEncryption"`
	Tags       map[string]string `json:"tags"`
	TableClass noEffect          `json:"tableClass"`
}

// validate refuses what DynamoDB refuses beyond the service's own checks.
func (in tableInputs) validate() error {
	if in.BillingMode != "PAY_PER_REQUEST" {
		return fmt.Errorf("billingMode %q has no counterpart in the local cloud, only PAY_PER_REQUEST has", in.BillingMode)
	}
	keys := in.keys()
	if len(in.Attributes) != len(keys) {
		return fmt.Errorf("all attributes must be indexed: %d are declared for the keys %v", len(in.Attributes), keys)
	}
	for _, declared := range in.Attributes {
		if !slices.Contains(keys, declared.Name) {
			return fmt.Errorf("attribute %q is not a key", declared.Name)
		}
	}
	return nil
}

// keys are the names of the key attributes of the table and its indexes.
func (in tableInputs) keys() []string {
	names := []string{in.HashKey, in.RangeKey}
	for _, index := range in.GlobalSecondaryIndexes {
		names = append(names, index.HashKey, index.RangeKey)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool { return name == "" })
}

type indexInputs struct {
	Name             string   `json:"name"`
	HashKey          string   `json:"hashKey"`
	RangeKey         string   `json:"rangeKey"`
	ProjectionType   string   `json:"projectionType"`
	NonKeyAttributes []string `json:"nonKeyAttributes"`
}

func (in tableInputs) spec() dynamodb.Spec {
	spec := dynamodb.Spec{
		Name: in.Name, HashKey: in.key(in.HashKey), RangeKey: in.key(in.RangeKey), Tags: in.Tags,
		PointInTimeRecovery: in.PointInTimeRecovery.Enabled, DeletionProtection: in.DeletionProtectionEnabled,
		KMSKeyARN: in.ServerSideEncryption.KMSKeyARN,
	}
	for _, index := range in.GlobalSecondaryIndexes {
		spec.Indexes = append(spec.Indexes, dynamodb.IndexSpec{
			Name: index.Name, HashKey: in.key(index.HashKey), RangeKey: in.key(index.RangeKey),
			Projection: index.ProjectionType, NonKeyAttributes: index.NonKeyAttributes,
		})
	}
	if in.TTL.Enabled != nil && *in.TTL.Enabled {
		spec.TTLAttribute = in.TTL.AttributeName
	}
	return spec
}

func (in tableInputs) key(name string) dynamodb.Key {
	key := dynamodb.Key{Name: name}
	for _, declared := range in.Attributes {
		if declared.Name == name {
			key.Kind = attribute.Kind(declared.Type)
		}
	}
	return key
}

func tableKind(s *dynamodb.Service) kind {
	return newKind(realised[tableInputs]{
		name:     autoname{property: "name", max: 255},
		validate: tableInputs.validate,
		onCreate: func(_ context.Context, _ Resource, in tableInputs) (string, Outputs, error) {
			arn, err := s.CreateTable(in.spec())
			return in.Name, Outputs{"arn": arn, "streamArn": "", "streamLabel": ""}, err
		},
		onUpdate: func(_ context.Context, _ string, _, in tableInputs) (Outputs, error) {
			return nil, s.UpdateTable(in.spec())
		},
		onDelete: func(_ context.Context, id string, _ tableInputs) error { return s.DeleteTable(id) },
	})
}
