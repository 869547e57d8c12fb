package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/streaming-service/streaming-service/internal/localcloud/localcloudtest"
	"github.com/streaming-service/streaming-service/protocol"
)

// pageOf serves a page with the browser client from an origin of its own, as a
// program of somebody else does.
func pageOf(t *testing.T, h *localcloudtest.Harness) string {
	t.Helper()
	files := http.NewServeMux()
	files.Handle("/", http.FileServer(http.Dir("../../web")))
	files.HandleFunc("/client.html", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/client.html") })
	files.HandleFunc("/config.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(protocol.Encode(h.Config)) })
	server := httptest.NewServer(files)
	t.Cleanup(server.Close)
	return server.URL + "/client.html"
}

// refusal is an error of the browser client.
type refusal struct {
	Name, Code string
	Limit      int
	Errors     []protocol.FieldError
}

// TestBrowserClientWithFilesAndTools: on a page of another origin, the files reach
// the model, and two rounds of a tool with the sealed reasoning; what cannot be
// sent is an error that says why.
func TestBrowserClientWithFilesAndTools(t *testing.T) {
	t.Parallel()
	p, other := newPerson(t, cloud(t)), newPerson(t, cloud(t))
	tab := newTab(t)
	tab.do(chromedp.Navigate(pageOf(t, p.Harness)))
	tab.wait("the client", `typeof window.run === "function"`)
	users := protocol.Encode([]map[string]string{{"email": p.email, "password": localcloudtest.Password}, {"email": other.email, "password": localcloudtest.Password}})
	tab.eval(`(window.run(` + string(users) + `).then((r) => (window.result = r), (e) => (window.result = { broken: String(e.stack ?? e) })), true)`)
	tab.wait("a result", `window.result !== undefined`)
	var result struct {
		Kinds    []string
		Messages []protocol.Message
		Refusals struct {
			Foreign, Format, Empty, Size, Announced refusal
			UploadID                                string
		}
		Broken string
	}
	if err := json.Unmarshal([]byte(tab.eval(`JSON.stringify(window.result)`)), &result); err != nil || result.Broken != "" {
		t.Fatalf("%v %s", err, result.Broken)
	}
	if got, want := strings.Join(result.Kinds, " "), "asked tool_use error asked tool_use success asked end_turn"; got != want {
		t.Errorf("events %s, want %s", got, want)
	}
	if len(result.Messages) != 6 {
		t.Fatalf("messages %s", protocol.Encode(result.Messages))
	}
	last := result.Messages[5].Blocks
	for _, want := range []string{
		"image " + ofSize("png", bytes.Repeat([]byte("x"), 300_000)), `document "My notes" ` + ofSize("md", []byte("# Notes")),
		`failure text "no station in there"`, `result {"celsius":7.5}`,
		fmt.Sprintf("reasoning %q sealed with %q", result.Messages[1].Blocks[0].Text, result.Messages[1].Blocks[0].Signature),
		fmt.Sprintf("reasoning %q sealed with %q", result.Messages[3].Blocks[0].Text, result.Messages[3].Blocks[0].Signature),
	} {
		if told := last[len(last)-1].Text; !strings.Contains(told, want) {
			t.Errorf("the model was asked\n%s\nwithout %s", told, want)
		}
	}
	r := result.Refusals
	for name, test := range map[string]struct{ got, want refusal }{
		"foreign": {r.Foreign, refusal{Name: "ApiError", Code: "upload_not_found", Errors: []protocol.FieldError{
			{Field: "messages[0].content[1].uploadId", Message: "is no upload of this user: " + strconv.Quote(r.UploadID)},
		}}},
		"format": {r.Format, refusal{Name: "FileError", Code: "format"}},
		"empty":  {r.Empty, refusal{Name: "FileError", Code: "empty"}},
		"size":   {r.Size, refusal{Name: "FileError", Code: "size", Limit: protocol.MaxImageBytes}},
		"announced": {r.Announced, refusal{Name: "ApiError", Code: "invalid_request", Errors: []protocol.FieldError{
			{Field: "bytes", Message: "must be at most 4718592 for a document, got 4718593"},
		}}},
	} {
		if !reflect.DeepEqual(test.got, test.want) {
			t.Errorf("%s: %+v, want %+v", name, test.got, test.want)
		}
	}
	p.wantRequests(3)
}
