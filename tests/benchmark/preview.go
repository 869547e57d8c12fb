package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/components"
)

// previewTarget is the longest that a preview may take.
const previewTarget = time.Second

// measurePreview declares the component with Pulumi's mocks in place of AWS
// and without building functions, beside a program that declares nothing.
func measurePreview(ctx context.Context, b *bench) (result, error) {
	var r result
	var component, empty sample
	resources := 0
	for range b.times(20, 5) {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		took, _, err := preview(func(*pulumi.Context) error { return nil })
		if err != nil {
			return r, err
		}
		empty = append(empty, took)
		took, resources, err = preview(func(p *pulumi.Context) error {
			_, err := components.NewStreamingService(p, "service", &components.StreamingServiceArgs{FunctionBuilder: noBuilder{}})
			return err
		})
		if err != nil {
			return r, err
		}
		component = append(component, took)
	}
	r.add(measure{
		what: fmt.Sprintf("component of %d resources", resources), value: milliseconds(component.median()),
		spread: fmt.Sprintf("p95 %s, first %s", milliseconds(component.at(0.95)), milliseconds(component[0])),
		beside: "a program without resources " + milliseconds(empty.median()),
		target: "≤ 1 s", met: component.at(0.95) <= previewTarget,
	})
	return r, nil
}

// preview runs a program once and returns how many resources it declared.
func preview(program pulumi.RunFunc) (time.Duration, int, error) {
	m := &mocks{}
	begun := time.Now()
	if err := pulumi.RunErr(program, pulumi.WithMocks("streaming-service", "benchmark", m)); err != nil {
		return 0, 0, fmt.Errorf("previewing: %w", err)
	}
	return time.Since(begun), int(m.resources.Load()), nil
}

// noBuilder names functions that are not built.
type noBuilder struct{}

func (noBuilder) Build(_ context.Context, function, architecture string) (string, error) {
	return function + "-" + architecture + ".zip", nil
}

// mocks stand in for AWS.
type mocks struct{ resources atomic.Int32 }

// NewResource implements pulumi.MockResourceMonitor.
func (m *mocks) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	m.resources.Add(1)
	outputs := args.Inputs.Copy()
	for key, value := range map[resource.PropertyKey]string{
		"name": args.Name, "arn": "arn:" + args.Name, "invokeArn": "arn:invoke:" + args.Name, "executionArn": "arn:execute:" + args.Name,
		"url": "https://sqs/" + args.Name, "apiEndpoint": "wss://" + args.Name, "rootResourceId": "root", "invokeUrl": "wss://" + args.Name + "/v1",
	} {
		if _, given := outputs[key]; !given {
			outputs[key] = resource.NewStringProperty(value)
		}
	}
	return args.Name + "-id", outputs, nil
}

// Call implements pulumi.MockResourceMonitor.
func (m *mocks) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	answers := map[string]map[string]any{
		"aws:index/getRegion:getRegion":                 {"name": "us-east-1", "id": "us-east-1"},
		"aws:index/getPartition:getPartition":           {"partition": "aws", "dnsSuffix": "amazonaws.com", "id": "aws"},
		"aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "000000000000", "id": "000000000000"},
	}
	answer, ok := answers[args.Token]
	if !ok {
		return nil, fmt.Errorf("the mocks know no function %s", args.Token)
	}
	return resource.NewPropertyMapFromMap(answer), nil
}
