package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/streaming-service/streaming-service/components"
)

// nodePackages are the clients that the processor uses, for Node.js.
var nodePackages = []string{
	"@aws-sdk/client-apigatewaymanagementapi@3.1169.0", "@aws-sdk/client-bedrock-runtime@3.1162.0",
	"@aws-sdk/client-dynamodb@3.1162.0", "@aws-sdk/client-sqs@3.1169.0",
}

// nodeFunction makes the same clients and asks for the first event.
//
//go:embed node/index.mjs
var nodeFunction []byte

// nodeToStart prepares the function for Node.js, or says why it is not
// compared with.
func (b *bench) nodeToStart(ctx context.Context, c *cloud) (*subject, string) {
	if !b.node {
		return nil, "the flag -node was not given"
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, "there is no node on this machine"
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return nil, "there is no npm on this machine"
	}
	version, err := exec.CommandContext(ctx, node, "--version").Output()
	if err != nil {
		return nil, "node --version failed: " + err.Error()
	}
	dir := filepath.Join(b.dir, "node")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err.Error()
	}
	if err := os.WriteFile(filepath.Join(dir, "index.mjs"), nodeFunction, 0o600); err != nil {
		return nil, err.Error()
	}
	b.progress("npm installs the AWS SDK for JavaScript")
	install := exec.CommandContext(ctx, npm, append([]string{"install", "--no-audit", "--no-fund", "--prefix", dir}, nodePackages...)...)
	install.Dir = dir
	if output, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Sprintf("npm install failed: %v: %s", err, firstLine(string(output)))
	}
	return &subject{
		name:    "Node.js " + strings.TrimSpace(string(version)) + ", AWS SDK v3",
		command: []string{node, "index.mjs"}, dir: dir, environment: c.environment(components.FunctionProcessor),
	}, ""
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
