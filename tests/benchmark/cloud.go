package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/internal/localcloud"
	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
	"github.com/streaming-service/streaming-service/internal/localservice"
	"github.com/streaming-service/streaming-service/internal/stack"
)

// Tokens of the resources that rows look at.
const (
	functionType = "aws:lambda/function:Function"
	mappingType  = "aws:lambda/eventSourceMapping:EventSourceMapping"
)

// memoryVariable is how Lambda tells a function its memory, in MB.
const memoryVariable = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"

// cloud is a local cloud in this process, with its functions in processes of
// their own, and what the program declared for them.
type cloud struct {
	*localcloud.Cloud
	config outputs

	mu           sync.Mutex
	environments map[string]map[string]string // by function
}

// outputs are those of the program, and what is local.
type outputs struct {
	client.Config
	OpenAIURL         string            `json:"openAiUrl"`
	QueueURL          string            `json:"queueUrl"`
	RequestsTableName string            `json:"requestsTableName"`
	FunctionARNs      map[string]string `json:"functionArns"`
}

// startCloud runs the service as the stack dev configures it, but for overrides
// as `pulumi config set --path` takes them. Variables are further ones for every
// function.
func (b *bench) startCloud(ctx context.Context, variables map[string]string, keep func(provision.Resource) bool, overrides ...string) (*cloud, error) {
	c := &cloud{environments: map[string]map[string]string{}}
	var err error
	c.Cloud, err = localcloud.New(localservice.Program(), localcloud.Options{
		Addr: "127.0.0.1:0", Builder: b.host, FunctionEnv: variables, Overrides: overrides,
		Alter: func(r provision.Resource, inputs resource.PropertyMap) bool {
			if r.Type == functionType {
				c.keepEnvironment(r, inputs)
			}
			return keep(r)
		},
	})
	if err != nil {
		return nil, err
	}
	if err := c.Start(ctx); err != nil {
		_ = c.Close() // the error of the start says more
		return nil, fmt.Errorf("starting the local cloud: %w", err)
	}
	if err := c.get(ctx, "/_local/outputs", &c.config); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// operator may do anything in a local cloud.
var operator = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
})

// plainBodies hides the WriteTo of the SDK's request bodies, which makes
// net/http drop the connection when an answer overtakes the request (smithy-go
// v1.28). The functions do the same.
type plainBodies struct{}

// Do implements aws.HTTPClient.
func (plainBodies) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return http.DefaultClient.Do(r)
}

// everything keeps all resources.
func everything(provision.Resource) bool { return true }

func (c *cloud) keepEnvironment(r provision.Resource, inputs resource.PropertyMap) {
	variables := map[string]string{}
	declared, _ := inputs.Mappable()["environment"].(map[string]any)
	values, _ := declared["variables"].(map[string]any)
	for name, value := range values {
		variables[name] = fmt.Sprint(value)
	}
	variables[memoryVariable] = fmt.Sprint(inputs.Mappable()["memorySize"])
	c.mu.Lock()
	defer c.mu.Unlock()
	c.environments[strings.TrimPrefix(r.Name, stack.ServiceName+"-")] = variables
}

// environment is that of a function that is started outside the local cloud
// but uses its services, as an operator who may do anything.
func (c *cloud) environment(function string) map[string]string {
	variables := map[string]string{
		"AWS_REGION": c.config.Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
		"AWS_ENDPOINT_URL": c.URL(), "AWS_LAMBDA_FUNCTION_NAME": function,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(variables, c.environments[function])
	return variables
}

// get reads JSON from a path of the cloud's address.
func (c *cloud) get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL()+path, nil)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("reading %s: %s", path, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}
