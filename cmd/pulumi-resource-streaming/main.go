// Command pulumi-resource-streaming offers StreamingService to programs in
// every language that Pulumi speaks.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// version is set by the linker in releases.
var version = "0.1.0"

func main() {
	// What `go install` built has the version it was asked for, and a checksum.
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Sum != "" {
		version = strings.TrimPrefix(info.Main.Version, "v")
	}
	provider, err := newProvider()
	if err == nil {
		err = provider.Run(context.Background(), packageName, version)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-streaming:", err)
		os.Exit(1)
	}
}
