// Command local runs the program on this machine:
//
//	go run ./examples/local-any-program/local
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/streaming-service/streaming-service/examples/local-any-program/program"
	"github.com/streaming-service/streaming-service/internal/localcloud"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	declare := func(p *pulumi.Context, with localcloud.Setup) error {
		archive, err := with.Builder.Build(ctx, "worker", "arm64") // compiles lambdas/worker, for this machine
		if err != nil {
			return err
		}
		return program.Declare(p, archive)
	}
	cloud, err := localcloud.Run(ctx, localcloud.Program{Declare: declare}, localcloud.Options{
		Root: "examples/local-any-program", Progress: os.Stderr,
	})
	if err != nil {
		return err
	}
	fmt.Print(cloud.Welcome())
	<-ctx.Done()
	return cloud.Close()
}
