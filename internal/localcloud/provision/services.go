package provision

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/cloudfront"
	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
	"github.com/streaming-service/streaming-service/internal/localcloud/iam"
	"github.com/streaming-service/streaming-service/internal/localcloud/lambda"
	"github.com/streaming-service/streaming-service/internal/localcloud/restapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
	"github.com/streaming-service/streaming-service/internal/localcloud/sqs"
	"github.com/streaming-service/streaming-service/internal/localcloud/websocket"
)

// Services are what resources are made real in.
type Services struct {
	IAM       *iam.Service
	Tables    *dynamodb.Service
	Queues    *sqs.Service
	Buckets   *s3.Service
	Functions *lambda.Service
	REST      *restapi.Service
	WebSocket *websocket.Service
	Users     *cognito.Service
	// Distributions are in front of buckets.
	Distributions *cloudfront.Service
	// Address is the host and port that the local cloud is served on.
	Address string
}

// stableID returns an id of lower-case letters and digits that is the same in
// every run without an engine, and "" under an engine, where the service
// chooses one: an engine may hold two resources of one URN at a time.
func (r Resource) stableID(length int) string {
	if len(r.Seed) == 0 {
		return ""
	}
	sum := sha256.Sum256(append([]byte("id:"), r.Seed...))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:length]
}

// stableUUID is stableID in the form of a UUID behind a prefix.
func (r Resource) stableUUID(prefix string) string {
	if len(r.Seed) == 0 {
		return ""
	}
	sum := sha256.Sum256(append([]byte("uuid:"), r.Seed...))
	h := hex.EncodeToString(sum[:16])
	return prefix + strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}
