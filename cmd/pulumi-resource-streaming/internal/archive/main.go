// Command archive builds the functions that release builds of the provider
// embed: archives/<architecture>/<function>.zip below the working directory.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/streaming-service/streaming-service/components"
	"github.com/streaming-service/streaming-service/internal/functionbuild"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := archive(ctx, "archives"); err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
}

// architectures are those that Lambda offers.
var architectures = []string{"arm64", "x86_64"}

// archive builds every function for every architecture into dir. Old zips go,
// so that none of another version is embedded.
func archive(ctx context.Context, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clearing archives: %w", err)
	}
	builder := functionbuild.New()
	group, ctx := errgroup.WithContext(ctx)
	for _, architecture := range architectures {
		if err := os.MkdirAll(filepath.Join(dir, architecture), 0o755); err != nil {
			return fmt.Errorf("making archives: %w", err)
		}
		for _, function := range components.Functions() {
			group.Go(func() error {
				return place(ctx, builder, function, architecture, filepath.Join(dir, architecture, function+".zip"))
			})
		}
	}
	return group.Wait()
}

// place builds a function and copies its zip to path.
func place(ctx context.Context, builder *functionbuild.Builder, function, architecture, path string) error {
	built, err := builder.Build(ctx, function, architecture)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(built)
	if err != nil {
		return fmt.Errorf("reading function %s: %w", function, err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil { //nolint:gosec // where the developer asked for it
		return fmt.Errorf("archiving function %s: %w", function, err)
	}
	return nil
}
