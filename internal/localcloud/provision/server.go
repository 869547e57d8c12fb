package provision

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/streaming-service/streaming-service/internal/awsprovider"
)

// Serve serves the provider over gRPC on a free loopback port until stop is
// called. A Pulumi engine uses it as its provider "aws" when
// PULUMI_DEBUG_PROVIDERS is "aws:PORT".
func Serve(ctx context.Context, provider *Provider, options ...grpc.ServerOption) (address string, stop func(), err error) {
	return serve(ctx, func(s *grpc.Server) {
		pulumirpc.RegisterResourceProviderServer(s, &server{provider: provider})
	}, options...)
}

// server is the provider as a Pulumi engine talks to it.
type server struct {
	pulumirpc.UnimplementedResourceProviderServer

	provider *Provider
}

// Handshake implements pulumirpc.ResourceProviderServer.
func (s *server) Handshake(context.Context, *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{}, nil
}

// Attach implements pulumirpc.ResourceProviderServer.
func (s *server) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Cancel implements pulumirpc.ResourceProviderServer. Nothing that the provider
// does waits, so there is nothing to cancel.
func (s *server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// GetPluginInfo implements pulumirpc.ResourceProviderServer.
func (s *server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: awsprovider.Version}, nil
}

// GetSchema implements pulumirpc.ResourceProviderServer with a schema without
// resources: programs bring the types of their SDK.
func (s *server) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: `{"name":"aws","version":"` + awsprovider.Version + `"}`}, nil
}

// CheckConfig implements pulumirpc.ResourceProviderServer.
func (s *server) CheckConfig(_ context.Context, in *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: in.GetNews()}, nil
}

// DiffConfig implements pulumirpc.ResourceProviderServer.
func (s *server) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
}

// Configure implements pulumirpc.ResourceProviderServer. The engine hands no
// secrets over as such, and so keeps secret what came from a secret input.
func (s *server) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{SupportsPreview: true}, nil
}

// Invoke implements pulumirpc.ResourceProviderServer.
func (s *server) Invoke(_ context.Context, in *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	args, err := unmarshal(in.GetArgs())
	if err != nil {
		return nil, err
	}
	result, err := s.provider.Invoke(in.GetTok(), args)
	if err != nil {
		return nil, err
	}
	object, err := marshal(result)
	return &pulumirpc.InvokeResponse{Return: object}, err
}

// Check implements pulumirpc.ResourceProviderServer. A resource keeps the name
// that it once got.
func (s *server) Check(_ context.Context, in *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	old, inputs, err := unmarshalBoth(in.GetOlds(), in.GetNews())
	if err != nil {
		return nil, err
	}
	r := identity(in.GetUrn())
	name := s.provider.nameOf(r.Type)
	given := inputs.HasValue(name)
	if !given && autonamed(old, name) {
		inputs[name] = old[name]
	}
	checked, err := s.provider.Check(r, in.GetRandomSeed(), inputs)
	if err != nil {
		return &pulumirpc.CheckResponse{Failures: []*pulumirpc.CheckFailure{{Reason: err.Error()}}}, nil
	}
	if !given && checked.HasValue(name) {
		checked[defaultsKey] = resource.NewProperty([]resource.PropertyValue{resource.NewProperty(string(name))})
	}
	object, err := marshal(checked)
	return &pulumirpc.CheckResponse{Inputs: object}, err
}

// defaultsKey is the input that lists, as in pulumi-aws, what Check filled in.
const defaultsKey = "__defaults"

// autonamed tells whether the provider chose the name in inputs. Its successor
// in a replacement gets another one.
func autonamed(inputs resource.PropertyMap, name resource.PropertyKey) bool {
	return inputs.HasValue(name) && inputs.HasValue(defaultsKey)
}

