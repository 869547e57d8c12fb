// Command pulumi-resource-streaming offers StreamingService to programs in
// every language that Pulumi speaks.
package main

import (
	"context"
	"fmt"
	"os"
)

// version is set by the linker in releases.
var version = "0.1.0"

func main() {
	provider, err := newProvider()
	if err == nil {
		err = provider.Run(context.Background(), packageName, version)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-streaming:", err)
		os.Exit(1)
	}
}
