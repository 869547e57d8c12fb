package objects_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/faults"
	"github.com/streaming-service/streaming-service/internal/localcloud/guard"
	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/objects"
)

const (
	trust    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	uploader = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":["arn:aws:s3:::svc-uploads/uploads/*"]},
		{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::svc-uploads"]}]}`
	address = "https://svc-uploads.s3.us-east-1.amazonaws.com"
)

// world is the local S3 and a bucket in it, which a function of a role uses.
type world struct {
	*objects.Bucket
	faults *faults.Injector
	now    time.Time
}

func newWorld(t *testing.T, policy string) *world {
	t.Helper()
	roles := iam.New()
	w := &world{faults: faults.New(0), now: time.Now()}
	local := s3.New(s3.Deps{Guard: guard.New(roles, w.faults, usage.New()), Keys: roles})
	server := httptest.NewServer(local)
	t.Cleanup(server.Close)
	arn, err := roles.CreateRole("f", trust)
	if err == nil {
		err = errors.Join(roles.PutRolePolicy("f", "p", policy), local.CreateBucket("svc-uploads"))
	}
	if err != nil {
		t.Fatal(err)
	}
	id, secret, token := roles.Credentials(arn)
	env := map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token, "AWS_ENDPOINT_URL": server.URL,
	}
	w.Bucket = objects.New(awsconfig.Load(func(name string) string { return env[name] }), address, func() time.Time { return w.now })
	return w
}

// put announces an upload and puts a body with a header by its URL.
func (w *world) put(t *testing.T, userID, body string, header map[string]string) (uploadID string, status int) {
	t.Helper()
	uploadID = life.NewUploadID(w.now)
	url, signed, err := w.Announce(t.Context(), userID, uploadID, life.Upload{Format: "png", Bytes: 5}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if header == nil {
		header = signed
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return uploadID, response.StatusCode
}

func TestUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, uploader)
	id, status := w.put(t, "user 1", "hello", nil)
	if status != 200 {
		t.Fatalf("put: %d", status)
	}
	if got, err := w.Find(t.Context(), "user 1", id); err != nil || got != (life.Upload{Format: "png", Bytes: 5}) {
		t.Errorf("found %+v, %v", got, err)
	}
	if got, err := w.Fetch(t.Context(), "user 1", id); err != nil || string(got) != "hello" {
		t.Errorf("fetched %q, %v", got, err)
	}
}

// TestOnlyWhatWasAnnounced: the URL is bound to size and type.
func TestOnlyWhatWasAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, uploader)
	for name, put := range map[string]struct {
		body   string
		header map[string]string
	}{"larger": {"hello!", nil}, "smaller": {"hell", nil}, "other type": {"hello", map[string]string{"Content-Type": "text/html"}}} {
		if id, status := w.put(t, "u", put.body, put.header); status != 403 {
			t.Errorf("%s: %d", name, status)
		} else if _, err := w.Find(t.Context(), "u", id); !errors.Is(err, life.ErrNotFound) {
			t.Errorf("%s is found: %v", name, err)
		}
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, uploader)
	id, _ := w.put(t, "u", "hello", nil)
	find := func(userID, uploadID string) error {
		_, err := w.Find(t.Context(), userID, uploadID)
		return err
	}
	for name, err := range map[string]error{
		"another user's": find("v", id), "never put": find("u", life.NewUploadID(w.now)), "no id": find("u", "../v/"+id),
	} {
		if !errors.Is(err, life.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Fetch(t.Context(), "v", id); !errors.Is(err, life.ErrNotFound) {
		t.Errorf("fetching another user's: %v", err)
	}
	w.now = w.now.Add(life.UploadTTL)
	if err := find("u", id); !errors.Is(err, life.ErrNotFound) {
		t.Errorf("expired: %v", err)
	}
}

// TestMissingPermissionIsNoMissingUpload: it is an error that somebody will look
// for.
func TestMissingPermissionIsNoMissingUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::svc-uploads/uploads/*"}]}`)
	id, _ := w.put(t, "u", "hello", nil)
	if _, err := w.Find(t.Context(), "u", id); err == nil || errors.Is(err, life.ErrNotFound) || errors.Is(err, life.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// TestTriesAgain: S3 may ask to come again.
func TestTriesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, uploader)
	id, _ := w.put(t, "u", "hello", nil)
	slow := func(times int) {
		if err := w.faults.Set([]faults.Rule{{Service: "s3", Operation: "GetObject", Error: "SlowDown", Times: times}}); err != nil {
			t.Fatal(err)
		}
	}
	slow(2)
	if got, err := w.Fetch(t.Context(), "u", id); err != nil || string(got) != "hello" {
		t.Errorf("fetched %q, %v", got, err)
	}
	slow(3)
	if _, err := w.Fetch(t.Context(), "u", id); !errors.Is(err, life.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// TestAddressOnAWS: without an endpoint of somebody else's the bucket is in the
// host name.
func TestAddressOnAWS(t *testing.T) {
	t.Parallel()
	env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
	b := objects.New(awsconfig.Load(func(name string) string { return env[name] }), address, time.Now)
	url, _, err := b.Announce(context.Background(), "u", "id", life.Upload{Format: "pdf", Bytes: 1}, time.Minute)
	if err != nil || !strings.HasPrefix(url, address+"/uploads/u/id?") {
		t.Errorf("got %s, %v", url, err)
	}
	for _, part := range []string{"X-Amz-Expires=60", "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost"} {
		if !strings.Contains(url, part) {
			t.Errorf("%s is not in %s", part, url)
		}
	}
}
