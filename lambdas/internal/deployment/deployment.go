// Package deployment reads how a deployed service is configured.
package deployment

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// Environment returns the environment variables of a function, by name or ARN.
func Environment(ctx context.Context, cfg aws.Config, function string) (map[string]string, error) {
	out, err := lambda.NewFromConfig(cfg).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of function %s: %w", function, err)
	}
	if out.Environment == nil {
		return nil, errors.New("function " + function + " has no environment")
	}
	return out.Environment.Variables, nil
}
