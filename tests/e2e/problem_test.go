package e2e_test

import (
	"strconv"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
)

// problem is the body of a refusal.
type problem struct {
	Type, Title, Detail, Code string
	Status                    int
	Errors                    []struct{ Field, Message string }
	Quota, ResetsAt           string
	Limit, Used               *int
}

// wantProblem expects a refusal in the contract's one shape.
func wantProblem(t *testing.T, answer localcloudtest.Answer, status int, code string) problem {
	t.Helper()
	var p problem
	if answer.Status != status {
		t.Errorf("got %d %s, want %d %s", answer.Status, answer.Body, status, code)
		return p
	}
	answer.Decode(t, &p)
	if p.Code != code || p.Type != "urn:streaming-service:"+code || p.Title == "" || p.Status != status {
		t.Errorf("problem %s, want code %s and status %d", answer.Body, code, status)
	}
	if got := answer.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q of %s", got, answer.Body)
	}
	if status == 429 || status == 503 {
		wantRetryAfter(t, answer)
	}
	return p
}

func wantRetryAfter(t *testing.T, answer localcloudtest.Answer) int {
	t.Helper()
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		t.Errorf("Retry-After %q of %d %s, want an integer >= 1", answer.Header.Get("Retry-After"), answer.Status, answer.Body)
	}
	return seconds
}

func atoi(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%q is no number", text)
	}
	return n
}
