package provision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// Program is a Pulumi program and the stack that it is run for.
type Program struct {
	Project string
	Stack   string
	Config  map[string]string // by full key, "project:key"
	Body    pulumi.RunFunc
	Alter   Alter // nil: everything is made as declared
}

// Alter sees each resource of a program before it is made. It may change the
// inputs; a resource that it does not keep is not made, though others may still
// refer to it. Tests show with it what a missing piece breaks.
type Alter func(r Resource, inputs resource.PropertyMap) (keep bool)

// Run runs the program against the provider, without a Pulumi engine, and
// returns what it declared. The first resource that fails ends the run with an
// error that names it.
func Run(ctx context.Context, provider *Provider, program Program, logger *slog.Logger) (*Graph, error) {
	monitor := newMonitor(ctx, provider, program, logger)
	address, stop, err := serve(ctx, func(server *grpc.Server) {
		pulumirpc.RegisterResourceMonitorServer(server, monitor)
		pulumirpc.RegisterEngineServer(server, &engine{logger: logger})
	})
	if err != nil {
		return nil, fmt.Errorf("starting the resource monitor: %w", err)
	}
	defer stop()

	err = pulumi.RunErr(program.Body, func(info *pulumi.RunInfo) {
		*info = pulumi.RunInfo{
			Project: program.Project, Stack: program.Stack, Config: program.Config,
			MonitorAddr: address, EngineAddr: address,
		}
	})
	if failure := monitor.failed(); failure != nil {
		return nil, failure
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, unwrapProgramError(err)
	}
	return monitor.graph, nil
}

// serve starts a gRPC server on a free loopback port.
func serve(ctx context.Context, register func(*grpc.Server), options ...grpc.ServerOption) (address string, stop func(), err error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := grpc.NewServer(append(options, grpc.MaxRecvMsgSize(maxMessage))...)
	register(server)
	go func() { _ = server.Serve(listener) }() // ends with Stop
	return listener.Addr().String(), server.Stop, nil
}

// maxMessage is the largest gRPC message of Pulumi, bytes.
const maxMessage = 400 << 20

// unwrapProgramError drops the list that the SDK makes of a single error.
func unwrapProgramError(err error) error {
	var list interface{ WrappedErrors() []error }
	if errors.As(err, &list) && len(list.WrappedErrors()) == 1 {
		return list.WrappedErrors()[0]
	}
	return err
}
