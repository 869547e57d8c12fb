package components

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/internal/functionbuild"
)

// The functions of the service, by the name of their directory in lambdas/.
const (
	FunctionAuthorizer  = environment.FunctionAuthorizer
	FunctionConnection  = environment.FunctionConnection
	FunctionQuota       = environment.FunctionQuota
	FunctionRequests    = environment.FunctionRequests
	FunctionCompletions = environment.FunctionCompletions
	FunctionProcessor   = environment.FunctionProcessor
	FunctionRecovery    = environment.FunctionRecovery
)

// Functions returns the names of all functions, sorted.
func Functions() []string { return environment.Functions() }

// FunctionBuilder provides the deployment package of a function: the path of a
// zip file that holds one executable named bootstrap. Equal sources must give
// equal bytes at an equal path, or every update changes the function.
// Architecture is arm64 or x86_64. Build is called concurrently.
type FunctionBuilder interface {
	Build(ctx context.Context, function, architecture string) (zipPath string, err error)
}

// builderOf chooses where the functions come from.
func builderOf(args *StreamingServiceArgs) FunctionBuilder {
	switch {
	case args.FunctionArchiveDir != "":
		return archiveDir(args.FunctionArchiveDir)
	case args.FunctionBuilder != nil:
		return args.FunctionBuilder
	default:
		return functionbuild.New()
	}
}

// archiveDir is a directory of prebuilt zips.
type archiveDir string

func (d archiveDir) Build(_ context.Context, function, _ string) (string, error) {
	return filepath.Join(string(d), function+".zip"), nil
}

// functionArchives checks that a directory holds every function.
func functionArchives(v any) string {
	dir, _ := v.(string)
	var missing []string
	for _, function := range Functions() {
		if info, err := os.Stat(filepath.Join(dir, function+".zip")); err != nil || info.IsDir() {
			missing = append(missing, function+".zip")
		}
	}
	if missing == nil {
		return ""
	}
	return "must be a directory that holds " + strings.Join(missing, ", ")
}
