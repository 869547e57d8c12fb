package admission_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/lambdas/internal/admission"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// uploads are those of one user, by their ids.
type uploads struct {
	user string
	list map[string]life.Upload
	err  error
}

func (u uploads) Find(_ context.Context, userID, uploadID string) (life.Upload, error) {
	if u.err != nil {
		return life.Upload{}, u.err
	}
	upload, ok := u.list[uploadID]
	if !ok || userID != u.user {
		return life.Upload{}, life.ErrNotFound
	}
	return upload, nil
}

const (
	uploadedImage    = `{"type":"image","format":"png","uploadId":"photo"}`
	uploadedDocument = `{"type":"document","format":"pdf","name":"a","uploadId":"thesis"}`
)

func document(n int) string {
	return fmt.Sprintf(`{"type":"document","format":"pdf","name":"a %d","uploadId":"%d"}`, n, n)
}

// allOf are documents of one size, with the ids 1 to 4.
func allOf(bytes int64) uploads {
	list := map[string]life.Upload{}
	for n := range 4 {
		list[strconv.Itoa(n+1)] = life.Upload{Format: "pdf", Bytes: bytes}
	}
	return uploads{user: "u", list: list}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body string
		uploads    admission.Uploads
		code       protocol.Code
		want       string // begin of the field and message
		bytes      int64
	}{
		{"off", asked(uploadedImage), nil, protocol.CodeUploadNotFound, `messages[0].content[0].uploadId is no upload of this user: "photo"`, 0},
		{"unknown", asked(uploadedImage), uploads{user: "u"}, protocol.CodeUploadNotFound, "messages[0].content[0].uploadId", 0},
		{"of another", asked(uploadedImage), uploads{user: "another", list: map[string]life.Upload{"photo": {Format: "png", Bytes: 1}}}, protocol.CodeUploadNotFound, "messages[0].content[0].uploadId", 0},
		{"of another format", asked(uploadedImage), uploads{user: "u", list: map[string]life.Upload{"photo": {Format: "gif", Bytes: 1}}}, protocol.CodeInvalidRequest, "messages[0].content[0].format must be that of the upload, gif, got png", 0},
		{"large image", asked(uploadedImage), uploads{user: "u", list: map[string]life.Upload{"photo": {Format: "png", Bytes: 3_932_161}}}, protocol.CodeInvalidRequest, "messages[0].content[0].uploadId must have at most 3932160 bytes (3.75 MB), got 3932161", 0},
		{"large document", asked(text, uploadedDocument), uploads{user: "u", list: map[string]life.Upload{"thesis": {Format: "pdf", Bytes: 4_718_593}}}, protocol.CodeInvalidRequest, "messages[0].content[1].uploadId must have at most 4718592 bytes (4.5 MB), got 4718593", 0},
		{"too much together", asked(text, document(1), document(2), document(3), document(4)), allOf(4_718_592), protocol.CodeInvalidRequest, "messages must have at most 18000000 bytes (18 MB) of images and documents together, got 18874368", 0},
		{"as much as there may be", asked(text, document(1), document(2), document(3), document(4)), allOf(4_500_000), "", "", 18_000_000},
		{"largest image", asked(uploadedImage), uploads{user: "u", list: map[string]life.Upload{"photo": {Format: "png", Bytes: 3_932_160}}}, "", "", 3_932_160},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Uploads, w.Tiers.Default.MonthlyTokens = test.uploads, 10_000_000
			a := w.submit(t.Context(), "", test.body)
			if a.code() != test.code {
				t.Fatalf("code %q, want %q", a.code(), test.code)
			}
			if test.code == "" {
				if in, err := w.db.Input(t.Context(), a.id(), w.record(t, a.id()).BodyHash); err != nil || in.UploadBytes != test.bytes {
					t.Errorf("the input has uploads of %d bytes, want %d: %v", in.UploadBytes, test.bytes, err)
				}
				return
			}
			if f := a.refusal.Problem.Errors[0]; !strings.HasPrefix(f.Field+" "+f.Message, test.want) {
				t.Errorf("%s %s, want %s", f.Field, f.Message, test.want)
			}
			if len(w.sent) > 0 || w.account(t).InFlight != 0 {
				t.Error("something was admitted")
			}
		})
	}
}

func TestUploadsThatCannotBeFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Uploads = uploads{err: errors.New("no bucket")}
	if a := w.submit(t.Context(), "", asked(uploadedImage)); a.code() != protocol.CodeInternal {
		t.Errorf("code %q", a.code())
	}
}

// Images and documents were free until the model had read them: a user could
// hold far more than the quota at once.
func TestReservationCoversImagesAndDocuments(t *testing.T) {
	t.Parallel()
	largest := uploads{user: "u", list: map[string]life.Upload{"photo": {Format: "png", Bytes: 1}, "thesis": {Format: "pdf", Bytes: 50_000}}}
	const words, answer = 12, 100 // of "What is it?", and maxTokens
	for name, test := range map[string]struct {
		body string
		want int64
	}{
		"image":             {asked(text, png), words + answer + 8 + 2_600},
		"uploaded image":    {asked(text, uploadedImage), words + answer + 8 + 2_600},
		"text":              {asked(text, `{"type":"document","format":"txt","name":"a","data":"YWFhYWFhYWFh"}`), words + answer + 9 + 4},
		"a page":            {asked(text, `{"type":"document","format":"pdf","name":"a","data":"AAAA"}`), words + answer + 9 + 3_000},
		"uploaded document": {asked(text, uploadedDocument), words + answer + 9 + 9_000},
		"tools":             {`{"prompt":"What is it?","tools":[{"name":"now","inputSchema":{"type":"object"}}]}`, words + answer + 350 + 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Uploads = largest
			w.Tiers.Default.MonthlyTokens = 1_000_000
			a := w.submit(t.Context(), "", test.body)
			if a.code() != "" {
				t.Fatalf("%+v", a.refusal.Problem)
			}
			if got := w.record(t, a.id()).Estimate; got != test.want {
				t.Errorf("estimate %d, want %d", got, test.want)
			}
		})
	}
}
