package web_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/streaming-service/streaming-service/protocol"
	"github.com/streaming-service/streaming-service/web/build"
)

// pagePolicy is as strict as the page can be served with.
var pagePolicy = build.Policy("'self'")

// fakeService is a whole service as the page sees it. What it answers depends
// on the last message: see produce.
type fakeService struct {
	*httptest.Server
	page    http.Handler
	cognito fakeCognito
	users   http.Handler   // in place of cognito, if set
	config  map[string]any // of config.json, in place of what it has otherwise

	mu       sync.Mutex
	requests map[string]*fakeRequest
	order    []string
	sockets  map[*websocket.Conn]bool
	usage    protocol.Usage
	refuse   *protocol.Problem // what POST answers, if set
	urls     []string          // of all calls
	models   []map[string]string
	network  reach
	stopped  chan struct{} // of what waits in a hole
	released chan struct{} // the answers that are held end
}

// reach is how the service can be reached.
type reach string

const (
	up   reach = ""
	down reach = "down" // calls and handshakes fail, sockets are closed
	hole reach = "hole" // nothing comes through, and nothing says so
)

// fakeRequest is one request and the frames that it had.
type fakeRequest struct {
	id, key string
	body    protocol.SubmitRequest
	frames  []protocol.Frame
	cancel  chan struct{}
	once    sync.Once
}

func newFakeService(t testing.TB) *fakeService {
	t.Helper()
	files, err := build.Page()
	if err != nil {
		t.Fatal(err)
	}
	limit, left := int64(100), int64(88)
	tokens, tokensLeft := int64(250_000), int64(18_400)
	f := &fakeService{
		requests: map[string]*fakeRequest{}, sockets: map[*websocket.Conn]bool{}, stopped: make(chan struct{}), released: make(chan struct{}),
		page: build.Handler(files), cognito: newFakeCognito(),
		usage: protocol.Usage{
			Period: "2026-11", ResetsAt: "2026-12-01T00:00:00Z", Tier: "gold",
			Requests: protocol.RequestsUsage{Limit: &limit, Used: 12, Remaining: &left},
			Tokens:   protocol.TokensUsage{Limit: &tokens, Used: 231_600, Remaining: &tokensLeft},
		},
	}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() {
		close(f.stopped)
		f.dropSockets()
		f.Close()
	})
	return f
}

// setNetwork changes how the service can be reached. Whoever waits in a hole
// does so until its connection ends.
func (f *fakeService) setNetwork(n reach) {
	f.mu.Lock()
	f.network = n
	f.mu.Unlock()
	if n == down {
		f.dropSockets()
	}
}

// unreachable swallows a call to the service if the network is not up. The
// page itself and the user pool can be reached.
func (f *fakeService) unreachable(r *http.Request) bool {
	f.mu.Lock()
	n := f.network
	f.mu.Unlock()
	if n == up || r.URL.Path != "/socket" && !strings.HasPrefix(r.URL.Path, "/api") {
		return false
	}
	if n == hole {
		select {
		case <-r.Context().Done():
		case <-f.stopped:
		}
	}
	return true
}

func (f *fakeService) serve(w http.ResponseWriter, r *http.Request) {
	if f.unreachable(r) {
		panic(http.ErrAbortHandler)
	}
	f.mu.Lock()
	f.urls = append(f.urls, r.URL.String())
	f.mu.Unlock()
	path, isAPI := strings.CutPrefix(r.URL.Path, "/api")
	switch {
	case f.users != nil && (r.Header.Get("X-Amz-Target") != "" || r.URL.Path == outboxPath):
		f.users.ServeHTTP(w, r)
	case r.Header.Get("X-Amz-Target") != "":
		f.cognito.ServeHTTP(w, r)
	case r.URL.Path == "/config.json":
		f.serveConfig(w)
	case r.URL.Path == "/socket":
		f.serveSocket(w, r)
	case isAPI && !isToken(r.Header.Get("Authorization")):
		answer(w, 401, protocol.Problem{Type: "t", Title: "Unauthenticated", Code: protocol.CodeUnauthenticated})
	case isAPI:
		f.serveAPI(w, r, path)
	default:
		w.Header().Set("Content-Security-Policy", pagePolicy)
		f.page.ServeHTTP(w, r)
	}
}

