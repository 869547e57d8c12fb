package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
)

// lambdaKinds are functions, what may invoke them, and what they poll.
func lambdaKinds(s *lambda.Service) map[string]kind {
	return map[string]kind{
		"aws:lambda/function:Function":                                   functionKind(s),
		"aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": eventInvokeConfigKind(s),
		"aws:lambda/permission:Permission":                               permissionKind(s),
		"aws:lambda/eventSourceMapping:EventSourceMapping":               mappingKind(s),
	}
}

type functionInputs struct {
	Name          string   `json:"name" change:"replace"`
	Code          string   `json:"code"` // path of the zip
	Handler       string   `json:"handler"`
	Runtime       string   `json:"runtime"`
	Role          string   `json:"role"`
	Architectures []string `json:"architectures"`
	MemorySize    int      `json:"memorySize"`
	Timeout       int      `json:"timeout"`
	Reserved      *int     `json:"reservedConcurrentExecutions"`
	PackageType   string   `json:"packageType" change:"replace"`
	Environment   struct {
		Variables map[string]string `json:"variables"`
	} `json:"environment"`
	LoggingConfig struct {
		LogFormat           string `json:"logFormat"`
		ApplicationLogLevel string `json:"applicationLogLevel"`
		SystemLogLevel      string `json:"systemLogLevel"`
		LogGroup            string `json:"logGroup"`
	} `json:"loggingConfig"`
	Description      noEffect `json:"description"`
	EphemeralStorage noEffect `json:"ephemeralStorage"`
	KMSKeyARN        noEffect `json:"kmsKeyArn"`
	Publish          noEffect `json:"publish"`
	SkipDestroy      noEffect `json:"skipDestroy"`
	SourceCodeHash   noEffect `json:"sourceCodeHash"`
	Tags             noEffect `json:"tags"`
	TracingConfig    noEffect `json:"tracingConfig"`
}

func (in functionInputs) spec() lambda.Spec {
	return lambda.Spec{
		Name: in.Name, RoleARN: in.Role, ZipPath: in.Code, Handler: in.Handler, Runtime: in.Runtime,
		Architectures: in.Architectures, MemorySize: in.MemorySize, Timeout: in.Timeout,
		Environment: in.Environment.Variables, Reserved: in.Reserved,
		Logging: lambda.Logging{
			Format: in.LoggingConfig.LogFormat, ApplicationLevel: in.LoggingConfig.ApplicationLogLevel,
			SystemLevel: in.LoggingConfig.SystemLogLevel, Group: in.LoggingConfig.LogGroup,
		},
	}
}

func functionKind(s *lambda.Service) kind {
	return newKind(realised[functionInputs]{
		name: autoname{property: "name", max: 64},
		defaults: resource.PropertyMap{
			"memorySize":                   resource.NewNumberProperty(128),
			"timeout":                      resource.NewNumberProperty(3),
			"packageType":                  resource.NewStringProperty("Zip"),
			"reservedConcurrentExecutions": resource.NewNumberProperty(-1),
		},
		validate: func(in functionInputs) error {
			if in.PackageType != "Zip" {
				return fmt.Errorf("packageType %q has no counterpart in the local cloud", in.PackageType)
			}
			if in.Code == "" {
				return errors.New("code must be the archive of a zip file in the local cloud")
			}
			return nil
		},
		onCreate: func(_ context.Context, _ Resource, in functionInputs) (string, Outputs, error) {
			arn, invokeARN, err := s.CreateFunction(in.spec())
			return in.Name, Outputs{
				"arn": arn, "invokeArn": invokeARN, "version": "$LATEST",
				"qualifiedArn": arn + ":$LATEST", "qualifiedInvokeArn": invokeARN, "lastModified": now(),
			}, err
		},
		onUpdate: func(_ context.Context, _ string, _, in functionInputs) (Outputs, error) {
			return Outputs{"lastModified": now()}, s.UpdateFunction(in.spec())
		},
		onDelete: func(_ context.Context, id string, _ functionInputs) error { return s.DeleteFunction(id) },
	})
}

type permissionInputs struct {
	Action      string `json:"action"`
	Function    string `json:"function"`
	Principal   string `json:"principal"`
	SourceARN   string `json:"sourceArn"`
	StatementID string `json:"statementId"`
	// SourceAccount is that of a source ARN in the one local account.
	SourceAccount noEffect `json:"sourceAccount"`
}

