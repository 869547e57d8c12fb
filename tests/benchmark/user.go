package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/protocol"
)

// user is a signed-in user with one socket. He speaks the wire protocol
// himself, so that no client library adds to what is measured.
type user struct {
	config outputs
	token  string
	socket *websocket.Conn
	frames chan arrival // closed when the socket ends
}

// arrival is a frame and when it came.
type arrival struct {
	protocol.Frame
	at time.Time
}

// arrivalsKept is more frames than any row leaves unread.
const arrivalsKept = 1 << 14

// signIn signs the demo user in and opens his socket.
func (c *cloud) signIn(ctx context.Context) (*user, error) {
	session, err := client.NewAuth(c.config.Config, http.DefaultClient).SignIn(ctx, c.config.DemoUser, c.config.DemoPassword)
	if err != nil {
		return nil, err
	}
	token, err := session.IDToken(ctx)
	if err != nil {
		return nil, err
	}
	u := &user{config: c.config, token: token, frames: make(chan arrival, arrivalsKept)}
	u.socket, _, err = websocket.Dial(ctx, c.config.WebSocketURL, &websocket.DialOptions{Subprotocols: []string{protocol.Subprotocol, token}})
	if err != nil {
		return nil, fmt.Errorf("opening a socket: %w", err)
	}
	u.socket.SetReadLimit(64 << 10)
	go u.read(ctx)
	return u, nil
}

// read takes the frames off the socket as soon as they come.
func (u *user) read(ctx context.Context) {
	defer close(u.frames)
	for {
		_, data, err := u.socket.Read(ctx)
		at := time.Now()
		if err != nil {
			return
		}
		var frame protocol.Frame
		if json.Unmarshal(data, &frame) == nil {
			u.frames <- arrival{frame, at}
		}
	}
}

func (u *user) close() { _ = u.socket.CloseNow() }

// submit posts a request and returns its id.
func (u *user) submit(ctx context.Context, request protocol.SubmitRequest) (string, error) {
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, u.config.RestURL+"/requests", bytes.NewReader(protocol.Encode(request)))
	if err != nil {
		return "", fmt.Errorf("submitting: %w", err)
	}
	post.Header.Set("Authorization", u.token)
	post.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(post)
	if err != nil {
		return "", fmt.Errorf("submitting: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("submitting: %w", err)
	}
	var accepted protocol.SubmitResponse
	if response.StatusCode != http.StatusAccepted {
		return "", fmt.Errorf("submitting: %s: %s", response.Status, body)
	}
	if err := json.Unmarshal(body, &accepted); err != nil {
		return "", fmt.Errorf("submitting: %w", err)
	}
	return accepted.RequestID, nil
}

// streams collects the frames of requests until each has ended.
func (u *user) streams(ctx context.Context, ids ...string) (map[string][]arrival, error) {
	found, open := map[string][]arrival{}, map[string]bool{}
	for _, id := range ids {
		open[id] = true
	}
	for len(open) > 0 {
		select {
		case frame, ok := <-u.frames:
			if !ok {
				return nil, errors.New("the socket ended")
			}
			found[frame.RequestID] = append(found[frame.RequestID], frame)
			switch frame.Type {
			case protocol.FrameError:
				return nil, fmt.Errorf("request %s failed: %s %s", frame.RequestID, frame.Code, frame.Message)
			case protocol.FrameDone:
				delete(open, frame.RequestID)
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return found, nil
}

// scripted is a request that the scripted model answers as told.
func scripted(prompt, script string) protocol.SubmitRequest {
	return protocol.SubmitRequest{Messages: []protocol.Message{{Role: protocol.RoleUser, Content: prompt}}, System: "script: " + script}
}
