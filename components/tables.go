package components

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/schema"
)

// tables are where the service keeps its state.
type tables struct {
	quota       *dynamodb.Table // an item for each user
	connections *dynamodb.Table // live sockets
	requests    *dynamodb.Table // requests, their input and the log of their answer
}

func (b *build) newTables() (err error) {
	b.tables = &tables{}
	if b.tables.quota, err = b.newTable("quota-table", withOpenIndex); err != nil {
		return err
	}
	if b.tables.connections, err = b.newTable("connections-table"); err != nil {
		return err
	}
	b.tables.requests, err = b.newTable("requests-table")
	return err
}

// newTable creates a table with generic keys, so that what is stored may grow
// without replacing it.
func (b *build) newTable(role string, options ...func(*dynamodb.TableArgs)) (*dynamodb.Table, error) {
	args := &dynamodb.TableArgs{
		BillingMode:               pulumi.String("PAY_PER_REQUEST"),
		HashKey:                   pulumi.String(schema.PartitionKey),
		RangeKey:                  pulumi.String(schema.SortKey),
		Attributes:                attributes(schema.PartitionKey, "S", schema.SortKey, "S"),
		Ttl:                       &dynamodb.TableTtlArgs{AttributeName: pulumi.String(schema.ExpiresAt), Enabled: pulumi.Bool(true)},
		PointInTimeRecovery:       &dynamodb.TablePointInTimeRecoveryArgs{Enabled: orFalse(b.args.Protection.PointInTimeRecovery)},
		DeletionProtectionEnabled: pulumi.Bool(b.isProtected()),
		Tags:                      b.args.Tags,
	}
	for _, option := range options {
		option(args)
	}
	if key := b.args.Protection.KmsKeyArn; key != nil {
		args.ServerSideEncryption = &dynamodb.TableServerSideEncryptionArgs{Enabled: pulumi.Bool(true), KmsKeyArn: key}
	}
	table, err := dynamodb.NewTable(b.ctx, b.child(role), args, b.protected()...)
	if err != nil {
		return nil, fmt.Errorf("creating %s: %w", role, err)
	}
	return table, nil
}

// withOpenIndex adds the sparse index of the accounts with open requests, so that
// the sweep need not read the others. It holds keys only.
func withOpenIndex(table *dynamodb.TableArgs) {
	table.Attributes = attributes(schema.PartitionKey, "S", schema.SortKey, "S", schema.OpenShard, "S", schema.OpenSince, "N")
	table.GlobalSecondaryIndexes = dynamodb.TableGlobalSecondaryIndexArray{&dynamodb.TableGlobalSecondaryIndexArgs{
		Name:           pulumi.String(schema.OpenIndex),
		HashKey:        pulumi.String(schema.OpenShard),
		RangeKey:       pulumi.String(schema.OpenSince),
		ProjectionType: pulumi.String("KEYS_ONLY"),
	}}
}

// attributes declares key attributes, each with its type.
func attributes(namesAndTypes ...string) dynamodb.TableAttributeArray {
	var declared dynamodb.TableAttributeArray
	for pair := range slices.Chunk(namesAndTypes, 2) {
		declared = append(declared, &dynamodb.TableAttributeArgs{Name: pulumi.String(pair[0]), Type: pulumi.String(pair[1])})
	}
	return declared
}

func (b *build) isProtected() bool { return *b.args.Protection.DeletionProtection }

func (b *build) ifProtected(yes, no string) string {
	if b.isProtected() {
		return yes
	}
	return no
}

// protected are the options of a resource that holds data: Pulumi refuses to
// delete it, as AWS does.
func (b *build) protected() []pulumi.ResourceOption {
	return b.options(pulumi.Protect(b.isProtected()))
}

func orFalse(input pulumi.BoolPtrInput) pulumi.BoolInput {
	if v, known := plain(input); known {
		return pulumi.Bool(v == true)
	}
	return input.ToBoolPtrOutput().Elem()
}