// Diff implements pulumirpc.ResourceProviderServer.
func (s *server) Diff(_ context.Context, in *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	old, inputs, err := unmarshalBoth(in.GetOldInputs(), in.GetNews())
	if err != nil {
		return nil, err
	}
	name := s.provider.nameOf(identity(in.GetUrn()).Type)
	given := inputs.HasValue(name) && !autonamed(inputs, name)
	for _, ignored := range append(in.GetIgnoreChanges(), defaultsKey) {
		delete(old, resource.PropertyKey(ignored))
		delete(inputs, resource.PropertyKey(ignored))
	}
	change, err := s.provider.Diff(identity(in.GetUrn()).Type, old, inputs)
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, Diffs: change.Properties, Replaces: change.Replaces}
	if len(change.Properties) > 0 {
		response.Changes = pulumirpc.DiffResponse_DIFF_SOME
	}
	if given && len(change.Replaces) > 0 {
		// A replacement under the same name cannot stand beside the old one.
		response.DeleteBeforeReplace = same(old[name], inputs[name])
	}
	return response, nil
}

// Create implements pulumirpc.ResourceProviderServer.
func (s *server) Create(ctx context.Context, in *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	if in.GetPreview() {
		return &pulumirpc.CreateResponse{Properties: in.GetProperties()}, nil
	}
	inputs, err := unmarshal(in.GetProperties())
	if err != nil {
		return nil, err
	}
	id, outputs, err := s.provider.Create(ctx, identity(in.GetUrn()), inputs)
	if err != nil {
		return nil, err
	}
	object, err := marshal(outputs)
	return &pulumirpc.CreateResponse{Id: id, Properties: object}, err
}

// Update implements pulumirpc.ResourceProviderServer.
func (s *server) Update(ctx context.Context, in *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	old, inputs, err := unmarshalBoth(in.GetOldInputs(), in.GetNews())
	if err != nil {
		return nil, err
	}
	outputs, err := unmarshal(in.GetOlds())
	if err != nil {
		return nil, err
	}
	overlay(outputs, inputs)
	if !in.GetPreview() {
		outputs, err = s.provider.Update(ctx, identity(in.GetUrn()), in.GetId(), old, inputs)
		if err != nil {
			return nil, err
		}
	}
	object, err := marshal(outputs)
	return &pulumirpc.UpdateResponse{Properties: object}, err
}

// Read implements pulumirpc.ResourceProviderServer. What is gone has no id.
func (s *server) Read(_ context.Context, in *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	outputs, ok := s.provider.Read(in.GetUrn(), in.GetId())
	if !ok {
		return &pulumirpc.ReadResponse{}, nil
	}
	properties, err := marshal(outputs)
	return &pulumirpc.ReadResponse{Id: in.GetId(), Properties: properties, Inputs: in.GetInputs()}, err
}

// Delete implements pulumirpc.ResourceProviderServer.
func (s *server) Delete(ctx context.Context, in *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	inputs, err := unmarshal(in.GetOldInputs())
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, s.provider.Delete(ctx, identity(in.GetUrn()), in.GetId(), inputs)
}

// overlay writes the inputs over the outputs of a resource; what objects have
// beyond their inputs stays.
func overlay(outputs, inputs resource.PropertyMap) {
	for key, value := range inputs {
		if before := outputs[key]; before.IsObject() && value.IsObject() {
			merged := before.ObjectValue().Copy()
			overlay(merged, value.ObjectValue())
			value = resource.NewProperty(merged)
		}
		outputs[key] = value
	}
}

func unmarshalBoth(a, b *structpb.Struct) (x, y resource.PropertyMap, err error) {
	if x, err = unmarshal(a); err != nil {
		return nil, nil, fmt.Errorf("reading old properties: %w", err)
	}
	if y, err = unmarshal(b); err != nil {
		return nil, nil, fmt.Errorf("reading new properties: %w", err)
	}
	return x, y, nil
}

func identity(urn string) Resource {
	u := resource.URN(urn)
	return Resource{URN: urn, Type: string(u.Type()), Name: u.Name()}
}
