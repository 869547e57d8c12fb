package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// languageHost stands in for a language host of the CLI. The hosts are Go
// modules that no proxy serves, and neither npm's nor PyPI's package of Pulumi
// holds them. This one does what they do with the same tools: Pulumi's code
// generators, the package manager of the language, and the executor of Pulumi's
// SDK, which runs the program. The host of YAML programs is the real one.
type languageHost struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	language

	mu     sync.Mutex
	engine string // address of the engine that came last
}

// language is what differs between the hosts. Directories are those of a
// project.
type language struct {
	name     string
	generate func(schema []byte, loaderTarget, dir string, local bool) error
	link     func(dir, path string) (instructions string, err error)
	install  func(dir string) error
	// described are the files in which an SDK names its plugin.
	described string
	program   func(ctx context.Context, in *pulumirpc.RunRequest, engine string) *exec.Cmd
}

// serveLanguages serves the hosts of languages until the test ends and returns
// what PULUMI_DEBUG_LANGUAGES says about them.
func serveLanguages(t *testing.T, languages ...language) string {
	t.Helper()
	var served []string
	for _, l := range languages {
		var config net.ListenConfig
		listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := grpc.NewServer()
		pulumirpc.RegisterLanguageRuntimeServer(server, &languageHost{language: l})
		go func() { _ = server.Serve(listener) }() // ends with Stop
		t.Cleanup(server.Stop)
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		served = append(served, l.name+":"+port)
	}
	return strings.Join(served, ",")
}

// Handshake implements pulumirpc.LanguageRuntimeServer.
func (h *languageHost) Handshake(_ context.Context, in *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.engine = in.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo implements pulumirpc.LanguageRuntimeServer.
func (*languageHost) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: pulumiVersion}, nil
}

// GeneratePackage implements pulumirpc.LanguageRuntimeServer.
func (h *languageHost) GeneratePackage(_ context.Context, in *pulumirpc.GeneratePackageRequest) (*pulumirpc.GeneratePackageResponse, error) {
	if err := h.generate([]byte(in.GetSchema()), in.GetLoaderTarget(), in.GetDirectory(), in.GetLocal()); err != nil {
		return nil, fmt.Errorf("generating SDK: %w", err)
	}
	return &pulumirpc.GeneratePackageResponse{}, nil
}

// Link implements pulumirpc.LanguageRuntimeServer.
func (h *languageHost) Link(_ context.Context, in *pulumirpc.LinkRequest) (*pulumirpc.LinkResponse, error) {
	var all []string
	for _, linked := range in.GetPackages() {
		instructions, err := h.link(in.GetInfo().GetRootDirectory(), linked.GetPath())
		if err != nil {
			return nil, fmt.Errorf("linking %s: %w", linked.GetPath(), err)
		}
		all = append(all, instructions)
	}
	return &pulumirpc.LinkResponse{ImportInstructions: strings.Join(all, "\n")}, nil
}

// InstallDependencies implements pulumirpc.LanguageRuntimeServer.
func (h *languageHost) InstallDependencies(in *pulumirpc.InstallDependenciesRequest, _ grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse]) error {
	return h.install(in.GetInfo().GetProgramDirectory())
}

// GetRequiredPackages implements pulumirpc.LanguageRuntimeServer.
func (h *languageHost) GetRequiredPackages(_ context.Context, in *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	if h.described == "" {
		return &pulumirpc.GetRequiredPackagesResponse{}, nil
	}
	files, err := filepath.Glob(filepath.Join(in.GetInfo().GetProgramDirectory(), h.described))
	if err != nil {
		return nil, err
	}
	var required []*pulumirpc.PackageDependency
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading what an SDK requires: %w", err)
		}
		type plugin struct {
			Resource              bool
			Name, Version, Server string
		}
		var described struct {
			plugin        // a file of its own
			Pulumi plugin // or a part of package.json
		}
		if err := json.Unmarshal(content, &described); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		for _, p := range []plugin{described.plugin, described.Pulumi} {
			if p.Resource {
				required = append(required, &pulumirpc.PackageDependency{Kind: "resource", Name: p.Name, Version: p.Version, Server: p.Server})
			}
		}
	}
	return &pulumirpc.GetRequiredPackagesResponse{Packages: required}, nil
}

// Run implements pulumirpc.LanguageRuntimeServer.
func (h *languageHost) Run(ctx context.Context, in *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	h.mu.Lock()
	engine := h.engine
	h.mu.Unlock()
	config := []byte("{}")
	if len(in.GetConfig()) > 0 {
		var err error
		if config, err = json.Marshal(in.GetConfig()); err != nil {
			return nil, err
		}
	}
	command := h.program(ctx, in, engine)
	command.Dir = in.GetInfo().GetProgramDirectory()
	command.Env = append(append(os.Environ(), command.Env...), "PULUMI_CONFIG="+string(config), "PULUMI_CONFIG_SECRET_KEYS=[]")
	if out, err := command.CombinedOutput(); err != nil {
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("%v\n%s", err, out)}, nil
	}
	return &pulumirpc.RunResponse{}, nil
}

// RunPlugin implements pulumirpc.LanguageRuntimeServer. Only plugins in Go are
// run: compiled where they are, started where the user's program is. The flags
// that change how packages are compiled are those of a release, whose packages
// then serve here too; newer hosts of Pulumi pass -trimpath themselves.
func (h *languageHost) RunPlugin(in *pulumirpc.RunPluginRequest, server grpc.ServerStreamingServer[pulumirpc.RunPluginResponse]) error {
	dir, err := os.MkdirTemp("", "pulumi-go.")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "program")
	if err := run(in.GetInfo().GetProgramDirectory(), []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-o", program); err != nil {
		return err
	}
	command := exec.CommandContext(server.Context(), program, in.GetArgs()...)
	command.Dir = in.GetPwd()
	command.Env = in.GetEnv()
	command.Stdout = sender(func(b []byte) error {
		return server.Send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: b}})
	})
	command.Stderr = sender(func(b []byte) error {
		return server.Send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stderr{Stderr: b}})
	})
	_ = command.Run() // ends with the engine, by a signal
	return server.Send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(command.ProcessState.ExitCode())}})
}

// sender is a writer that sends.
type sender func([]byte) error

func (s sender) Write(b []byte) (int, error) { return len(b), s([]byte(string(b))) }

// runArguments are those that the executors of all languages take.
func runArguments(in *pulumirpc.RunRequest, engine string) []string {
	return []string{
		"--monitor", in.GetMonitorAddress(), "--engine", engine,
		"--organization", in.GetOrganization(), "--project", in.GetProject(), "--stack", in.GetStack(),
		"--pwd", in.GetPwd(), "--parallel", strconv.Itoa(int(in.GetParallel())),
	}
}
