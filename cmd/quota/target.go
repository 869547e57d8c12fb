package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/operator"
)

const localTimeout = 10 * time.Second

// localTarget asks a local cloud for the outputs of its stack.
func localTarget(ctx context.Context, url string) (operator.Target, error) {
	url = strings.TrimSuffix(url, "/")
	if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
		return operator.Target{}, &usageError{fmt.Sprintf("-local wants a URL such as http://127.0.0.1:8080, got %q", url)}
	}
	ctx, cancel := context.WithTimeout(ctx, localTimeout)
	defer cancel()
	//nolint:gosec // the operator names the address
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/_local/outputs", nil)
	if err != nil {
		return operator.Target{}, &usageError{fmt.Sprintf("-local wants a URL such as http://127.0.0.1:8080, got %q", url)}
	}
	response, err := http.DefaultClient.Do(request) //nolint:gosec // the operator names the address
	if err != nil {
		return operator.Target{}, fmt.Errorf("no local cloud answers (go run ./cmd/local starts one): %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	target, err := targetOf(response.Body)
	target.Endpoint = url
	return target, err
}

// fileTarget reads the outputs of a stack from a file, or from standard input.
func fileTarget(name string) (operator.Target, error) {
	if name == "-" {
		return targetOf(os.Stdin)
	}
	file, err := os.Open(name) //nolint:gosec // the operator names the file
	if err != nil {
		return operator.Target{}, fmt.Errorf("reading the outputs: %w", err)
	}
	defer func() { _ = file.Close() }()
	return targetOf(file)
}

func targetOf(text io.Reader) (operator.Target, error) {
	var outputs struct {
		Region       string            `json:"region"`
		UserPoolID   string            `json:"userPoolId"`
		FunctionARNs map[string]string `json:"functionArns"`
	}
	if err := json.NewDecoder(text).Decode(&outputs); err != nil {
		return operator.Target{}, fmt.Errorf("reading the outputs: %w", err)
	}
	function := outputs.FunctionARNs["quota"]
	if function == "" || outputs.UserPoolID == "" {
		return operator.Target{}, errors.New("the outputs hold no functionArns.quota and userPoolId")
	}
	return operator.Target{Function: function, UserPoolID: outputs.UserPoolID, Region: outputs.Region}, nil
}
