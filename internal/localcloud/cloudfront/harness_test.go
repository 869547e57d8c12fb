package cloudfront_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/cloudfront"
	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
)

const (
	bucket           = "svc-site"
	cachingOptimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"
	cachingDisabled  = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
)

// world is a distribution in front of a bucket that lets it read.
type world struct {
	*cloudfront.Service
	objects *s3.Service
	roles   *iam.Service
	d       cloudfront.Distribution
}

// newWorld makes a world; changes are of its distribution.
func newWorld(tb testing.TB, changes ...func(*cloudfront.Distribution)) *world {
	tb.Helper()
	w := &world{roles: iam.New()}
	w.objects = s3.New(s3.Deps{Guard: awsapi.Open{}, Keys: w.roles})
	w.Service = cloudfront.New(cloudfront.Deps{Buckets: w.objects, Policies: w.roles})
	if err := w.objects.CreateBucket(bucket); err != nil {
		tb.Fatal(err)
	}
	control, err := w.PutOriginAccessControl(cloudfront.OriginAccessControl{Name: "site", OriginType: "s3", SigningBehavior: "always", SigningProtocol: "sigv4"})
	if err != nil {
		tb.Fatal(err)
	}
	d := cloudfront.Distribution{
		Resource: "site", Enabled: true, DefaultRootObject: "index.html", Certificate: cloudfront.ViewerCertificate{Default: true},
		Origins: []cloudfront.Origin{{ID: "page", DomainName: s3.DomainName(bucket), AccessControlID: control.ID}},
		Behavior: cloudfront.Behavior{
			TargetOriginID: "page", ViewerProtocolPolicy: "redirect-to-https", CachePolicyID: cachingOptimized, Compress: true,
			AllowedMethods: []string{"GET", "HEAD"}, CachedMethods: []string{"GET", "HEAD"},
		},
	}
	for _, change := range changes {
		change(&d)
	}
	if w.d, err = w.PutDistribution(d); err != nil {
		tb.Fatal(err)
	}
	w.allow(tb, w.d.ID, "s3:GetObject", "/*")
	return w
}

// allow is the policy of the bucket: one action for one distribution.
func (w *world) allow(tb testing.TB, distributionID, action, suffix string) {
	tb.Helper()
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudfront.amazonaws.com"},"Action":"` + action +
		`","Resource":"` + s3.BucketARN(bucket) + suffix + `","Condition":{"StringEquals":{"AWS:SourceArn":"` + cloudfront.ARN("distribution/"+distributionID) + `"}}}]}`
	if err := w.roles.PutResourcePolicy(s3.BucketARN(bucket), policy); err != nil {
		tb.Fatal(err)
	}
}

func (w *world) put(tb testing.TB, key, contentType, body string) s3.Object {
	tb.Helper()
	o, err := w.objects.PutObject(bucket, key, s3.Object{Body: []byte(body), ContentType: contentType, CacheControl: "no-cache"})
	if err != nil {
		tb.Fatal(err)
	}
	return o
}

// get asks the distribution; header are pairs.
func (w *world) get(path string, header ...string) *httptest.ResponseRecorder {
	return w.send(http.MethodGet, path, "", header...)
}

func (w *world) send(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://d1.cloudfront.net/", strings.NewReader(body))
	r.URL.Path = path
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	w.Serve(w.d, recorder, r)
	return recorder
}

// wants checks a status, a part of the body, and headers of an answer.
func wants(t *testing.T, name string, got *httptest.ResponseRecorder, status int, body string, header map[string]string) {
	t.Helper()
	if got.Code != status || !strings.Contains(got.Body.String(), body) {
		t.Errorf("%s: %d %q, want %d with %q", name, got.Code, got.Body, status, body)
	}
	for key, want := range maps.All(header) {
		if is := got.Header().Get(key); is != want {
			t.Errorf("%s: %s is %q, want %q", name, key, is, want)
		}
	}
}
