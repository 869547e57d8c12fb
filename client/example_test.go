package client_test

import (
	"context"
	"fmt"
	"os"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/protocol"
)

func Example() {
	ctx := context.Background()
	cfg, err := client.FetchConfig(ctx, "http://127.0.0.1:8080/config.json")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	session, err := client.NewAuth(cfg, nil).SignIn(ctx, cfg.DemoUser, cfg.DemoPassword)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	c := client.New(cfg, session)
	defer c.Close()

	stream, err := c.Submit(ctx, protocol.SubmitRequest{Prompt: "Why is the sky blue?"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	for event, err := range stream.Events(ctx) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		switch e := event.(type) {
		case client.Delta:
			fmt.Print(e.Text)
		case client.Restarted:
			fmt.Println("\n— begun anew —")
		case client.Done:
			fmt.Println("\ntokens:", e.Usage.OutputTokens)
		case client.Failed:
			fmt.Println("\nfailed:", e.Code, "retryable:", e.Retryable)
		}
	}
}
