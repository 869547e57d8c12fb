// The Pulumi program of this repository: one StreamingService.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/internal/stack"
)

func main() { pulumi.Run(stack.Program()) }
