// Command function is the bootstrap that the tests of the local Lambda start:
// its event tells it what to do.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do      string   `json:"do"`
	Ms      int      `json:"ms"`
	Text    string   `json:"text"`
	Size    int      `json:"size"`
	Records []record `json:"Records"`
}

type record struct {
	MessageID string `json:"messageId"`
	Body      string `json:"body"`
}

var calls int

func main() {
	switch os.Getenv("ON_START") {
	case "exit":
		os.Exit(3)
	case "hang":
		time.Sleep(time.Hour)
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, e event) (any, error) {
	calls++
	switch e.Do {
	case "echo":
		return e.Text, nil
	case "fail":
		return nil, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "exit":
		os.Exit(7)
	case "sleep":
		time.Sleep(time.Duration(e.Ms) * time.Millisecond)
		return "slept", nil
	case "big":
		return strings.Repeat("x", e.Size), nil
	case "log":
		fmt.Fprintln(os.Stderr, e.Text)
		fmt.Print("unfinished")
		return nil, nil
	case "get":
		lc, _ := lambdacontext.FromContext(ctx)
		response, err := http.Get(e.Text + "?id=" + lc.AwsRequestID) //nolint:noctx // ends with the test
		if err != nil {
			return nil, err
		}
		return nil, response.Body.Close()
	case "child":
		child := exec.Command("/bin/sleep", "600")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			return nil, err
		}
		return child.Process.Pid, nil
	}
	return describe(ctx)
}

func describe(ctx context.Context) (any, error) {
	deadline, _ := ctx.Deadline()
	lc, _ := lambdacontext.FromContext(ctx)
	return map[string]any{
		"environment": os.Environ(),
		"requestId":   lc.AwsRequestID,
		"arn":         lc.InvokedFunctionArn,
		"left":        time.Until(deadline).Milliseconds(),
		"pid":         os.Getpid(),
		"calls":       calls,
		"trace":       os.Getenv("_X_AMZN_TRACE_ID"),
	}, nil
}
