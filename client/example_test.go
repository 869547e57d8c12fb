package client_test

import (
	"context"
	"encoding/json"
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

// The model asks for the weather, this program tells it.
func ExampleToolLoop() {
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

	loop := client.ToolLoop{
		Client: c,
		Request: protocol.SubmitRequest{
			Prompt: "Is it warm in Köln?",
			Tools: []protocol.Tool{{
				Name:        "get_weather",
				Description: "The weather of a city, now.",
				InputSchema: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`),
			}},
		},
		Run: func(_ context.Context, use client.ToolUse) (any, error) {
			var input struct{ City string }
			if err := json.Unmarshal(use.Input, &input); err != nil {
				return nil, fmt.Errorf("reading the input: %w", err)
			}
			return map[string]any{"city": input.City, "celsius": 7.5}, nil
		},
	}
	for event, err := range loop.Events(ctx) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		switch e := event.(type) {
		case client.Delta:
			fmt.Print(e.Text)
		case client.ToolUse:
			fmt.Println("uses", e.Name, string(e.Input))
		case client.Failed:
			fmt.Println("\nfailed:", e.Code, "retryable:", e.Retryable)
		}
	}
	fmt.Println("\nmessages of the conversation:", len(loop.Messages()))
}

// A sign-in that may need more than a password: each question is put to the
// terminal.
func ExampleAuth_SignInWith() {
	ask := func(question string) (answer string, err error) {
		fmt.Print(question, ": ")
		_, err = fmt.Scanln(&answer)
		return answer, err
	}
	ctx := context.Background()
	cfg, err := client.FetchConfig(ctx, "http://127.0.0.1:8080/config.json")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	session, err := client.NewAuth(cfg, nil).SignInWith(ctx, cfg.DemoUser, cfg.DemoPassword, client.Answers{
		NewPassword: func(context.Context, error) (string, error) { return ask("New password") },
		Code:        func(context.Context, error) (string, error) { return ask("Code of your authenticator app") },
		SetUp: func(_ context.Context, app *client.Authenticator, _ error) (string, error) {
			fmt.Println("Add this to your authenticator app:", app.URI("Streaming"))
			return ask("Code that it shows")
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Println("signed in:", session != nil)
}
