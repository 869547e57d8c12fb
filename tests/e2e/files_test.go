package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/protocol"
)

// s3 acts on an object as an operator of the account does.
func (p *person) s3(method, address string, body []byte) {
	p.t.Helper()
	address, _, _ = strings.Cut(address, "?")
	now := time.Now().UTC()
	answer := p.Do(p.t, method, address, map[string]string{
		"Authorization": "AWS4-HMAC-SHA256 Credential=operator/" + now.Format("20060102") + "/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=any",
		"X-Amz-Date":    now.Format("20060102T150405Z"), "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD", "Content-Type": "image/png",
	}, body)
	if answer.Status >= 300 {
		p.t.Fatalf("%s %s: %d %s", method, address, answer.Status, answer.Body)
	}
}

// uploaded is a file in the bucket, as a client of the REST API puts it there.
func (p *person) uploaded(format string, body []byte, mediaType string) protocol.CreateUploadResponse {
	p.t.Helper()
	upload := p.announce(format, int64(len(body)))
	if status, _ := put(p.t, upload, string(body), mediaType, "https://app.example.com"); status != http.StatusOK {
		p.t.Fatalf("put: %d", status)
	}
	return upload
}

// aDayAgo is an id like another, but announced 25 hours earlier.
func aDayAgo(t *testing.T, uploadID string) string {
	t.Helper()
	encoding := base32.StdEncoding.WithPadding(base32.NoPadding)
	id, err := encoding.DecodeString(strings.ToUpper(uploadID))
	if err != nil {
		t.Fatal(err)
	}
	announced := binary.BigEndian.Uint64(id) >> 16
	random := binary.BigEndian.Uint64(id) & 0xffff
	binary.BigEndian.PutUint64(id, (announced-uint64((25*time.Hour).Milliseconds()))<<16|random)
	return strings.ToLower(encoding.EncodeToString(id))
}

func ofSize(kind string, data []byte) string {
	return fmt.Sprintf("%s of %d bytes %x", kind, len(data), sha256.Sum256(data))
}

// photo and thesis are more than a body may have.
var (
	photo  = append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("x"), 300_000)...)
	thesis = append([]byte("%PDF-1.7"), bytes.Repeat([]byte("y"), 300_000)...)
)