func permissionKind(s *lambda.Service) kind {
	return newKind(realised[permissionInputs]{
		name: autoname{property: "statementId", max: 100},
		onCreate: func(_ context.Context, _ Resource, in permissionInputs) (string, Outputs, error) {
			return in.StatementID, nil, s.AddPermission(in.Function, lambda.Permission{
				StatementID: in.StatementID, Action: in.Action, Principal: in.Principal, SourceARN: in.SourceARN,
			})
		},
		onDelete: func(_ context.Context, id string, in permissionInputs) error {
			return s.RemovePermission(in.Function, id)
		},
	})
}

type eventInvokeConfigInputs struct {
	FunctionName             string `json:"functionName" change:"replace"`
	MaximumEventAgeInSeconds int    `json:"maximumEventAgeInSeconds"`
	MaximumRetryAttempts     int    `json:"maximumRetryAttempts"`
}

func eventInvokeConfigKind(s *lambda.Service) kind {
	put := func(in eventInvokeConfigInputs) error {
		return s.PutEventInvokeConfig(in.FunctionName, lambda.EventInvokeConfig{
			MaximumRetryAttempts: in.MaximumRetryAttempts, MaximumEventAge: time.Duration(in.MaximumEventAgeInSeconds) * time.Second,
		})
	}
	return newKind(realised[eventInvokeConfigInputs]{
		defaults: resource.PropertyMap{
			"maximumEventAgeInSeconds": resource.NewNumberProperty(21_600), "maximumRetryAttempts": resource.NewNumberProperty(2),
		},
		onCreate: func(_ context.Context, _ Resource, in eventInvokeConfigInputs) (string, Outputs, error) {
			return in.FunctionName, nil, put(in)
		},
		onUpdate: func(_ context.Context, _ string, _, in eventInvokeConfigInputs) (Outputs, error) { return nil, put(in) },
		onDelete: func(_ context.Context, id string, _ eventInvokeConfigInputs) error {
			return s.DeleteEventInvokeConfig(id)
		},
	})
}

type mappingInputs struct {
	EventSourceARN                 string   `json:"eventSourceArn" change:"replace"`
	FunctionName                   string   `json:"functionName"`
	BatchSize                      int      `json:"batchSize"`
	Enabled                        *bool    `json:"enabled"`
	FunctionResponseTypes          []string `json:"functionResponseTypes"`
	MaximumBatchingWindowInSeconds int      `json:"maximumBatchingWindowInSeconds"`
	ScalingConfig                  struct {
		MaximumConcurrency int `json:"maximumConcurrency"`
	} `json:"scalingConfig"`
	KMSKeyARN     noEffect `json:"kmsKeyArn"`
	MetricsConfig noEffect `json:"metricsConfig"`
	Tags          noEffect `json:"tags"`
}

func (in mappingInputs) spec() lambda.MappingSpec {
	return lambda.MappingSpec{
		QueueARN: in.EventSourceARN, Function: in.FunctionName, BatchSize: in.BatchSize,
		BatchingWindow:         time.Duration(in.MaximumBatchingWindowInSeconds) * time.Second,
		MaximumConcurrency:     in.ScalingConfig.MaximumConcurrency,
		ReportBatchItemFailure: slices.Contains(in.FunctionResponseTypes, "ReportBatchItemFailures"),
		Disabled:               in.Enabled != nil && !*in.Enabled,
	}
}

func mappingKind(s *lambda.Service) kind {
	return newKind(realised[mappingInputs]{
		defaults: resource.PropertyMap{"batchSize": resource.NewNumberProperty(10), "enabled": resource.NewBoolProperty(true)},
		onCreate: func(_ context.Context, _ Resource, in mappingInputs) (string, Outputs, error) {
			id, err := s.CreateEventSourceMapping(in.spec())
			return id, Outputs{
				"uuid": id, "arn": awsapi.ARN("lambda", "event-source-mapping:"+id),
				"functionArn": lambda.FunctionARN(in.FunctionName), "state": "Enabled", "lastModified": now(),
			}, err
		},
		onUpdate: func(_ context.Context, id string, _, in mappingInputs) (Outputs, error) {
			return Outputs{"lastModified": now()}, s.UpdateEventSourceMapping(id, in.spec())
		},
		onDelete: func(_ context.Context, id string, _ mappingInputs) error { return s.DeleteEventSourceMapping(id) },
	})
}
