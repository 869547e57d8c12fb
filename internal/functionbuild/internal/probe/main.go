// Command probe says where a program that was built as this one finds the
// source of the functions. Its argument is the plugin's root.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/streaming-service/streaming-service/internal/functionbuild"
)

func main() {
	var root string
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	_, err := functionbuild.New(functionbuild.WithPluginRoot(root)).Build(context.Background(), "absent", "arm64")
	fmt.Println(err)
}
