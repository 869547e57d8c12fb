package s3_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/streaming-service/streaming-service/internal/localcloud/faults"
	"github.com/streaming-service/streaming-service/internal/localcloud/guard"
	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
	"github.com/streaming-service/streaming-service/internal/localcloud/usage"
)

const (
	bucket = "svc-uploads"
	trust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	// uploader may put and read what is under uploads/, and learn what is missing.
	uploader = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject","s3:DeleteObject"],"Resource":["arn:aws:s3:::svc-uploads/uploads/*"]},
		{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::svc-uploads"]}]}`
)

// world is a service with a bucket, on an HTTP server.
type world struct {
	*s3.Service
	roles  *iam.Service
	server *httptest.Server

	mu    sync.Mutex
	ahead time.Duration
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{roles: iam.New()}
	w.Service = s3.New(s3.Deps{Guard: guard.New(w.roles, faults.New(0), usage.New()), Keys: w.roles, Now: w.now})
	w.server = httptest.NewServer(w)
	t.Cleanup(w.server.Close)
	if err := w.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

// pass lets time pass for the service alone.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += d
}

// role makes a role with a policy and returns a client with its credentials.
func (w *world) role(t *testing.T, name, policy string) *awss3.Client {
	t.Helper()
	arn, err := w.roles.CreateRole(name, trust)
	if err == nil {
		err = w.roles.PutRolePolicy(name, "p", policy)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w.client(credentials.NewStaticCredentialsProvider(w.roles.Credentials(arn)))
}

func (w *world) client(provider aws.CredentialsProvider) *awss3.Client {
	return awss3.New(awss3.Options{Region: "us-east-1", Credentials: provider, BaseEndpoint: &w.server.URL, RetryMaxAttempts: 1})
}

func (w *world) operator() *awss3.Client {
	return w.client(credentials.NewStaticCredentialsProvider("operator", "any", ""))
}

// presignPut is a URL by which 5 bytes of text can be put for 10 minutes.
func presignPut(t *testing.T, client *awss3.Client, key string) (url string, signed http.Header) {
	t.Helper()
	got, err := awss3.NewPresignClient(client).PresignPutObject(t.Context(), &awss3.PutObjectInput{
		Bucket: aws.String(bucket), Key: &key, ContentLength: aws.Int64(5), ContentType: aws.String("text/plain"),
	}, awss3.WithPresignExpires(10*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return got.URL, got.SignedHeader
}

type answer struct {
	status int
	header http.Header
	body   string
}

// send makes a call as a browser or curl does, with nothing but what is given.
func send(t *testing.T, method, url, body string, header map[string]string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		if name == "Host" {
			request.Host = value
		}
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(content)}
}

// code is the error's, or "" without one.
func code(err error) string {
	if apiErr, ok := errors.AsType[smithy.APIError](err); ok {
		return apiErr.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func put(t *testing.T, client *awss3.Client, key, body string) error {
	t.Helper()
	_, err := client.PutObject(t.Context(), &awss3.PutObjectInput{
		Bucket: aws.String(bucket), Key: &key, Body: bytes.NewReader([]byte(body)), ContentType: aws.String("text/plain"),
	})
	return err
}

func get(t *testing.T, client *awss3.Client, key string) (string, error) {
	t.Helper()
	out, err := client.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	return string(body), err
}
