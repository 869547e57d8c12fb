package s3_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
)

func staticKey(id, secret string) func(context.Context) (aws.Credentials, error) {
	return func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}, nil
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	object := w.server.URL + "/" + bucket + "/uploads/a"
	ask := func(origin, method, headers string) answer {
		h := map[string]string{"Origin": origin, "Access-Control-Request-Method": method}
		if headers != "" {
			h["Access-Control-Request-Headers"] = headers
		}
		return send(t, "OPTIONS", object, "", h)
	}
	if got := ask("https://app.example.com", "PUT", ""); got.status != 403 || !strings.Contains(got.body, "CORS is not enabled") {
		t.Errorf("without rules: %+v", got)
	}
	if err := w.PutCORS(bucket, []s3.CORSRule{{
		AllowedOrigins: []string{"https://app.example.com", "https://*.example.org"}, AllowedMethods: []string{"PUT"}, AllowedHeaders: []string{"Content-Type"}, MaxAgeSeconds: 600,
	}}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		origin, method, headers string
		status                  int
	}{
		{"https://app.example.com", "PUT", "content-type", 200},
		{"https://a.example.org", "PUT", "", 200},
		{"https://evil.example.com", "PUT", "content-type", 403},
		{"https://app.example.com", "DELETE", "", 403},
		{"https://app.example.com", "PUT", "content-type,x-amz-acl", 403},
	} {
		got := ask(test.origin, test.method, test.headers)
		allowed := got.header.Get("Access-Control-Allow-Origin") == test.origin && got.header.Get("Access-Control-Allow-Headers") == test.headers
		if got.status != test.status || allowed != (test.status == 200) {
			t.Errorf("%+v: %d %v", test, got.status, got.header)
		}
	}
	signed, _ := presignPut(t, w.role(t, "up", uploader), "uploads/a")
	got := send(t, "PUT", signed, "hello", map[string]string{"Content-Type": "text/plain", "Origin": "https://app.example.com"})
	if got.status != 200 || got.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		t.Errorf("the call itself: %d %v", got.status, got.header)
	}
	if err := w.PutCORS(bucket, []s3.CORSRule{{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"PATCH"}}}); err == nil {
		t.Error("a rule for PATCH was taken")
	}
}

// TestLifecycle: objects expire at the midnight after their days.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.role(t, "up", uploader)
	if err := w.PutLifecycle(bucket, []s3.LifecycleRule{{ID: "day", Enabled: true, Prefix: "uploads/", Days: 1}, {ID: "off", Prefix: "", Days: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := put(t, client, "uploads/a", "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.PutObject(bucket, "index.html", s3.Object{Body: []byte("page")}); err != nil {
		t.Fatal(err)
	}
	w.pass(23 * time.Hour)
	if _, ok := w.GetObject(bucket, "uploads/a"); !ok {
		t.Error("it expired before its day")
	}
	w.pass(25 * time.Hour)
	if _, ok := w.GetObject(bucket, "uploads/a"); ok {
		t.Error("it is there after the midnight that follows")
	}
	if _, ok := w.GetObject(bucket, "index.html"); !ok {
		t.Error("what no rule is about expired")
	}
	if err := w.PutLifecycle(bucket, []s3.LifecycleRule{{ID: "now", Enabled: true}}); err == nil {
		t.Error("a rule of no days was taken")
	}
}

func TestDeleteBucket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := put(t, w.operator(), "uploads/a", "x"); err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteBucket(bucket, false); err == nil || !strings.Contains(err.Error(), "BucketNotEmpty") {
		t.Errorf("got %v", err)
	}
	if err := w.DeleteBucket(bucket, true); err != nil || w.Exists(bucket) {
		t.Errorf("by force: %v", err)
	}
	for _, name := range []string{"ab", "Upper", "a..b", "10.0.0.1", "a_b"} {
		if err := w.CreateBucket(name); err == nil {
			t.Errorf("a bucket was named %s", name)
		}
	}
}

// TestSnapshot: what clients put outlives a restart; what the program puts, it
// puts again.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	before, after := newWorld(t), newWorld(t)
	if err := put(t, before.operator(), "uploads/a", "hello"); err != nil {
		t.Fatal(err)
	}
	if _, err := before.PutObject(bucket, "index.html", s3.Object{Body: []byte("page")}); err != nil {
		t.Fatal(err)
	}
	saved, bodies := before.Snapshot()
	saved = append(saved, s3.SavedObject{Bucket: "gone", Key: "k", Body: saved[0].Body})
	dropped, err := after.Restore(saved, func(sum string) ([]byte, error) { return bodies[sum], nil })
	if err != nil || !slices.Equal(dropped, []string{"gone"}) || len(bodies) != 1 {
		t.Fatalf("dropped %v, %v, of %d bodies", dropped, err, len(bodies))
	}
	if body, err := get(t, after.operator(), "uploads/a"); err != nil || body != "hello" {
		t.Errorf("restored %q, %v", body, err)
	}
	if _, ok := after.GetObject(bucket, "index.html"); ok {
		t.Error("what the program declares was restored")
	}
}
