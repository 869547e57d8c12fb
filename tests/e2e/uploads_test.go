package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/protocol"
)

// announce announces an upload of the person.
func (p *person) announce(format string, bytes int64) protocol.CreateUploadResponse {
	p.t.Helper()
	answer := p.call("POST", "/uploads", protocol.CreateUploadRequest{Format: format, Bytes: bytes})
	if answer.Status != http.StatusCreated {
		p.t.Fatalf("announcing an upload: %d %s", answer.Status, answer.Body)
	}
	var announced protocol.CreateUploadResponse
	answer.Decode(p.t, &announced)
	return announced
}

// put sends a body to the URL of an upload, from a page of an origin.
func put(t *testing.T, upload protocol.CreateUploadResponse, body, mediaType, origin string) (status int, allowed string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, upload.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", mediaType)
	request.Header.Set("Origin", origin)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode, response.Header.Get("Access-Control-Allow-Origin")
}

// TestUpload: a page puts what it has announced, and nothing else, with the
// permissions that the functions have on AWS.
func TestUpload(t *testing.T) {
	t.Parallel()
	const page = "https://app.example.com"
	p := newPerson(t, cloud(t))
	upload := p.announce("pdf", 5)
	if got := upload.Headers["Content-Type"]; got != "application/pdf" {
		t.Errorf("headers %v", upload.Headers)
	}
	for _, test := range []struct {
		name, body, mediaType string
		status                int
	}{
		{"larger", "hello!", "application/pdf", 403},
		{"other type", "hello", "text/html", 403},
		{"right", "hello", "application/pdf", 200},
		{"again", "hello", "application/pdf", 200},
	} {
		if status, allowed := put(t, upload, test.body, test.mediaType, page); status != test.status || allowed != "*" {
			t.Errorf("%s: %d for pages of %q, want %d for those of *", test.name, status, allowed, test.status)
		}
	}
	for body, field := range map[protocol.CreateUploadRequest]string{{Format: "png", Bytes: 3_932_161}: "bytes", {Format: "exe", Bytes: 1}: "format"} {
		answer := p.call("POST", "/uploads", body)
		if answer.Status != 400 || !strings.Contains(string(answer.Body), `"field":"`+field+`"`) {
			t.Errorf("%+v: %d %s", body, answer.Status, answer.Body)
		}
	}
}

// TestUploadReachesTheModel: an image lies in the bucket while its request waits,
// and the model is asked with its bytes. Others, and what was never put, have
// none.
func TestUploadReachesTheModel(t *testing.T) {
	t.Parallel()
	p, other := newPerson(t, cloud(t)), newPerson(t, cloud(t))
	image := "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 300_000) // more than a body may have
	upload, empty := p.announce("png", int64(len(image))), p.announce("png", 5)
	if status, _ := put(t, upload, image, "image/png", "https://app.example.com"); status != 200 {
		t.Fatalf("put: %d", status)
	}
	ask := func(uploadID, format string) map[string]any {
		return map[string]any{"messages": []any{map[string]any{"role": "user", "content": []any{
			map[string]any{"type": "text", "text": "What is this?"}, map[string]any{"type": "image", "format": format, "uploadId": uploadID},
		}}}, "maxTokens": 50}
	}
	refused := func(name string, who *person, body any, status int, code string) {
		if answer := who.call("POST", "/requests", body); answer.Status != status || answer.Code() != code || !strings.Contains(string(answer.Body), `messages[0].content[1].`) {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Body)
		}
	}
	refused("another user's", other, ask(upload.UploadID, "png"), 400, "upload_not_found")
	refused("never put", p, ask(empty.UploadID, "png"), 400, "upload_not_found")
	refused("of another format", p, ask(upload.UploadID, "gif"), 400, "invalid_request")

	answer := p.call("POST", "/requests", ask(upload.UploadID, "png"))
	if answer.Status != http.StatusAccepted {
		t.Fatalf("submitting: %d %s", answer.Status, answer.Body)
	}
	var submitted protocol.SubmitResponse
	answer.Decode(t, &submitted)
	p.await(submitted.RequestID, "succeeded")
}

// TestUploadsOnlyOfAllowedOrigins: the bucket knows the origins of the APIs.
func TestUploadsOnlyOfAllowedOrigins(t *testing.T) {
	t.Parallel()
	h := ownCloud(t, `auth.allowedOrigins[0]=https://app.example.com`)
	upload := newPerson(t, h).announce("png", 5)
	for origin, status := range map[string]int{"https://app.example.com": 200, "https://evil.example.com": 403} {
		answer := h.Do(t, http.MethodOptions, upload.URL, map[string]string{
			"Origin": origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type",
		}, nil)
		if answer.Status != status {
			t.Errorf("%s: %d, want %d", origin, answer.Status, status)
		}
	}
}

// TestNoUploads: without the setting nobody can upload.
func TestNoUploads(t *testing.T) {
	t.Parallel()
	p := newPerson(t, ownCloud(t, "uploads=false"))
	if answer := p.call("POST", "/uploads", protocol.CreateUploadRequest{Format: "png", Bytes: 1}); answer.Status != 404 {
		t.Errorf("got %d %s", answer.Status, answer.Body)
	}
}
