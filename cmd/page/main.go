// Command page writes the chat page as it is served into a folder, for any
// static host. Beside it belongs config.json, the outputs of a stack:
//
//	go run ./cmd/page -out site
//	pulumi stack output --json > site/config.json
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/streaming-service/streaming-service/web/build"
)

func main() {
	out := flag.String("out", "", "the folder to write to; it is made if there is none")
	list := flag.Bool("list", false, "print the SHA-256, size and name of every file")
	flag.Parse()
	if err := run(os.Stdout, *out, *list); err != nil {
		fmt.Fprintln(os.Stderr, "page:", err)
		os.Exit(1)
	}
}

func run(stdout io.Writer, out string, list bool) error {
	if out == "" && !list {
		return errors.New("-out or -list must be given")
	}
	files, err := build.Page()
	if err != nil {
		return err
	}
	if out != "" {
		if err := write(out, files); err != nil {
			return fmt.Errorf("writing the page: %w", err)
		}
	}
	if list {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(stdout, "%x %7d %s\n", sha256.Sum256(files[name].Content), len(files[name].Content), name)
		}
	}
	return nil
}

func write(out string, files map[string]build.File) error {
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // a page is for everybody to read
		return err
	}
	for name, file := range files {
		if err := os.WriteFile(filepath.Join(out, name), file.Content, 0o644); err != nil { //nolint:gosec // as above
			return err
		}
	}
	return nil
}