// TestGoClientSendsFiles: what the Go client attaches comes to the model byte by
// byte, be it in the body or in the bucket.
func TestGoClientSendsFiles(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	c := p.newClient()
	small := []byte("# Notes")
	blocks := []protocol.Block{protocol.TextBlock("Compare them.")}
	for _, file := range []struct {
		name   string
		data   []byte
		inline bool
	}{{"photo.png", photo, false}, {"thesis.pdf", thesis, false}, {"icon.gif", []byte("GIF89a"), true}, {"notes.md", small, true}, {"notes.txt", small, true}} {
		block, err := c.Attach(t.Context(), file.name, file.data)
		if err != nil || (block.UploadID == "") != file.inline || (block.Data != nil) != file.inline {
			t.Fatalf("%s is %s with the upload %q: %v", file.name, block.Type, block.UploadID, err)
		}
		blocks = append(blocks, block)
	}
	upload, err := c.Upload(t.Context(), "webp", photo)
	if err != nil || time.Until(upload.ExpiresAt) < 23*time.Hour {
		t.Fatalf("upload %+v: %v", upload, err)
	}
	blocks = append(blocks, protocol.Block{Type: protocol.BlockImage, Format: "webp", UploadID: upload.ID})
	stream, err := c.Submit(t.Context(), protocol.SubmitRequest{
		System: "script: echo rate=0", Messages: []protocol.Message{{Role: protocol.RoleUser, Blocks: blocks}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := stream.Wait(t.Context())
	want := strings.Join([]string{
		`- user: text "Compare them."`,
		"- user: image " + ofSize("png", photo),
		`- user: document "thesis" ` + ofSize("pdf", thesis),
		"- user: image " + ofSize("gif", []byte("GIF89a")),
		`- user: document "notes" ` + ofSize("md", small),
		`- user: document "notes 2" ` + ofSize("txt", small),
		"- user: image " + ofSize("webp", photo),
	}, "\n")
	if err != nil || got != want {
		t.Errorf("the model was asked\n%s\nwant\n%s\n%v", got, want, err)
	}
}

// TestGoClientIsRefusedFiles: each error names the field, the limit and the value.
func TestGoClientIsRefusedFiles(t *testing.T) {
	t.Parallel()
	p, other := newPerson(t, cloud(t)), newPerson(t, cloud(t))
	c := p.newClient()
	own, foreign, missing := p.uploaded("png", photo, "image/png"), other.uploaded("png", photo, "image/png"), p.announce("png", 5)
	expired := aDayAgo(t, own.UploadID)
	p.s3(http.MethodPut, strings.Replace(own.URL, own.UploadID, expired, 1), photo)
	ask := func(uploadID, format string) error {
		_, err := c.Submit(t.Context(), protocol.SubmitRequest{Messages: []protocol.Message{{Role: protocol.RoleUser, Blocks: []protocol.Block{
			protocol.TextBlock("What is it?"), {Type: protocol.BlockImage, Format: format, UploadID: uploadID},
		}}}})
		return err
	}
	large := func(format string, bytes int) error {
		_, err := c.Upload(t.Context(), format, make([]byte, bytes))
		return err
	}
	for name, test := range map[string]struct {
		err     error
		code    protocol.Code
		field   string
		message string
	}{
		"of another user":   {ask(foreign.UploadID, "png"), protocol.CodeUploadNotFound, "messages[0].content[1].uploadId", `is no upload of this user: "` + foreign.UploadID + `"`},
		"never put":         {ask(missing.UploadID, "png"), protocol.CodeUploadNotFound, "messages[0].content[1].uploadId", `is no upload of this user: "` + missing.UploadID + `"`},
		"expired":           {ask(expired, "png"), protocol.CodeUploadNotFound, "messages[0].content[1].uploadId", `is no upload of this user: "` + expired + `"`},
		"of another format": {ask(own.UploadID, "gif"), protocol.CodeInvalidRequest, "messages[0].content[1].format", "must be that of the upload, png, got gif"},
		"a large image":     {large("png", protocol.MaxImageBytes+1), protocol.CodeInvalidRequest, "bytes", "must be at most 3932160 for an image, got 3932161"},
		"a large document":  {large("pdf", protocol.MaxDocumentBytes+1), protocol.CodeInvalidRequest, "bytes", "must be at most 4718592 for a document, got 4718593"},
		"of no format":      {large("exe", 1), protocol.CodeInvalidRequest, "format", `must be one of png, jpeg, gif, webp, pdf, csv, doc, docx, xls, xlsx, html, txt, md, got "exe"`},
	} {
		var refusal *client.APIError
		if !errors.As(test.err, &refusal) || refusal.Code != test.code || len(refusal.Problem.Errors) != 1 ||
			refusal.Problem.Errors[0] != (protocol.FieldError{Field: test.field, Message: test.message}) {
			t.Errorf("%s: %v, want %s of %s: %s", name, test.err, test.code, test.field, test.message)
		}
	}
	if err := ask(own.UploadID, "png"); err != nil {
		t.Errorf("the user's own: %v", err)
	}
	p.wantRequests(1)
}

// wantRequests expects so many requests in the month, once none is open.
func (p *person) wantRequests(n int) {
	p.t.Helper()
	if u := p.settled(); u.Requests.Used != n || u.Tokens.Reserved != 0 {
		p.t.Errorf("usage %+v, want %d requests", u, n)
	}
}

// TestGoClientRunsTools: two rounds, of which the first fails; the model gets its
// sealed reasoning and the results back, and tells what its cache had.
func TestGoClientRunsTools(t *testing.T) {
	t.Parallel()
	p := newPerson(t, cloud(t))
	runs := 0
	loop := client.ToolLoop{
		Client: p.newClient(),
		Request: protocol.SubmitRequest{
			Prompt: "Is it warm in Köln?", System: "script: tool=get_weather rounds=2 reasoning=12 tokens=6 echo rate=0", Cache: true,
			Reasoning: &protocol.Reasoning{Effort: protocol.EffortLow},
			Tools: []protocol.Tool{{
				Name: "get_weather", Description: p.email + strings.Repeat(" is told the weather of a city.", 200),
				InputSchema: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}}}`),
			}},
		},
		Run: func(context.Context, client.ToolUse) (any, error) {
			if runs++; runs == 1 {
				return nil, errors.New("the station is closed")
			}
			return map[string]any{"celsius": 7.5}, nil
		},
	}
	var kinds []string
	var answers []client.Done
	for event, err := range loop.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := event.(type) {
		case client.Asked:
			kinds = append(kinds, "asked")
		case client.Answered:
			kinds, answers = append(kinds, "answered"), append(answers, e.Done)
		case client.ToolResult:
			kinds = append(kinds, fmt.Sprintf("result %s %s", e.Use.Input, e.Result.Status))
		case client.Done:
			kinds, answers = append(kinds, "done "+e.StopReason), append(answers, e)
		case client.Failed:
			t.Fatalf("failed: %v", e)
		}
	}
	if got, want := strings.Join(kinds, ", "), `asked, answered, result {"city":"Köln"} error, asked, answered, result {"city":"closed"} , asked, done end_turn`; got != want {
		t.Errorf("events %s\nwant   %s", got, want)
	}
	messages := loop.Messages()
	if len(messages) != 6 || len(answers) != 3 {
		t.Fatalf("%d messages, %d answers", len(messages), len(answers))
	}
	told := messages[5].Blocks[len(messages[5].Blocks)-1].Text
	for _, want := range []string{
		`failure text "the station is closed"`, `result {"celsius":7.5}`,
		fmt.Sprintf("reasoning %q sealed with %q", messages[1].Blocks[0].Text, messages[1].Blocks[0].Signature),
		fmt.Sprintf("reasoning %q sealed with %q", messages[3].Blocks[0].Text, messages[3].Blocks[0].Signature),
	} {
		if !strings.Contains(told, want) || messages[1].Blocks[0].Signature == "" {
			t.Errorf("the model was asked\n%s\nwithout %s", told, want)
		}
	}
	first, second := answers[0].Usage, answers[1].Usage
	if first.CacheReadTokens != 0 || first.CacheWriteTokens < 1_000 || second.CacheReadTokens < first.CacheWriteTokens || second.InputTokens <= second.CacheReadTokens {
		t.Errorf("the cache of the first answer %+v, of the second %+v", first, second)
	}
	p.wantRequests(3)
}

// TestAnUploadIsDeletedBeforeTheModelIsAsked: its request fails for that, is not
// tried again, and costs nothing, by the queue and by the OpenAI interface.
func TestAnUploadIsDeletedBeforeTheModelIsAsked(t *testing.T) {
	t.Parallel()
	p := newPerson(t, ownCloud(t))
	upload := p.uploaded("png", photo, "image/png")
	socket := p.dial()
	p.SetFaults(t, map[string]any{"service": "s3", "operation": "GetObject", "error": "SlowDown"})
	id := accepted(t, p.call("POST", "/requests", protocol.SubmitRequest{Messages: []protocol.Message{{Role: protocol.RoleUser, Blocks: []protocol.Block{
		protocol.TextBlock("What is it?"), {Type: protocol.BlockImage, Format: "png", UploadID: upload.UploadID},
	}}}}))
	completion := make(chan *localcloudtest.Completion, 1)
	go func() {
		defer close(completion)
		completion <- p.complete(map[string]any{"model": "global.amazon.nova-2-lite-v1:0", "stream": true, "messages": []any{map[string]any{"role": "user", "content": []any{
			map[string]any{"type": "text", "text": "What is it?"},
			map[string]any{"type": "file", "file": map[string]any{"file_id": upload.UploadID, "filename": "photo.png"}},
		}}}})
	}()
	localcloudtest.Eventually(t, patience, "two requests", func() bool { return p.usage().InFlight == 2 })
	p.s3(http.MethodDelete, upload.URL, nil)
	p.SetFaults(t)

	c, ok := <-completion
	if !ok {
		t.FailNow()
	}
	if c.Read(t); c.Status != http.StatusBadRequest || !c.Error.Is("upload_not_found") || c.Error.Type != "invalid_request_error" || c.Header.Get("X-Should-Retry") != "false" {
		t.Errorf("the completion is %d %+v", c.Status, c.Error)
	}
	if end := socket.Stream(t, id, patience).End; end.Code != "upload_not_found" || end.Retryable || !strings.Contains(end.Message, "Upload it again") {
		t.Errorf("the socket is told %s", end.Raw)
	}
	for _, id := range []string{id, c.ID()} {
		if s := p.await(id, "failed"); s.Error.Code != "upload_not_found" || s.Attempt > 4 || modelCalls(t, p.Harness, id) != 0 {
			t.Errorf("request %+v after %v calls of the model", s, modelCalls(t, p.Harness, id))
		}
	}
	p.wantSettled(0, 0)
	if dead := p.messages(p.Config.DeadLetterQueueURL); dead != 0 {
		t.Errorf("%d dead letters", dead)
	}
}
