package bedrock

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Passthrough forwards ConverseStream to the real Bedrock with the credentials
// of whoever runs the local cloud. The guard still checks the caller's role.
type Passthrough struct {
	guard    awsapi.Guard
	aws      aws.Config
	endpoint *url.URL
	client   *http.Client
	signer   *v4.Signer
}

// NewPassthrough reads Region and credentials as the AWS SDK does. endpoint
// replaces the real service's, "" does not.
func NewPassthrough(ctx context.Context, guard awsapi.Guard, endpoint string) (*Passthrough, error) {
	settings, err := config.LoadDefaultConfig(ctx, config.WithDefaultRegion(awsapi.Region))
	if err != nil {
		return nil, fmt.Errorf("loading AWS configuration: %w", err)
	}
	if _, err := settings.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("finding AWS credentials: %w", err)
	}
	if endpoint == "" {
		endpoint = "https://bedrock-runtime." + settings.Region + "." + awsapi.DNSSuffix
	}
	target, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("reading endpoint of Bedrock: %w", err)
	}
	return &Passthrough{guard: guard, aws: settings, endpoint: target, client: &http.Client{}, signer: v4.NewSigner()}, nil
}

// ServeHTTP implements http.Handler.
func (p *Passthrough) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, refused := admit(p.guard, r)
	if refused != nil {
		writeError(w, refused)
		return
	}
	response, err := p.forward(r, call.body)
	if err != nil {
		writeError(w, &awsapi.Error{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailableException", Message: err.Error()})
		return
	}
	defer response.Body.Close()
	if call.lost {
		awsapi.Drop(w)
		return
	}
	copyHeaders(w.Header(), response.Header)
	w.WriteHeader(response.StatusCode)
	if err := copyFlushing(w, response.Body); err != nil && !errors.Is(err, r.Context().Err()) {
		awsapi.Drop(w)
	}
}

// forward sends the body, signed anew, to the real service.
func (p *Passthrough) forward(r *http.Request, body []byte) (*http.Response, error) {
	target := *p.endpoint
	target.Path, target.RawPath = r.URL.Path, r.URL.RawPath
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("building request to Bedrock: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/vnd.amazon.eventstream")
	credentials, err := p.aws.Credentials.Retrieve(r.Context())
	if err != nil {
		return nil, fmt.Errorf("finding AWS credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	if err := p.signer.SignHTTP(r.Context(), credentials, request, hex.EncodeToString(sum[:]), "bedrock", p.aws.Region, time.Now()); err != nil {
		return nil, fmt.Errorf("signing request to Bedrock: %w", err)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("calling Bedrock: %w", err)
	}
	return response, nil
}

func copyHeaders(to, from http.Header) {
	for _, name := range []string{"Content-Type", "X-Amzn-Requestid", "X-Amzn-Errortype", "Retry-After"} {
		if value := from.Get(name); value != "" {
			to.Set(name, value)
		}
	}
}

// copyFlushing sends each piece on as it comes.
func copyFlushing(w http.ResponseWriter, body io.Reader) error {
	control := http.NewResponseController(w)
	buffer := make([]byte, 32<<10)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
			if err := control.Flush(); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
