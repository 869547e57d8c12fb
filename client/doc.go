// Package client is the Go client of the service: it signs users in, submits
// requests, streams the answers, and looks after everything in between. It
// needs no AWS SDK and no AWS credentials.
//
//	cfg, err := client.FetchConfig(ctx, "http://127.0.0.1:8080/config.json")
//	session, err := client.NewAuth(cfg, nil).SignIn(ctx, email, password)
//	c := client.New(cfg, session)
//	defer c.Close()
//
//	stream, err := c.Submit(ctx, protocol.SubmitRequest{Prompt: "Why is the sky blue?"})
//	for event, err := range stream.Events(ctx) {
//		switch e := event.(type) {
//		case client.Delta:
//			fmt.Print(e.Text)
//		case client.Restarted: // the text so far is void
//		case client.Done:      // e.Usage
//		case client.Failed:    // e.Code, e.Retryable
//		}
//	}
//
// # Files, tools and reasoning
//
// Attach makes a file the block of a message, and uploads it if it is large; one
// that no model takes is a *FileError.
// Reasoning and ToolUse are events like Delta; Stream.Content has the whole answer
// as blocks, which the assistant's message of the next request takes as they are.
// A ToolLoop runs tools and submits their results until an answer uses none:
//
//	loop := client.ToolLoop{Client: c, Request: protocol.SubmitRequest{Prompt: "Is it warm in Köln?", Tools: tools}, Run: run}
//	for event, err := range loop.Events(ctx) {
//		…
//	}
//
// # What it looks after
//
// A submission always has an idempotency key. Throttles, outcomes that are not
// known (503, 504) and network errors are tried again with the same key, so a
// request is neither lost nor charged twice. Other refusals are returned as an
// *APIError, which names the limit that refused and when it resets.
//
// All requests share one WebSocket. When it is lost it is opened again with
// full-jitter back-off, at once if API Gateway ended it after its two hours and
// later if it was throttled, and every open request resumes from the last
// frame it applied. Frames may be lost, repeated, come out of order or before
// the answer to the submission: the text is exact all the same, and a Stream
// has exactly one end, Done or Failed. A request that stays silent for 15 s is
// asked about; after three times, or if there is no socket, its state is read
// by GET. So an answer arrives even where WebSockets are blocked, only later.
//
// ID tokens are renewed before they expire, and once more if the service
// refuses one all the same. No token is ever part of a URL.
//
// # Limits
//
// Of the challenges of a sign-in, SignInWith answers temporary passwords, codes
// of an authenticator app and the set-up of one; of others (SMS, e-mail, custom)
// it returns the *ChallengeError that names what is asked for. With an own
// sign-in, give New any TokenSource.
package client
