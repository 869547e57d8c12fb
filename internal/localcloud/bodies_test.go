package localcloud

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
)

// withObject is a service whose bucket holds what a client put.
func withObject(t *testing.T, content string) *services {
	t.Helper()
	all, err := (&Cloud{options: Options{Model: ModelScripted, Addr: "127.0.0.1:80"}}).newServices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { all.close(t.Context()) })
	all.buckets = s3.New(s3.Deps{Guard: awsapi.Open{}, Keys: all.roles})
	if err := all.buckets.CreateBucket("svc-uploads"); err != nil {
		t.Fatal(err)
	}
	if content != "" {
		restore := s3.Snapshot{{Bucket: "svc-uploads", Key: "k", Body: "b", ContentType: "text/plain"}}
		if _, err := all.buckets.Restore(restore, func(string) ([]byte, error) { return []byte(content), nil }); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestObjectsOutliveARun: a body lies in a file of its own from before the file
// that names it until nothing does.
func TestObjectsOutliveARun(t *testing.T) {
	t.Parallel()
	s, err := openStore(t.TempDir(), "dev")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	before, after := withObject(t, "hello"), withObject(t, "")
	if err := s.save(before); err != nil {
		t.Fatal(err)
	}
	stray := filepath.Join(s.dir, bodiesDir, "half-written-1")
	if err := os.WriteFile(stray, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := &Cloud{services: after, store: s}
	if err := c.restoreData(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, ok := after.buckets.GetObject("svc-uploads", "k"); !ok || string(got.Body) != "hello" || got.ContentType != "text/plain" {
		t.Errorf("restored %+v, %t", got, ok)
	}
	if err := after.buckets.DeleteBucket("svc-uploads", true); err != nil {
		t.Fatal(err)
	}
	if err := s.save(after); err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(filepath.Dir(stray)); err != nil || len(files) != 0 {
		t.Errorf("nothing is stored any more, and %v lie there: %v", files, err)
	}
}
