package localcloud

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/bedrock"
	"github.com/streaming-service/streaming-service/internal/localcloud/cloudfront"
	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
	"github.com/streaming-service/streaming-service/internal/localcloud/faults"
	"github.com/streaming-service/streaming-service/internal/localcloud/gateway"
	"github.com/streaming-service/streaming-service/internal/localcloud/guard"
	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
	"github.com/streaming-service/streaming-service/internal/localcloud/sqs"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
	"github.com/streaming-service/streaming-service/internal/localcloud/websocket"
)

// services are the parts of AWS that a cloud runs.
type services struct {
	roles     *iam.Service
	faults    *faults.Injector
	meter     *usage.Meter
	tables    *dynamodb.Service
	queues    *sqs.Service
	buckets   *s3.Service
	sites     *cloudfront.Service
	functions *lambda.Service
	users     *cognito.Service
	rest      *restapi.Service
	sockets   *websocket.Service
	model     http.Handler
}

// logTail is how many lines of each function /_local/logs shows.
const logTail = 500

// newServices starts the services.
func (c *Cloud) newServices(ctx context.Context) (*services, error) {
	o, url := c.options, c.URL
	s := &services{roles: iam.New(), faults: faults.New(o.Seed), meter: usage.New()}
	admission := guard.New(s.roles, s.faults, s.meter)
	s.tables = dynamodb.New(admission, dynamodb.WithFaults(s.faults), dynamodb.WithMeter(s.meter))
	s.queues = sqs.New(admission, sqs.WithFaults(s.faults), sqs.WithBaseURL(url))
	s.buckets = s3.New(s3.Deps{Guard: admission, Keys: s.roles})
	s.sites = cloudfront.New(cloudfront.Deps{Buckets: siteObjects{s.buckets, c.localize}, Policies: s.roles})
	s.users = cognito.New(cognito.Deps{Guard: admission, Credentials: s.roles.Credentials})
	var err error
	if s.model, err = s.newModel(ctx, o, admission); err != nil {
		return nil, err
	}
	if s.functions, err = lambda.New(s.functionOptions(o, admission, url)); err != nil {
		return nil, fmt.Errorf("starting Lambda: %w", err)
	}
	account := gateway.NewAccountThrottle()
	invoker := gateway.InvokerFunc(s.invokeAs)
	s.rest = restapi.New(restapi.Deps{Invoker: invoker, Streamer: streamer{s.functions}, Tokens: s.users, Meter: s.meter, Account: account})
	s.sockets = websocket.New(websocket.Deps{Invoker: invoker, Guard: admission, Faults: s.faults, Meter: s.meter, Account: account})
	return s, nil
}

func (s *services) newModel(ctx context.Context, o Options, admission awsapi.Guard) (http.Handler, error) {
	if o.Model == ModelScripted {
		return bedrock.NewScripted(admission, bedrock.WithFaults(s.modelFault), bedrock.WithMeter(s.countModel), bedrock.WithWait(bedrock.Exactly)), nil
	}
	real, err := bedrock.NewPassthrough(ctx, admission, "")
	if err != nil {
		return nil, fmt.Errorf("using the real Bedrock: %w", err)
	}
	return real, nil
}

func (s *services) functionOptions(o Options, admission awsapi.Guard, url func() string) lambda.Options {
	options := lambda.Options{
		Guard:       admission,
		Authorize:   s.roles.Allowed,
		Credentials: s.roles.Credentials,
		Assumable:   func(roleARN string) error { return s.roles.CanAssume(roleARN, "lambda.amazonaws.com") },
		EndpointURL: url,
		Queue:       polledQueues{s.queues},
		Faults:      s.functionFault,
		Meter:       s.count,
		LogTail:     logTail,
		Env:         o.FunctionEnv,
	}
	if o.DataDir != "" {
		options.LogDir = filepath.Join(o.DataDir, "logs")
	}
	return options
}

// invokeAs invokes a function for an API.
func (s *services) invokeAs(ctx context.Context, principal, sourceARN, functionARN string, payload []byte) ([]byte, string, error) {
	result, err := s.functions.InvokeAs(ctx, principal, sourceARN, functionARN, payload)
	return result.Payload, result.FunctionError, err
}

// streamer invokes functions for the REST APIs.
type streamer struct{ functions *lambda.Service }

// InvokeStreamAs implements restapi.Streamer.
func (s streamer) InvokeStreamAs(ctx context.Context, principal, sourceARN, functionARN string, payload []byte) (io.ReadCloser, error) {
	response, err := s.functions.InvokeStreamAs(ctx, principal, sourceARN, functionARN, payload)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

// functionFault asks the injected faults what befalls an invocation.
func (s *services) functionFault(function string) lambda.Fault {
	drawn := s.faults.DecideFunction(function)
	fault := lambda.Fault{Kill: drawn.Kind == "kill", Panic: drawn.Kind == "panic", Timeout: drawn.Kind == "timeout", At: drawn.At}
	if drawn.Kind == "freeze" {
		fault.Freeze = freezeTime
	}
	return fault
}

// freezeTime is how long a frozen function stands still: longer than the lease
// of an attempt, so that another attempt takes over meanwhile.
const freezeTime = 40 * time.Second

func (s *services) modelFault() bedrock.Fault {
	drawn := s.faults.DecideModel()
	return bedrock.Fault{Error: drawn.Error, Truncate: drawn.Truncate, Hang: drawn.Hang, AfterTokens: drawn.AfterTokens}
}

func (s *services) countModel(used bedrock.Usage) {
	s.meter.Add(usage.ModelCalls, 1, used.Body)
	s.meter.Add(usage.ModelInTokens, float64(used.InputTokens), used.Body)
	s.meter.Add(usage.ModelOutTokens, float64(used.OutputTokens), used.Body)
}

func (s *services) count(used lambda.Invocation) {
	s.meter.Invocation(used.Function, used.MemoryMB, (used.Init + used.Duration).Seconds(), used.Cold, used.Error != "", used.Event)
	if used.StreamedBytes > 0 {
		s.meter.Add(usage.BytesStreamed, float64(used.StreamedBytes), used.Event)
	}
}

// close ends the services that hold processes, sockets and timers.
func (s *services) close(ctx context.Context) {
	s.sockets.Close(ctx)
	s.functions.Close()
}

// polledQueues are the queues as event source mappings poll them.
type polledQueues struct{ *sqs.Service }

// Receive implements lambda.Queue.
func (q polledQueues) Receive(ctx context.Context, queueARN string, o lambda.ReceiveOptions) ([]lambda.Message, error) {
	received, err := q.Service.Receive(ctx, queueARN, sqs.ReceiveOptions(o))
	if err != nil {
		return nil, err
	}
	messages := make([]lambda.Message, len(received))
	for i, m := range received {
		messages[i] = lambda.Message{
			ID: m.ID, ReceiptHandle: m.ReceiptHandle, Body: m.Body, MD5OfBody: m.MD5OfBody,
			Attributes: m.Attributes, MessageAttributes: make(map[string]lambda.MessageAttribute, len(m.MessageAttributes)),
		}
		for name, a := range m.MessageAttributes {
			messages[i].MessageAttributes[name] = lambda.MessageAttribute{DataType: a.DataType, StringValue: a.StringValue, BinaryValue: a.BinaryValue}
		}
	}
	return messages, nil
}

var _ lambda.Queue = polledQueues{}
