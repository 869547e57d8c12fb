package client_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/client"
	"github.com/streaming-service/streaming-service/protocol"
)

// stored is what was put to the bucket.
type stored struct {
	header http.Header
	puts   int
}

// bucket has the fake service grant uploads, and answer puts with statuses, the
// last of them again and again.
func (f *fakeService) bucket(statuses ...int) *stored {
	s := &stored{}
	f.get = func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/v1/uploads" {
			answer(w, 201, protocol.CreateUploadResponse{
				UploadID: "up", URL: "http://service/bucket/key?X-Amz-Signature=s", Headers: map[string]string{"Content-Type": "image/png"},
				ExpiresAt: "2026-11-29T00:00:00Z",
			})
			return
		}
		s.header = r.Header
		w.WriteHeader(statuses[min(s.puts, len(statuses)-1)])
		s.puts++
	}
	return s
}

func TestAttach(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		s := f.bucket(200)
		c := f.client()
		small, err := c.Attach(t.Context(), "notes/Q3 report (final)_v2.PDF", []byte("hello"))
		if err != nil || string(protocol.Encode(small)) != `{"type":"document","format":"pdf","name":"Q3 report (final) v2","data":"aGVsbG8="}` {
			t.Errorf("%s, %v", protocol.Encode(small), err)
		}
		large, err := c.Attach(t.Context(), "photo.jpg", make([]byte, 20_000))
		if err != nil || string(protocol.Encode(large)) != `{"type":"image","format":"jpeg","uploadId":"up"}` {
			t.Errorf("%s, %v", protocol.Encode(large), err)
		}
		if s.header.Get("Authorization") != "" || s.header.Get("Content-Type") != "image/png" || s.header.Get("Content-Length") != "20000" {
			t.Errorf("put with %v", s.header)
		}
	})
}

func TestAttachRefuses(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		c := f.client()
		for _, want := range []client.FileError{
			{Name: "film.mp4", Problem: client.FileOfNoFormat, Size: 1},
			{Name: "a.png", Problem: client.FileEmpty},
			{Name: "b.png", Problem: client.FileTooLarge, Size: protocol.MaxImageBytes + 1, Limit: 3_932_160},
			{Name: "c.md", Problem: client.FileTooLarge, Size: protocol.MaxDocumentBytes + 1, Limit: 4_718_592},
		} {
			_, err := c.Attach(t.Context(), want.Name, make([]byte, want.Size))
			var refused *client.FileError
			if !errors.As(err, &refused) || *refused != want {
				t.Errorf("%s: %v, want %v", want.Name, err, &want)
			}
		}
		if n := f.count(http.MethodPost, "/v1/uploads"); n != 0 {
			t.Errorf("%d uploads", n)
		}
	})
}

// The names of documents must differ in a request: the same file, attached in two
// messages, was refused.
func TestDocumentsOfOneName(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		submitted := f.answers(saying)
		notes := func(name string) protocol.Block {
			return protocol.Block{Type: protocol.BlockDocument, Format: "md", Name: name, Data: []byte("x")}
		}
		messages := []protocol.Message{
			{Role: protocol.RoleUser, Blocks: []protocol.Block{protocol.TextBlock("Hi"), notes("Notes"), notes("notes")}},
			{Role: protocol.RoleAssistant, Content: "Hi"},
			{Role: protocol.RoleUser, Blocks: []protocol.Block{protocol.TextBlock("Hi"), notes("Notes"), notes("notes 2")}},
		}
		if _, err := f.connected().Submit(t.Context(), protocol.SubmitRequest{Messages: messages}); err != nil {
			t.Fatal(err)
		}
		requests, _ := submitted()
		var names []string
		for _, m := range requests[0].Messages {
			for _, b := range m.Blocks {
				names = append(names, b.Name)
			}
		}
		if got, want := strings.Join(names, ","), ",Notes,notes 2,,Notes 3,notes 2 2"; got != want || messages[2].Blocks[1].Name != "Notes" {
			t.Errorf("names %q, want %q; given as %q", got, want, messages[2].Blocks[1].Name)
		}
	})
}

func TestUploadIsTriedAgain(t *testing.T) {
	t.Parallel()
	serve(t, func(t *testing.T, f *fakeService) {
		s := f.bucket(503, 200)
		if upload, err := f.client().Upload(t.Context(), "png", []byte("x")); err != nil || upload.ID != "up" || upload.ExpiresAt.Year() != 2026 || s.puts != 2 {
			t.Errorf("%+v, %v after %d puts", upload, err, s.puts)
		}
		f.bucket(403)
		var refusal *client.APIError
		if _, err := f.client().Upload(t.Context(), "png", []byte("x")); !errors.As(err, &refusal) || refusal.Status != 403 {
			t.Errorf("refused with %v", err)
		}
	})
}