// isToken tells ID tokens of fakeCognito and of the local Cognito.
func isToken(text string) bool {
	return strings.HasPrefix(text, "h.") || strings.HasPrefix(text, "eyJ")
}

func (f *fakeService) serveConfig(w http.ResponseWriter) {
	config := map[string]any{
		"restUrl": f.URL + "/api", "webSocketUrl": "ws" + strings.TrimPrefix(f.URL, "http") + "/socket",
		"region": "eu-west-1", "userPoolId": "pool", "userPoolClientId": "app", "cognitoEndpoint": f.URL,
		"demoUser": "demo@example.com", "demoPassword": "demo-password",
	}
	maps.Copy(config, f.config)
	answer(w, 200, config)
}

func (f *fakeService) serveAPI(w http.ResponseWriter, r *http.Request, path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id, _ := strings.CutPrefix(path, "/requests/")
	request := f.requests[id]
	switch {
	case path == "/openai/v1/models":
		answer(w, 200, map[string]any{"data": f.models})
	case path == "/usage":
		answer(w, 200, f.usage)
	case r.Method == http.MethodPost:
		f.submit(w, r)
	case request == nil:
		answer(w, 404, protocol.Problem{Type: "t", Title: "Not found", Code: protocol.CodeNotFound})
	case r.Method == http.MethodDelete:
		request.once.Do(func() { close(request.cancel) })
		answer(w, 202, protocol.CancelResponse{RequestID: id, Status: protocol.StatusStreaming})
	default:
		answer(w, 200, request.state())
	}
}

func (f *fakeService) submit(w http.ResponseWriter, r *http.Request) {
	if f.refuse != nil {
		w.Header().Set("Retry-After", "60")
		answer(w, f.refuse.Status, f.refuse)
		return
	}
	request := &fakeRequest{id: fmt.Sprintf("%s%02d", strings.Repeat("a", 24), len(f.requests)), key: r.Header.Get("Idempotency-Key"), cancel: make(chan struct{})}
	data, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(data, &request.body)
	for _, other := range f.requests {
		if other.key == request.key {
			answer(w, 202, protocol.SubmitResponse{RequestID: other.id, Status: protocol.StatusStreaming, Quota: f.usage})
			return
		}
	}
	f.requests[request.id] = request
	f.order = append(f.order, request.id)
	f.usage.Requests.Used++
	*f.usage.Requests.Remaining--
	answer(w, 202, protocol.SubmitResponse{RequestID: request.id, Status: protocol.StatusQueued, Quota: f.usage})
	go f.produce(request)
}

