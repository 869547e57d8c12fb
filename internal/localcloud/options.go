package localcloud

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"

	"github.com/streaming-service/streaming-service/internal/localcloud/provision"
)

// The models of a cloud.
const (
	ModelScripted = "scripted" // a deterministic model in this process
	ModelBedrock  = "bedrock"  // the real Bedrock, with the caller's credentials
)

// Options say with which configuration a Cloud runs its program, and where. The
// zero value runs the stack dev on 127.0.0.1:8080.
type Options struct {
	// Addr is the host and port to serve on; port 0 picks a free one. Default
	// 127.0.0.1:8080.
	Addr string
	// Stack names the configuration, Pulumi.<stack>.yaml. Default dev.
	Stack string
	// Overrides are path=value as for `pulumi config set --path`.
	Overrides []string
	// Model is ModelScripted, the default, or ModelBedrock.
	Model string
	// DataDir keeps users, keys, tables, queues and objects between runs. Default: nothing is kept.
	DataDir string
	// Root is the directory of the Pulumi project. Default: the working
	// directory or the nearest one above it that holds a Pulumi.yaml.
	Root string
	// Builder provides the functions. Default: they are compiled for this machine.
	Builder Builder
	// FunctionEnv are further environment variables of every function, such as
	// shorter periods for a test.
	FunctionEnv map[string]string
	// Alter changes or leaves out what the program declares, for tests of what
	// that breaks. Default: everything is made as declared.
	Alter provision.Alter
	// Seed makes injected faults repeatable. Default 0.
	Seed uint64
	// Progress receives a line for each build. Default: nothing is written.
	Progress io.Writer
	// Logger receives what an operator should know. Default: nothing is logged.
	Logger *slog.Logger
}

// Builder provides the deployment package of a function, as a zip.
type Builder interface {
	Build(ctx context.Context, function, architecture string) (zipPath string, err error)
}

// withDefaults completes and checks the options.
func (o Options) withDefaults() (Options, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:8080"
	}
	if _, _, err := net.SplitHostPort(o.Addr); err != nil {
		return o, &UsageError{fmt.Sprintf("-addr %s: want host:port", o.Addr)}
	}
	if o.Stack == "" {
		o.Stack = "dev"
	}
	if o.Model == "" {
		o.Model = ModelScripted
	}
	if o.Model != ModelScripted && o.Model != ModelBedrock {
		return o, &UsageError{fmt.Sprintf("-model %s: want scripted or bedrock", o.Model)}
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Root == "" {
		dir, err := os.Getwd()
		if err != nil {
			return o, fmt.Errorf("finding the project: %w", err)
		}
		if o.Root, err = findRoot(dir); err != nil {
			return o, err
		}
	}
	return o, nil
}
