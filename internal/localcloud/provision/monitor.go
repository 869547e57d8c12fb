package provision

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// monitor is the resource monitor of a program that runs without an engine:
// each registered resource is checked and created at once.
type monitor struct {
	pulumirpc.UnimplementedResourceMonitorServer

	run      context.Context // of the whole run; its end refuses registrations
	provider *Provider
	program  Program
	logger   *slog.Logger
	graph    *Graph

	mu      sync.Mutex
	failure error
}

func newMonitor(run context.Context, provider *Provider, program Program, logger *slog.Logger) *monitor {
	return &monitor{run: run, provider: provider, program: program, logger: logger, graph: &Graph{}}
}

// errAborted answers what is registered after a failure.
var errAborted = errors.New("another resource failed")

// failed returns the first failure of a resource.
func (m *monitor) failed() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failure
}

func (m *monitor) fail(err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failure == nil {
		m.failure = err
	}
	return err
}

// GetDeploymentInfo implements pulumirpc.ResourceMonitorServer.
func (m *monitor) GetDeploymentInfo(context.Context, *emptypb.Empty) (*pulumirpc.DeploymentInfo, error) {
	return &pulumirpc.DeploymentInfo{
		Project: m.program.Project,
		Stack:   m.program.Stack,
		SupportedFeatures: []pulumirpc.ResourceMonitorFeature{
			pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_SECRETS,
			pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
			pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
			pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_DELETED_WITH,
			pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
			pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
		},
	}, nil
}

// RegisterResource implements pulumirpc.ResourceMonitorServer.
func (m *monitor) RegisterResource(ctx context.Context, in *pulumirpc.RegisterResourceRequest) (*pulumirpc.RegisterResourceResponse, error) {
	if m.failed() != nil || m.run.Err() != nil {
		return nil, errAborted
	}
	node := Node{URN: m.urn(in.GetParent(), in.GetType(), in.GetName()), Type: in.GetType(), Name: in.GetName(), Parent: in.GetParent(), Effect: true}
	if !in.GetCustom() {
		m.graph.add(node)
		return &pulumirpc.RegisterResourceResponse{Urn: node.URN, Object: in.GetObject()}, nil
	}
	inputs, err := unmarshal(in.GetObject())
	if err != nil {
		return nil, m.fail(fmt.Errorf("reading %s %q: %w", node.Type, node.Name, err))
	}
	id, outputs, err := m.create(ctx, Resource{URN: node.URN, Type: node.Type, Name: node.Name}, inputs)
	if err != nil {
		return nil, m.fail(err)
	}
	node.ID, node.Effect = id, m.provider.Types()[node.Type]
	m.graph.add(node)
	object, err := marshal(outputs)
	if err != nil {
		return nil, m.fail(fmt.Errorf("returning %s %q: %w", node.Type, node.Name, err))
	}
	return &pulumirpc.RegisterResourceResponse{Urn: node.URN, Id: id, Object: object}, nil
}

// create checks and creates a resource, as an engine would.
func (m *monitor) create(ctx context.Context, r Resource, inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
	if tokens.Type(r.Type).Package() == "pulumi" {
		return r.Name, inputs, nil // an explicit provider
	}
	if m.program.Alter != nil && !m.program.Alter(r, inputs) {
		return r.Name, inputs, nil
	}
	seed := sha256.Sum256([]byte(r.URN))
	r.Seed = seed[:]
	checked, err := m.provider.Check(r, r.Seed, inputs)
	if err != nil {
		return "", nil, err
	}
	return m.provider.Create(ctx, r, checked)
}

// ReadResource implements pulumirpc.ResourceMonitorServer.
func (m *monitor) ReadResource(_ context.Context, in *pulumirpc.ReadResourceRequest) (*pulumirpc.ReadResourceResponse, error) {
	outputs, ok := m.provider.Find(in.GetType(), in.GetId())
	if !ok {
		return nil, m.fail(fmt.Errorf("reading %s %q: there is no %s in the local cloud", in.GetType(), in.GetName(), in.GetId()))
	}
	properties, err := marshal(outputs)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.ReadResourceResponse{Urn: m.urn(in.GetParent(), in.GetType(), in.GetName()), Properties: properties}, nil
}