// produce answers a prompt: "fail" fails, "restart" begins anew, "<words>
// words" counts slowly, "<words> words held" not beyond the middle until the
// answers that are held end, and anything else is answered by itself.
func (f *fakeService) produce(request *fakeRequest) {
	prompt := textOf(request.body.Messages[len(request.body.Messages)-1])
	f.post(request, protocol.StartFrame(request.id, 1, "m"))
	var words int
	switch prompt {
	case "fail":
		f.post(request, protocol.DeltaFrame(request.id, 1, 1, "The first words, "))
		f.post(request, protocol.ErrorFrame(request.id, 1, 2, protocol.RequestError{Code: protocol.CodeModelThrottled, Message: "busy", Retryable: true}))
	case "blocks":
		f.post(request, protocol.DeltaFrame(request.id, 1, 1, "One **bold** paragraph.\n\n## A heading\n\nAnother.\n\n"))
		for n := range 40 {
			time.Sleep(20 * time.Millisecond)
			f.post(request, protocol.DeltaFrame(request.id, 1, n+2, fmt.Sprintf("- item %d with `code`\n", n)))
		}
		f.post(request, protocol.DoneFrame(request.id, 1, 42, "end_turn", protocol.TokenUsage{InputTokens: 3, OutputTokens: 200}))
	case "long":
		pieces := longPieces()
		for n, piece := range pieces {
			time.Sleep(longEvery)
			f.post(request, protocol.DeltaFrame(request.id, 1, n+1, piece))
		}
		f.post(request, protocol.DoneFrame(request.id, 1, len(pieces)+1, "end_turn", protocol.TokenUsage{InputTokens: 3, OutputTokens: 5_000}))
	case "hold":
		f.post(request, protocol.DeltaFrame(request.id, 1, 1, "It goes on"))
		f.hold()
		f.post(request, protocol.DoneFrame(request.id, 1, 2, "end_turn", protocol.TokenUsage{InputTokens: 3, OutputTokens: 3}))
	case "think":
		f.post(request, protocol.ReasoningFrame(request.id, 1, 1, "First I weigh it. ", ""))
		f.post(request, protocol.ToolUseFrame(request.id, 1, 2, "t1", "get_weather", json.RawMessage(`{"city":"Zürich"}`)))
		f.post(request, protocol.DeltaFrame(request.id, 1, 3, "Then I say it."))
		f.post(request, protocol.DoneFrame(request.id, 1, 4, "end_turn", protocol.TokenUsage{InputTokens: 3, OutputTokens: 9}))
	case "nothing":
		f.post(request, protocol.DoneFrame(request.id, 1, 1, "end_turn", protocol.TokenUsage{InputTokens: 3}))
	case "cut":
		f.post(request, protocol.DeltaFrame(request.id, 1, 1, "Half of it"))
		f.post(request, protocol.DoneFrame(request.id, 1, 2, "max_tokens", protocol.TokenUsage{InputTokens: 3, OutputTokens: 3}))
	case "restart":
		f.post(request, protocol.DeltaFrame(request.id, 1, 1, "void "))
		f.post(request, protocol.StartFrame(request.id, 2, "m"))
		f.post(request, protocol.DeltaFrame(request.id, 2, 1, "good"))
		f.post(request, protocol.DoneFrame(request.id, 2, 2, "end_turn", protocol.TokenUsage{InputTokens: 3, OutputTokens: 2}))
	default:
		if _, err := fmt.Sscanf(prompt, "%d words", &words); err == nil {
			f.count(request, words, strings.HasSuffix(prompt, " held"))
			return
		}
		for seq, piece := range split(prompt, 7) {
			f.post(request, protocol.DeltaFrame(request.id, 1, seq+1, piece))
		}
		f.post(request, protocol.DoneFrame(request.id, 1, len(split(prompt, 7))+1, "end_turn", protocol.TokenUsage{InputTokens: 1200, OutputTokens: 34}))
	}
}

// hold waits until the answers that are held end.
func (f *fakeService) hold() {
	select {
	case <-f.released:
	case <-f.stopped:
	}
}

func textOf(message protocol.Message) string {
	for _, block := range message.Blocks {
		if block.Type == protocol.BlockText {
			return block.Text
		}
	}
	return message.Content
}

func (f *fakeService) count(request *fakeRequest, words int, held bool) {
	for seq := 1; seq <= words; seq++ {
		if held && seq == words/2 {
			f.hold()
		}
		select {
		case <-request.cancel:
			f.post(request, protocol.ErrorFrame(request.id, 1, seq, protocol.RequestError{Code: protocol.CodeCancelled, Message: "cancelled", Retryable: true}))
			return
		case <-time.After(50 * time.Millisecond):
			f.post(request, protocol.DeltaFrame(request.id, 1, seq, fmt.Sprintf("word%d ", seq)))
		}
	}
	f.post(request, protocol.DoneFrame(request.id, 1, words+1, "end_turn", protocol.TokenUsage{InputTokens: 10, OutputTokens: int64(words)}))
}

func (f *fakeService) post(request *fakeRequest, frame protocol.Frame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	request.frames = append(request.frames, frame)
	if f.network == hole {
		return
	}
	for conn := range f.sockets {
		_ = conn.Write(context.Background(), websocket.MessageText, frame.Encode())
	}
}

func (r *fakeRequest) state() protocol.RequestState {
	state := protocol.RequestState{RequestID: r.id, Status: protocol.StatusStreaming, Attempt: 1, LastSeq: len(r.frames) - 1, Model: "m"}
	for _, frame := range r.frames {
		state.Text += frame.Text
		switch frame.Type {
		case protocol.FrameDone:
			state.Status, state.StopReason, state.Usage = protocol.StatusSucceeded, frame.StopReason, frame.Usage
		case protocol.FrameError:
			state.Status = protocol.StatusFailed
			if frame.Code == protocol.CodeCancelled {
				state.Status = protocol.StatusCancelled
			}
			state.Error = &protocol.RequestError{Code: frame.Code, Message: frame.Message, Retryable: *frame.Retryable}
		}
	}
	return state
}

