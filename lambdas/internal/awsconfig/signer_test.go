package awsconfig_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
)

// One signer signs for many days and credentials.
func TestSignaturesAreThoseOfTheSDK(t *testing.T) {
	t.Parallel()
	theirs := v4.NewSigner()
	for _, service := range []string{"dynamodb", "execute-api"} {
		ours := awsconfig.NewSigner(service, "eu-west-1")
		for _, credentials := range []aws.Credentials{
			{AccessKeyID: "id", SecretAccessKey: "secret"}, {AccessKeyID: "id", SecretAccessKey: "other", SessionToken: "token//=="},
		} {
			for _, at := range []time.Time{
				time.Date(2026, 11, 28, 23, 59, 59, 0, time.UTC), time.Date(2026, 11, 29, 1, 0, 0, 0, time.FixedZone("CET", 3600)),
			} {
				for _, body := range []string{"", "x", `{"text":"é"}`} {
					for _, target := range []string{"", "DynamoDB_20120810.PutItem"} {
						for _, path := range []string{"/", "/v1/@connections/R1k%3D", "/a%2Fb/c%20d"} {
							request := func() *http.Request {
								r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://host.example"+path, bytes.NewReader([]byte(body)))
								if err != nil {
									t.Fatal(err)
								}
								r.Header.Set("User-Agent", "agent")
								if body != "" {
									r.Header.Set("Content-Type", "application/json")
								}
								if target != "" {
									r.Header.Set("X-Amz-Target", target)
								}
								return r
							}
							want, got := request(), request()
							hash := sha256.Sum256([]byte(body))
							if err := theirs.SignHTTP(t.Context(), credentials, want, hex.EncodeToString(hash[:]), service, "eu-west-1", at); err != nil {
								t.Fatal(err)
							}
							awsconfig.Sign(ours, got, []byte(body), credentials, at)
							if fmt.Sprint(got.Header) != fmt.Sprint(want.Header) {
								t.Errorf("got  %v\nwant %v", got.Header, want.Header)
							}
						}
					}
				}
			}
		}
	}
}