// RegisterResourceOutputs implements pulumirpc.ResourceMonitorServer; only the
// outputs of the stack are kept.
func (m *monitor) RegisterResourceOutputs(_ context.Context, in *pulumirpc.RegisterResourceOutputsRequest) (*emptypb.Empty, error) {
	if resource.URN(in.GetUrn()).Type() == resource.RootStackType {
		outputs, err := unmarshal(in.GetOutputs())
		if err != nil {
			return nil, m.fail(fmt.Errorf("reading stack outputs: %w", err))
		}
		m.graph.setOutputs(outputs)
	}
	return &emptypb.Empty{}, nil
}

// Invoke implements pulumirpc.ResourceMonitorServer.
func (m *monitor) Invoke(_ context.Context, in *pulumirpc.ResourceInvokeRequest) (*pulumirpc.ResourceInvokeResponse, error) {
	args, err := unmarshal(in.GetArgs())
	if err != nil {
		return nil, m.fail(err)
	}
	result, err := m.provider.Invoke(in.GetTok(), args)
	if err != nil {
		return nil, m.fail(err)
	}
	object, err := marshal(result)
	if err != nil {
		return nil, m.fail(err)
	}
	return &pulumirpc.ResourceInvokeResponse{Return: object}, nil
}

// RegisterPackage implements pulumirpc.ResourceMonitorServer.
func (m *monitor) RegisterPackage(context.Context, *pulumirpc.RegisterPackageRequest) (*pulumirpc.RegisterPackageResponse, error) {
	return &pulumirpc.RegisterPackageResponse{}, nil
}

// SignalAndWaitForShutdown implements pulumirpc.ResourceMonitorServer.
func (m *monitor) SignalAndWaitForShutdown(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (m *monitor) urn(parent, token, name string) string {
	parentType := tokens.Type("")
	if parent := resource.URN(parent); parent != "" && parent.QualifiedType() != resource.RootStackType {
		parentType = parent.QualifiedType()
	}
	return string(resource.NewURN(tokens.QName(m.program.Stack), tokens.PackageName(m.program.Project), parentType, tokens.Type(token), name))
}

func unmarshal(object *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(object, plugin.MarshalOptions{KeepUnknowns: true, ComputeAssetHashes: true})
}

func marshal(properties resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(properties, plugin.MarshalOptions{KeepUnknowns: true})
}

// engine is the part of the Pulumi engine that a running program talks to.
type engine struct {
	pulumirpc.UnimplementedEngineServer

	logger *slog.Logger

	mu   sync.Mutex
	root string
}

// Log implements pulumirpc.EngineServer.
func (e *engine) Log(ctx context.Context, in *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	levels := map[pulumirpc.LogSeverity]slog.Level{
		pulumirpc.LogSeverity_DEBUG:   slog.LevelDebug,
		pulumirpc.LogSeverity_INFO:    slog.LevelInfo,
		pulumirpc.LogSeverity_WARNING: slog.LevelWarn,
		pulumirpc.LogSeverity_ERROR:   slog.LevelError,
	}
	e.logger.LogAttrs(ctx, levels[in.GetSeverity()], in.GetMessage(), slog.String("urn", in.GetUrn()))
	return &emptypb.Empty{}, nil
}

// GetRootResource implements pulumirpc.EngineServer.
func (e *engine) GetRootResource(context.Context, *pulumirpc.GetRootResourceRequest) (*pulumirpc.GetRootResourceResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return &pulumirpc.GetRootResourceResponse{Urn: e.root}, nil
}

// SetRootResource implements pulumirpc.EngineServer.
func (e *engine) SetRootResource(_ context.Context, in *pulumirpc.SetRootResourceRequest) (*pulumirpc.SetRootResourceResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.root = in.GetUrn()
	return &pulumirpc.SetRootResourceResponse{}, nil
}
