package uploads_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/uploads"
	"github.com/streaming-service/streaming-service/protocol"
)

var now = time.Date(2026, 11, 24, 23, 59, 0, 0, time.UTC)

// world is a store and a bucket.
type world struct {
	account life.Account
	err     error // of the count
	counted []string
	key     []string // user and upload that were announced
	upload  life.Upload
}

func (w *world) Account(context.Context, string) (life.Account, error) { return w.account, nil }

func (w *world) CountUpload(_ context.Context, userID string, day time.Time) error {
	w.counted = append(w.counted, userID+" "+day.Format(time.RFC3339))
	return w.err
}

func (w *world) Announce(_ context.Context, userID, uploadID string, upload life.Upload, lasts time.Duration) (string, map[string]string, error) {
	if lasts != 10*time.Minute {
		return "", nil, errors.New("the URL lasts " + lasts.String())
	}
	w.key, w.upload = []string{userID, uploadID}, upload
	return "https://b/k", map[string]string{"Content-Type": "image/png"}, nil
}

func (w *world) create(body string) (httpapi.Response, error) {
	s := &uploads.Service{Store: w, Bucket: w, Now: func() time.Time { return now }}
	return s.Create(context.Background(), httpapi.NewRequest("u", nil, nil, []byte(body)))
}

func TestCreate(t *testing.T) {
	t.Parallel()
	w := &world{}
	got, err := w.create(`{"format":"png","bytes":3932160}`)
	if err != nil || got.Status != 201 {
		t.Fatalf("%+v, %v", got, err)
	}
	made := got.Body.(protocol.CreateUploadResponse)
	want := protocol.CreateUploadResponse{
		UploadID: made.UploadID, URL: "https://b/k", Headers: map[string]string{"Content-Type": "image/png"},
		URLExpiresAt: "2026-11-25T00:09:00.000Z", ExpiresAt: "2026-11-25T23:59:00.000Z",
	}
	if !reflect.DeepEqual(made, want) || !life.UploadLives(made.UploadID, now) {
		t.Errorf("answer %+v", made)
	}
	if !slices.Equal(w.key, []string{"u", made.UploadID}) || w.upload != (life.Upload{Format: "png", Bytes: 3_932_160}) {
		t.Errorf("announced %v %+v", w.key, w.upload)
	}
	if !slices.Equal(w.counted, []string{"u 2026-11-24T00:00:00Z"}) {
		t.Errorf("counted %v", w.counted)
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		world      world
		code       protocol.Code
		fields     []string
		retry      string
	}{
		{"no JSON", `{`, world{}, "invalid_request", []string{"body"}, ""},
		{"no object", `[]`, world{}, "invalid_request", []string{"body"}, ""},
		{"nothing", `{}`, world{}, "invalid_request", []string{"format", "bytes"}, ""},
		{"unknown format", `{"format":"exe","bytes":1}`, world{}, "invalid_request", []string{"format"}, ""},
		{"format of another type", `{"format":1,"bytes":1}`, world{}, "invalid_request", []string{"format"}, ""},
		{"large image", `{"format":"png","bytes":3932161}`, world{}, "invalid_request", []string{"bytes"}, ""},
		{"largest document", `{"format":"pdf","bytes":4718592}`, world{}, "", nil, ""},
		{"large document", `{"format":"pdf","bytes":4718593}`, world{}, "invalid_request", []string{"bytes"}, ""},
		{"empty", `{"format":"pdf","bytes":0}`, world{}, "invalid_request", []string{"bytes"}, ""},
		{"half a byte", `{"format":"pdf","bytes":1.5}`, world{}, "invalid_request", []string{"bytes"}, ""},
		{"unknown field", `{"format":"pdf","bytes":1,"name":"a"}`, world{}, "invalid_request", []string{"name"}, ""},
		{"blocked", `{"format":"pdf","bytes":1}`, world{account: life.Account{BlockedUntil: now.Add(time.Hour)}}, "blocked", nil, ""},
		{"too many", `{"format":"pdf","bytes":1}`, world{err: life.ErrTooManyUploads}, "rate_limited", nil, "61"},
		{"no database", `{"format":"pdf","bytes":1}`, world{err: life.ErrUnavailable}, "unavailable", nil, "1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := test.world
			_, err := w.create(test.body)
			if (err == nil) != (test.code == "") {
				t.Fatal(err)
			}
			if err == nil {
				return
			}
			refused := httpapi.AsError(err)
			var fields []string
			for _, f := range refused.Problem.Errors {
				fields = append(fields, f.Field)
			}
			if refused.Problem.Code != test.code || !slices.Equal(fields, test.fields) || refused.Header["Retry-After"] != test.retry || w.key != nil {
				t.Errorf("%s %q after %q, want %s %q after %q; announced %v", refused.Problem.Code, fields, refused.Header["Retry-After"], test.code, test.fields, test.retry, w.key)
			}
		})
	}
}

func TestRefusalsSayWhatWasGiven(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]protocol.FieldError{
		`{"format":"exe","bytes":1}`:       {Field: "format", Message: `must be one of png, jpeg, gif, webp, pdf, csv, doc, docx, xls, xlsx, html, txt, md, got "exe"`},
		`{"format":"png","bytes":0}`:       {Field: "bytes", Message: "must be a whole number from 1 to 3932160, got 0"},
		`{"format":"pdf","bytes":"5"}`:     {Field: "bytes", Message: `must be a whole number from 1 to 4718592, got "5"`},
		`{"format":"pdf","bytes":4718593}`: {Field: "bytes", Message: "must be at most 4718592 for a document, got 4718593"},
	} {
		w := world{}
		_, err := w.create(body)
		if err == nil || !slices.Equal(httpapi.AsError(err).Problem.Errors, []protocol.FieldError{want}) {
			t.Errorf("%s: %v, want %v", body, err, want)
		}
	}
}

func TestNoUploads(t *testing.T) {
	t.Parallel()
	s := &uploads.Service{Now: time.Now}
	if _, err := s.Create(t.Context(), httpapi.NewRequest("u", nil, nil, []byte(`{"format":"pdf","bytes":1}`))); err == nil || httpapi.AsError(err).Status() != 404 {
		t.Error(err)
	}
}
