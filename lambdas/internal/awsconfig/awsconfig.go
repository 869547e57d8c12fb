// Package awsconfig builds the configuration of the AWS clients from what the
// Lambda runtime puts in the environment, and nothing else. The SDK's own
// loader also knows profiles, SSO, STS and the instance metadata service, which
// a function never needs and which cost start-up time and archive size.
package awsconfig

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
)

// Names of the variables, as the AWS SDKs define them. The runtime sets the
// first four; the endpoint overrides exist outside AWS only.
const (
	region          = "AWS_REGION"
	accessKeyID     = "AWS_ACCESS_KEY_ID"
	secretAccessKey = "AWS_SECRET_ACCESS_KEY" //nolint:gosec // a name, no secret
	sessionToken    = "AWS_SESSION_TOKEN"     //nolint:gosec // a name, no secret
	endpointURL     = "AWS_ENDPOINT_URL"
	ignoreEndpoints = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
)

// Load returns a configuration with the Region, the credentials and the
// endpoint overrides that getenv reports. AWS_ENDPOINT_URL_<SERVICE> wins over
// AWS_ENDPOINT_URL.
func Load(getenv func(string) string) aws.Config {
	env := environment{getenv}
	cfg := aws.Config{
		Region:        getenv(region),
		Credentials:   aws.NewCredentialsCache(aws.CredentialsProviderFunc(env.credentials)),
		ConfigSources: []any{env},
		HTTPClient:    HTTPClient(),
		APIOptions:    []func(*middleware.Stack) error{limitCalls(MaxCalls), growStack},
	}
	if url := env.endpoint(endpointURL); url != "" {
		cfg.BaseEndpoint = &url
	}
	return cfg
}

// environment is a configuration source that the service clients ask for the
// endpoint of their service.
type environment struct{ getenv func(string) string }

func (e environment) credentials(context.Context) (aws.Credentials, error) {
	c := aws.Credentials{
		AccessKeyID:     e.getenv(accessKeyID),
		SecretAccessKey: e.getenv(secretAccessKey),
		SessionToken:    e.getenv(sessionToken),
		Source:          "environment",
	}
	if !c.HasKeys() {
		return c, errors.New("reading credentials: " + accessKeyID + " and " + secretAccessKey + " must be set")
	}
	return c, nil
}

// GetServiceBaseEndpoint answers the lookup of a service client by the SDK's id
// of its service, such as "Bedrock Runtime".
func (e environment) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	name := strings.ToUpper(strings.ReplaceAll(sdkID, " ", "_"))
	url := e.endpoint(endpointURL + "_" + name)
	if url == "" {
		url = e.endpoint(endpointURL)
	}
	return url, url != "", nil
}

// GetIgnoreConfiguredEndpoints reports whether the overrides are switched off.
func (e environment) GetIgnoreConfiguredEndpoints(context.Context) (bool, bool, error) {
	return e.ignored(), true, nil
}

func (e environment) endpoint(name string) string {
	if e.ignored() {
		return ""
	}
	return e.getenv(name)
}

func (e environment) ignored() bool { return strings.EqualFold(e.getenv(ignoreEndpoints), "true") }
