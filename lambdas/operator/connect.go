// Package operator is what those who run the service do to the quotas of its
// users: look, override, grant, block, list, and audit. It is no function. It
// stands here because it reads and writes with the functions' own store, by
// their own rules, and Go lets nothing outside lambdas import those.
package operator

import (
	"context"
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // the operator's machine may have none

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/lambdas/internal/config"
	"github.com/streaming-service/streaming-service/lambdas/internal/deployment"
	"github.com/streaming-service/streaming-service/lambdas/internal/directory"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
)

// ErrNoUser says that the user pool has no such user.
var ErrNoUser = directory.ErrNoUser

// Target is the deployed service to operate on.
type Target struct {
	// Function is the name or ARN of the quota function, functionArns.quota of
	// the outputs: its environment names the tables and the limits.
	Function string
	// UserPoolID is the user pool, userPoolId of the outputs.
	UserPoolID string
	// Endpoint is the address of a local cloud. Empty: AWS, with the
	// credentials of the environment or the profile.
	Endpoint string
	// Region is the AWS Region. Empty: that of the environment.
	Region string
}

// Operator operates on the quotas of a service.
type Operator struct {
	store     *dynamo.Store
	directory *directory.Directory
	tiers     environment.Tiers
	prices    map[string]life.Price
	unpriced  []string // allowed models without a price
	calendar  life.Calendar
	now       life.Now
}

// Connect reads the configuration of the target.
func Connect(ctx context.Context, target Target) (*Operator, error) {
	cfg, err := target.load(ctx)
	if err != nil {
		return nil, err
	}
	variables, err := deployment.Environment(ctx, cfg, target.Function)
	if err != nil {
		return nil, err
	}
	settings, err := config.Load(func(name string) string { return variables[name] },
		environment.QuotaTable, environment.RequestsTable, environment.QuotaTiers, environment.TimeZone,
		environment.ModelPrices, environment.AllowedModelIDs)
	if err != nil {
		return nil, fmt.Errorf("function %s is not a quota function: %w", target.Function, err)
	}
	return &Operator{
		store:     dynamo.New(dynamodb.NewFromConfig(cfg), dynamo.Tables{Quota: settings.QuotaTable, Requests: settings.RequestsTable}),
		directory: directory.New(cfg, target.UserPoolID),
		tiers:     settings.Tiers,
		prices:    settings.Prices,
		unpriced:  settings.Unpriced(),
		calendar:  settings.Calendar,
		now:       time.Now,
	}, nil
}

func (t Target) load(ctx context.Context) (aws.Config, error) {
	if t.Function == "" || t.UserPoolID == "" {
		return aws.Config{}, errors.New("the quota function and the user pool must be named")
	}
	var options []func(*awsconfig.LoadOptions) error
	if t.Region != "" {
		options = append(options, awsconfig.WithRegion(t.Region))
	}
	if t.Endpoint != "" {
		options = append(options, awsconfig.WithBaseEndpoint(t.Endpoint),
			awsconfig.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("local", "local", "")))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return cfg, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return cfg, errors.New("no AWS Region is set")
	}
	return cfg, nil
}