func (f *fakeService) serveSocket(w http.ResponseWriter, r *http.Request) {
	if _, token, _ := strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), "streaming.v1,"); !isToken(strings.TrimSpace(token)) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{protocol.Subprotocol}})
	if err != nil {
		return
	}
	f.mu.Lock()
	f.sockets[conn] = true
	f.mu.Unlock()
	for {
		_, data, err := conn.Read(context.Background())
		if err != nil {
			break
		}
		f.received(conn, data)
	}
	f.mu.Lock()
	delete(f.sockets, conn)
	f.mu.Unlock()
}

func (f *fakeService) received(conn *websocket.Conn, data []byte) {
	var frame protocol.ClientFrame
	_ = json.Unmarshal(data, &frame)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.network == hole {
		return
	}
	after := -1
	if frame.AfterSeq != nil {
		after = *frame.AfterSeq
	}
	request := f.requests[frame.RequestID]
	if frame.Action != protocol.ActionResume || request == nil {
		_ = conn.Write(context.Background(), websocket.MessageText, protocol.PongFrame().Encode())
		return
	}
	for _, missing := range request.frames[min(after+1, len(request.frames)):] {
		_ = conn.Write(context.Background(), websocket.MessageText, missing.Encode())
	}
}

// dropSockets breaks all connections, as a lost network does.
func (f *fakeService) dropSockets() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.sockets {
		_ = conn.CloseNow()
	}
}

// submitted are the bodies of the submissions so far, in order.
func (f *fakeService) submitted() []protocol.SubmitRequest {
	f.mu.Lock()
	defer f.mu.Unlock()
	var bodies []protocol.SubmitRequest
	for _, id := range f.order {
		bodies = append(bodies, f.requests[id].body)
	}
	return bodies
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(protocol.Encode(body))
}

// split cuts a text into pieces of n characters.
func split(text string, n int) []string {
	runes := []rune(text)
	var pieces []string
	for len(runes) > 0 {
		k := min(n, len(runes))
		pieces, runes = append(pieces, string(runes[:k])), runes[k:]
	}
	return pieces
}

// fakeCognito knows users by e-mail; every code is 123456.
type fakeCognito struct {
	mu        *sync.Mutex
	passwords map[string]string
	confirmed map[string]bool
}

func newFakeCognito() fakeCognito {
	return fakeCognito{&sync.Mutex{}, map[string]string{"demo@example.com": "demo-password"}, map[string]bool{"demo@example.com": true}}
}

type cognitoInput struct {
	Username, Password, ConfirmationCode, AuthFlow string
	AuthParameters                                 map[string]string
}

func (f fakeCognito) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var in cognitoInput
	_ = json.NewDecoder(r.Body).Decode(&in)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	output, exception := f.call(operation, in)
	if exception != "" {
		answer(w, 400, map[string]string{"__type": exception, "message": "no"})
		return
	}
	answer(w, 200, output)
}

func (f fakeCognito) call(operation string, in cognitoInput) (output any, exception string) {
	wrongCode := in.ConfirmationCode != "123456"
	switch operation {
	case "SignUp":
		f.passwords[in.Username] = in.Password
		return map[string]bool{"UserConfirmed": false}, ""
	case "ConfirmSignUp", "ConfirmForgotPassword":
		if wrongCode {
			return nil, "CodeMismatchException"
		}
		f.confirmed[in.Username] = true
		if in.Password != "" {
			f.passwords[in.Username] = in.Password
		}
		return struct{}{}, ""
	case "InitiateAuth":
		return f.signIn(in)
	default:
		return struct{}{}, ""
	}
}

func (f fakeCognito) signIn(in cognitoInput) (output any, exception string) {
	email := strings.TrimPrefix(in.AuthParameters["REFRESH_TOKEN"], "refresh-")
	if in.AuthFlow == "USER_PASSWORD_AUTH" {
		email = in.AuthParameters["USERNAME"]
		if password, ok := f.passwords[email]; !ok || password != in.AuthParameters["PASSWORD"] {
			return nil, "NotAuthorizedException"
		}
		if !f.confirmed[email] {
			return nil, "UserNotConfirmedException"
		}
	}
	claims := base64.RawURLEncoding.EncodeToString(protocol.Encode(map[string]string{"sub": "sub-" + email, "email": email}))
	return map[string]any{"AuthenticationResult": map[string]any{
		"IdToken": "h." + claims + ".s", "RefreshToken": "refresh-" + email, "ExpiresIn": 3600,
	}}, ""
}
