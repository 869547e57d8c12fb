// Package objects is the bucket of uploads. It signs requests and sends them by
// itself: the SDK's client of S3 would make a function a third larger for the
// three calls that are needed.
package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

const (
	service = "s3"
	// emptyPayload is the SHA-256 of nothing.
	emptyPayload    = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	unsignedPayload = "UNSIGNED-PAYLOAD"

	maxTries    = 3
	firstPause  = 50 * time.Millisecond
	callTimeout = 5 * time.Second
	// longest is the largest upload that there can be.
	longest = protocol.MaxDocumentBytes
)

// Bucket holds the uploads of all users, each under its user's id. Nothing is
// found in one that is nil.
type Bucket struct {
	cfg    aws.Config
	signer *v4.Signer
	base   *url.URL
	now    life.Now
}

// New returns the bucket at address, https://{bucket}.s3.{region}.{suffix}, or
// nil without one. An endpoint in the configuration, which is not AWS's, has the
// bucket in the path.
func New(cfg aws.Config, address string, now life.Now) *Bucket {
	if address == "" {
		return nil
	}
	base, _ := url.Parse(address) // a URL: config has checked it
	if cfg.BaseEndpoint != nil {
		name, _, _ := strings.Cut(base.Hostname(), ".")
		base, _ = url.Parse(strings.TrimSuffix(*cfg.BaseEndpoint, "/") + "/" + name) // the SDK's clients would fail first
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }) // S3 signs paths as they are
	return &Bucket{cfg: cfg, signer: signer, base: base, now: now}
}

// address is the URL of an upload.
func (b *Bucket) address(userID, uploadID string) *url.URL {
	return b.base.JoinPath("uploads", url.PathEscape(userID), uploadID)
}

// Announce returns the URL by which, for lasts, exactly so many bytes of a
// format can be put as an upload of a user, and the headers to send.
func (b *Bucket) Announce(ctx context.Context, userID, uploadID string, upload life.Upload, lasts time.Duration) (address string, header map[string]string, err error) {
	credentials, err := b.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("announcing upload: %w", err)
	}
	target := b.address(userID, uploadID)
	target.RawQuery = url.Values{"X-Amz-Expires": {fmt.Sprint(int(lasts.Seconds()))}}.Encode()
	request := &http.Request{
		Method: http.MethodPut, URL: target, Host: target.Host, ContentLength: upload.Bytes,
		Header: http.Header{"Content-Type": {life.MediaType(upload.Format)}},
	}
	address, _, err = b.signer.PresignHTTP(ctx, credentials, request, unsignedPayload, service, b.cfg.Region, b.now())
	if err != nil {
		return "", nil, fmt.Errorf("announcing upload: %w", err)
	}
	return address, map[string]string{"Content-Type": life.MediaType(upload.Format)}, nil
}

// Find tells what an upload of a user is; life.ErrNotFound if there is none,
// which includes those of others and those that have expired.
func (b *Bucket) Find(ctx context.Context, userID, uploadID string) (life.Upload, error) {
	if b == nil || !life.UploadLives(uploadID, b.now()) {
		return life.Upload{}, life.ErrNotFound
	}
	response, err := b.call(ctx, http.MethodHead, userID, uploadID)
	if err != nil {
		return life.Upload{}, fmt.Errorf("finding upload %s: %w", uploadID, err)
	}
	return life.Upload{Format: life.FormatOf(response.contentType), Bytes: response.length}, nil
}

// Fetch reads an upload of a user; life.ErrNotFound if there is none. One that
// was found may be fetched as long as it is there.
func (b *Bucket) Fetch(ctx context.Context, userID, uploadID string) ([]byte, error) {
	if b == nil {
		return nil, life.ErrNotFound
	}
	response, err := b.call(ctx, http.MethodGet, userID, uploadID)
	if err != nil {
		return nil, fmt.Errorf("fetching upload %s: %w", uploadID, err)
	}
	return response.body, nil
}

type answer struct {
	contentType string
	length      int64
	body        []byte
}

// call asks for an upload until there is an answer, a few times.
func (b *Bucket) call(ctx context.Context, method, userID, uploadID string) (answer, error) {
	pause := firstPause
	for try := 1; ; try++ {
		got, err := b.callOnce(ctx, method, b.address(userID, uploadID))
		if err == nil || !errors.Is(err, life.ErrUnavailable) || try == maxTries {
			return got, err
		}
		select {
		case <-time.After(rand.N(pause) + pause/2): //nolint:gosec // spreads load, guards nothing
		case <-ctx.Done():
			return answer{}, err
		}
		pause *= 2
	}
}

func (b *Bucket) callOnce(ctx context.Context, method string, target *url.URL) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target.String(), nil)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("X-Amz-Content-Sha256", emptyPayload)
	credentials, err := b.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return answer{}, err
	}
	if err := b.signer.SignHTTP(ctx, credentials, request, emptyPayload, service, b.cfg.Region, b.now()); err != nil {
		return answer{}, err
	}
	response, err := b.cfg.HTTPClient.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", life.ErrUnavailable, err)
	}
	defer response.Body.Close() //nolint:errcheck // read to its end, or given up
	if err := failure(response); err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, longest+1))
	switch {
	case err != nil:
		return answer{}, fmt.Errorf("%w: %w", life.ErrUnavailable, err)
	case len(body) > longest:
		return answer{}, fmt.Errorf("the object has more than %d bytes", longest)
	}
	return answer{response.Header.Get("Content-Type"), response.ContentLength, body}, nil
}

func failure(response *http.Response) error {
	switch code := response.StatusCode; {
	case code == http.StatusOK:
		return nil
	case code == http.StatusNotFound:
		return life.ErrNotFound
	case code >= http.StatusInternalServerError || code == http.StatusTooManyRequests:
		return fmt.Errorf("%w: S3 answered %s", life.ErrUnavailable, response.Status)
	default:
		return fmt.Errorf("S3 answered %s", response.Status)
	}
}
