package e2e_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/streaming-service/streaming-service/protocol"
)

// TestTheDocumentIsServed to anybody, and to pages of every allowed origin.
func TestTheDocumentIsServed(t *testing.T) {
	t.Parallel()
	var want bytes.Buffer
	if err := json.Compact(&want, protocol.OpenAPI); err != nil {
		t.Fatal(err)
	}
	answer := cloud(t).Rest(t, "", "GET", "/openapi.json", nil, "Origin", "https://app.example")
	if answer.Status != 200 || answer.Header.Get("Content-Type") != "application/json" || answer.Header.Get("Access-Control-Allow-Origin") != "https://app.example" {
		t.Errorf("got %d %v", answer.Status, answer.Header)
	}
	if !bytes.Equal(answer.Body, want.Bytes()) {
		t.Errorf("got %.200s…, want protocol/openapi.json", answer.Body)
	}
	wantProblem(t, newPerson(t, cloud(t)).call("POST", "/openapi.json", nil), 405, "method_not_allowed")
}
