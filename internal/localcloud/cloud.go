package localcloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"google.golang.org/grpc"

	"github.com/streaming-service/streaming-service/internal/localcloud/gateway/rawheader"
	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
)

// Cloud is AWS on this machine, with what one program declares. New checks what
// it is asked for, Start runs it and Close ends everything it started.
type Cloud struct {
	program Program
	options Options
	config  stackConfig
	store   *store // nil: nothing is kept

	listener net.Listener
	server   *http.Server
	services *services
	provider *provision.Provider
	graph    *provision.Graph
	demo     demoUser

	stopKeeping  func() // nil until data is kept
	stopProvider func()
	closeOnce    sync.Once
	closeErr     error
}

// New reads the configuration of the stack for the program. A *UsageError is a
// mistake in the options.
func New(program Program, options Options) (*Cloud, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	config, err := loadConfig(options.Root, options.Stack, options.Overrides)
	if err != nil {
		return nil, err
	}
	return &Cloud{program: program, options: options, config: config, graph: &provision.Graph{}, stopProvider: func() {}}, nil
}

// Start runs the program and serves what it declares. It returns when all of it
// is ready; on an error Close must still be called.
func (c *Cloud) Start(ctx context.Context) error {
	return run(ctx, c.openStore, c.listen, c.startServices, c.restoreUsers, c.adoptUserPool, c.provision,
		c.restoreData, c.createDemoUser, c.serve, c.keepData)
}

// StartForEngine serves the services without running the program, and returns
// the address of a provider through which a Pulumi engine runs it. Nothing is
// kept between runs. The options, such as an interceptor that makes calls fail,
// are those of the provider's server.
func (c *Cloud) StartForEngine(ctx context.Context, options ...grpc.ServerOption) (providerAddress string, err error) {
	if err := run(ctx, c.listen, c.startServices, c.serve); err != nil {
		return "", err
	}
	providerAddress, c.stopProvider, err = provision.Serve(ctx, c.provider, options...)
	return providerAddress, err
}

// run takes the steps of a start until one fails.
func run(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// URL is the base URL of the cloud, http://host:port.
func (c *Cloud) URL() string { return "http://" + c.address() }

// address is the host and port by which the cloud is reached from this machine.
func (c *Cloud) address() string {
	if c.listener == nil {
		return c.options.Addr
	}
	host, _, _ := net.SplitHostPort(c.options.Addr) // checked by withDefaults
	_, port, _ := net.SplitHostPort(c.listener.Addr().String())
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func (c *Cloud) listen(ctx context.Context) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", c.options.Addr)
	if err != nil {
		if op, ok := errors.AsType[*net.OpError](err); ok {
			err = op.Err
		}
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("listening on %s: another program uses this address; -addr 127.0.0.1:0 picks a free port", c.options.Addr)
		}
		return fmt.Errorf("listening on %s: %w", c.options.Addr, err)
	}
	c.listener = listener
	return nil
}

func (c *Cloud) startServices(ctx context.Context) (err error) {
	if c.services, err = c.newServices(ctx); err != nil {
		return err
	}
	c.provider = provision.New(provision.Services{
		IAM: c.services.roles, Tables: c.services.tables, Queues: c.services.queues, Buckets: c.services.buckets, Functions: c.services.functions,
		REST: c.services.rest, WebSocket: c.services.sockets, Users: c.services.users, Distributions: c.services.sites, Address: c.address(),
	})
	return nil
}

// setup is what the program is run with.
func (c *Cloud) setup(builder Builder) Setup {
	return Setup{Project: c.config.Project, Config: c.config.Values, Builder: builder}
}

// provision runs the program against the provider.
func (c *Cloud) provision(ctx context.Context) error {
	builder := c.options.Builder
	if builder == nil {
		builder = newBuilder(c.options, c.program.Functions)
	}
	builds := &builds{run: ctx, inner: builder}
	graph, err := provision.Run(ctx, c.provider, provision.Program{
		Project: c.config.Project, Stack: c.options.Stack, Config: c.config.Values, Alter: c.options.Alter,
		Body: func(p *pulumi.Context) error { return c.program.Declare(p, c.setup(builds)) },
	}, c.options.Logger)
	if failure := builds.failed(); failure != nil {
		return failure
	}
	if err != nil {
		return err
	}
	c.graph = graph
	return nil
}

func (c *Cloud) serve(context.Context) error {
	page := http.NotFoundHandler()
	if c.program.Page != nil {
		var err error
		if page, err = c.program.Page(); err != nil {
			return err
		}
	}
	c.server = &http.Server{
		Handler:           rawheader.Handler(c.front(page)),
		ConnContext:       rawheader.ConnContext,
		ReadHeaderTimeout: 30 * time.Second,
	}
	go func() { _ = c.server.Serve(rawheader.Listener(c.listener)) }() // ends with Close
	return nil
}

// closeTimeout is how long requests and sockets may take to end.
const closeTimeout = 500 * time.Millisecond

// Close ends the functions, sockets and the server, and saves the data.
func (c *Cloud) Close() error {
	c.closeOnce.Do(func() { c.closeErr = c.close() })
	return c.closeErr
}

func (c *Cloud) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	c.stopProvider()
	if c.services != nil {
		c.services.close(ctx)
	}
	if c.server != nil {
		_ = c.server.Close()
	} else if c.listener != nil {
		_ = c.listener.Close()
	}
	if c.store == nil {
		return nil
	}
	defer c.store.close()
	if c.stopKeeping == nil {
		return nil // the start failed: what is stored is all there is
	}
	c.stopKeeping()
	return c.store.save(c.services)
}
