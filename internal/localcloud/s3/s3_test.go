package s3_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
)

// TestObject: an object's life by the SDK, signed in the header.
func TestObject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, key := w.role(t, "up", uploader), "uploads/u 1/a+b.txt"
	if err := put(t, client, key, "hello"); err != nil {
		t.Fatal(err)
	}
	head, err := client.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String(bucket), Key: &key})
	if err != nil || *head.ContentLength != 5 || *head.ContentType != "text/plain" || *head.ETag != `"5d41402abc4b2a76b9719d911017c592"` {
		t.Fatalf("head %+v, %v", head, err)
	}
	if body, err := get(t, client, key); err != nil || body != "hello" {
		t.Errorf("got %q, %v", body, err)
	}
	if _, err := client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: aws.String(bucket), Key: &key}); err != nil {
		t.Error(err)
	}
	if _, err := get(t, client, key); code(err) != "NoSuchKey" {
		t.Errorf("after the deletion: %v", err)
	}
}

// TestMissingIsForbidden: who may not list a bucket does not learn that an
// object is missing.
func TestMissingIsForbidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.role(t, "blind", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::svc-uploads/*"}]}`)
	if _, err := get(t, client, "uploads/none"); code(err) != "AccessDenied" {
		t.Errorf("got %v", err)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.role(t, "up", uploader)
	if err := put(t, client, "site/index.html", "x"); code(err) != "AccessDenied" {
		t.Errorf("outside of what the role may: %v", err)
	}
	if err := put(t, w.operator(), "site/index.html", "x"); err != nil {
		t.Errorf("the operator: %v", err)
	}
	w.roles.DeleteRole("up")
	if err := put(t, client, "uploads/a", "x"); code(err) != "InvalidAccessKeyId" {
		t.Errorf("a deleted role: %v", err)
	}
	if got := send(t, "GET", w.server.URL+"/"+bucket+"/site/index.html", "", nil); got.status != 403 || !strings.Contains(got.body, "<Code>AccessDenied</Code>") {
		t.Errorf("unsigned: %+v", got)
	}
}

// TestPolicy: the policy of a bucket is about its objects, and holds for all.
func TestPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.role(t, "up", uploader)
	deny := func(condition string) {
		err := w.roles.PutResourcePolicy(s3.BucketARN(bucket), `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*",
			"Resource":["arn:aws:s3:::svc-uploads","arn:aws:s3:::svc-uploads/*"],"Condition":{"Bool":{"aws:SecureTransport":"`+condition+`"}}}]}`)
		if err != nil {
			t.Fatal(err)
		}
	}
	deny("false")
	if err := put(t, client, "uploads/a", "x"); err != nil {
		t.Errorf("over TLS: %v", err)
	}
	deny("true")
	if err := put(t, client, "uploads/a", "x"); code(err) != "AccessDenied" {
		t.Errorf("denied by the bucket: %v", err)
	}
	if err := put(t, w.operator(), "uploads/a", "x"); code(err) != "AccessDenied" {
		t.Errorf("denied to the operator: %v", err)
	}
	other := w.roles.PutResourcePolicy(s3.BucketARN(bucket), `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::svc-uploads-2/*"]}]}`)
	if other == nil {
		t.Error("a policy about another bucket was taken")
	}
}

// TestAllowedService: CloudFront reads what the policy lets its distribution.
func TestAllowedService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	err := w.roles.PutResourcePolicy(s3.BucketARN(bucket), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudfront.amazonaws.com"},
		"Action":"s3:GetObject","Resource":"arn:aws:s3:::svc-uploads/*","Condition":{"StringEquals":{"AWS:SourceArn":"arn:aws:cloudfront::0:distribution/E1"}}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]bool{"arn:aws:cloudfront::0:distribution/E1": true, "arn:aws:cloudfront::0:distribution/E2": false} {
		refusal := w.roles.AllowedService("cloudfront.amazonaws.com", awsapi.Permission{
			Action: "s3:GetObject", Resource: s3.ObjectARN(bucket, "index.html"), PolicyOf: s3.BucketARN(bucket), Context: map[string]string{"aws:SourceArn": source},
		})
		if (refusal == nil) != want {
			t.Errorf("%s: %v", source, refusal)
		}
	}
	if err := put(t, w.role(t, "r", uploader), "uploads/a", "x"); err != nil {
		t.Errorf("what the policy says of a service changed what a role may: %v", err)
	}
}

// TestPresignedPut: the URL takes what was signed, and nothing else.
func TestPresignedPut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.role(t, "up", uploader)
	signed, headers := presignPut(t, client, "uploads/u1/a")
	for _, name := range []string{"Content-Length", "Content-Type"} {
		if headers.Get(name) == "" {
			t.Fatalf("%s is not signed: %v", name, headers)
		}
	}
	elsewhere := strings.Replace(signed, "/u1/", "/u2/", 1)
	longer := strings.Replace(signed, "X-Amz-Expires=600", "X-Amz-Expires=86400", 1)
	text := map[string]string{"Content-Type": "text/plain"}
	for _, test := range []struct {
		name, method, url, body string
		header                  map[string]string
		status                  int
		code                    string
	}{
		{"other size", "PUT", signed, "hello!", text, 403, "SignatureDoesNotMatch"},
		{"other type", "PUT", signed, "hello", map[string]string{"Content-Type": "text/html"}, 403, "SignatureDoesNotMatch"},
		{"no type", "PUT", signed, "hello", nil, 403, "SignatureDoesNotMatch"},
		{"other method", "GET", signed, "", nil, 403, "SignatureDoesNotMatch"},
		{"other user", "PUT", elsewhere, "hello", text, 403, "SignatureDoesNotMatch"},
		{"longer", "PUT", longer, "hello", text, 403, "SignatureDoesNotMatch"},
		{"too long", "PUT", strings.Replace(signed, "X-Amz-Expires=600", "X-Amz-Expires=604801", 1), "hello", text, 400, "AuthorizationQueryParametersError"},
		{"unsigned header", "PUT", signed, "hello", map[string]string{"Content-Type": "text/plain", "X-Amz-Acl": "public-read"}, 403, "AccessDenied"},
		{"other bucket", "PUT", strings.Replace(signed, "/"+bucket+"/", "/other/", 1), "hello", text, 403, "SignatureDoesNotMatch"},
		{"no signature", "PUT", signed[:strings.Index(signed, "&X-Amz-Signature")], "hello", text, 400, "AuthorizationQueryParametersError"},
		{"nobody's key", "PUT", strings.Replace(signed, "ASIALOCAL", "AKIA", 1), "hello", text, 403, "InvalidAccessKeyId"},
		{"right", "PUT", signed, "hello", text, 200, ""},
	} {
		got := send(t, test.method, test.url, test.body, test.header)
		if got.status != test.status || !strings.Contains(got.body, "<Code>"+test.code+"</Code>") != (test.code == "") {
			t.Errorf("%s: %d %s, want %d %s", test.name, got.status, got.body, test.status, test.code)
		}
	}
	if body, err := get(t, client, "uploads/u1/a"); err != nil || body != "hello" {
		t.Errorf("stored %q, %v", body, err)
	}
}

// TestPresignedExpiry: a URL is good from fifteen minutes before its time until
// it expires.
func TestPresignedExpiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	signed, _ := presignPut(t, w.role(t, "up", uploader), "uploads/u1/a")
	text := map[string]string{"Content-Type": "text/plain"}
	for _, step := range []struct {
		pass time.Duration
		want string
	}{{-20 * time.Minute, "Request is not yet valid"}, {20*time.Minute + 9*time.Minute, ""}, {2 * time.Minute, "Request has expired"}} {
		w.pass(step.pass)
		if got := send(t, "PUT", signed, "hello", text); !strings.Contains(got.body, step.want) || (got.status == 200) != (step.want == "") {
			t.Errorf("%v later: %+v, want %q", step.pass, got, step.want)
		}
	}
}

// TestPresignedRoleMayNot: a URL allows what its signer may at the time of the
// call.
func TestPresignedRoleMayNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	signed, _ := presignPut(t, w.role(t, "up", uploader), "site/a")
	if got := send(t, "PUT", signed, "hello", map[string]string{"Content-Type": "text/plain"}); got.status != 403 || !strings.Contains(got.body, "AccessDenied") {
		t.Errorf("got %+v", got)
	}
}

// TestPresignedToken: temporary keys sign together with their token.
func TestPresignedToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	arn, err := w.roles.CreateRole("up", trust)
	if err != nil {
		t.Fatal(err)
	}
	id, secret, _ := w.roles.Credentials(arn)
	client := w.client(aws.CredentialsProviderFunc(staticKey(id, secret)))
	signed, _ := presignPut(t, client, "uploads/a")
	if got := send(t, "PUT", signed, "hello", map[string]string{"Content-Type": "text/plain"}); got.status != 400 || !strings.Contains(got.body, "InvalidToken") {
		t.Errorf("got %+v", got)
	}
}

// TestVirtualHost: a bucket's own host name is the other way to name it.
func TestVirtualHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	base := strings.Replace(w.server.URL, "127.0.0.1", "localhost", 1)
	client := w.role(t, "up", uploader)
	hosted := awss3.New(awss3.Options{Region: "us-east-1", Credentials: client.Options().Credentials, BaseEndpoint: &base, RetryMaxAttempts: 1})
	signed, _ := presignPut(t, hosted, "uploads/u1/a")
	u, err := url.Parse(signed)
	if err != nil || !strings.HasPrefix(u.Host, bucket+".localhost:") {
		t.Fatalf("the SDK chose %s, %v", signed, err)
	}
	host := u.Host
	u.Host = strings.TrimPrefix(w.server.URL, "http://") // not every machine resolves it
	if got := send(t, "PUT", u.String(), "hello", map[string]string{"Content-Type": "text/plain", "Host": host}); got.status != 200 {
		t.Fatalf("got %+v", got)
	}
	if body, err := get(t, client, "uploads/u1/a"); err != nil || body != "hello" {
		t.Errorf("stored %q, %v", body, err)
	}
}

func TestUnknownIsNotImplemented(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, key := w.role(t, "up", uploader), "uploads/a"
	_, listing := client.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	_, tagging := client.GetObjectTagging(t.Context(), &awss3.GetObjectTaggingInput{Bucket: aws.String(bucket), Key: &key})
	_, acl := client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, ACL: "public-read"})
	_, none := client.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String("svc-none"), Key: &key})
	for name, got := range map[string]struct {
		err  error
		want string
	}{"listing": {listing, "NotImplemented"}, "tagging": {tagging, "NotImplemented"}, "acl": {acl, "NotImplemented"}, "no bucket": {none, "NoSuchBucket"}} {
		if code(got.err) != got.want {
			t.Errorf("%s: %v, want %s", name, got.err, got.want)
		}
	}
}

// TestChecksums: a body that is not what its sender meant is refused.
func TestChecksums(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, key := w.role(t, "up", uploader), "uploads/a"
	for _, test := range []struct {
		name string
		in   awss3.PutObjectInput
		code string
	}{
		{"crc", awss3.PutObjectInput{ChecksumCRC32: aws.String("NhCmhg==")}, ""},
		{"other crc", awss3.PutObjectInput{ChecksumCRC32: aws.String("AAAAAA==")}, "BadDigest"},
		{"sha", awss3.PutObjectInput{ChecksumSHA256: aws.String("LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=")}, ""},
		{"other md5", awss3.PutObjectInput{ContentMD5: aws.String("AAAA")}, "BadDigest"},
	} {
		in := test.in
		in.Bucket, in.Key, in.Body = aws.String(bucket), &key, strings.NewReader("hello")
		if _, err := client.PutObject(t.Context(), &in); code(err) != test.code {
			t.Errorf("%s: %v, want %s", test.name, err, test.code)
		}
	}
}

func TestIfNoneMatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client, key := w.role(t, "up", uploader), "uploads/a"
	for _, want := range []string{"", "PreconditionFailed"} {
		_, err := client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")})
		if code(err) != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
