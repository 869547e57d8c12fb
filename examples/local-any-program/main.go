// A queue, a table and a function, as `pulumi up` deploys them.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"github.com/streaming-service/streaming-service/examples/local-any-program/program"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error { return program.Declare(ctx, config.Require(ctx, "archive")) })
}
