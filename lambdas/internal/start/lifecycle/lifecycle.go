// Package lifecycle wires what moves a request along its life: the records, the
// queue and the sockets of its user.
package lifecycle

import (
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/streaming-service/streaming-service/lambdas/internal/awsconfig"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/queue"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
	"github.com/streaming-service/streaming-service/lambdas/internal/sockets"
	"github.com/streaming-service/streaming-service/lambdas/internal/start"
)

// Lifecycle is what a function has that moves requests.
type Lifecycle struct {
	AWS     aws.Config
	Store   *dynamo.Store
	Queue   *queue.Queue
	Backoff *sockets.Backoff // slows down where posts are refused
	Sockets *sockets.Sockets
	Hub     *relay.Hub // posts to all sockets of a user
	Service *life.Service
	sqs     *sqs.Client
}

// New wires the lifecycle from the settings of a function.
func New(f start.Function) Lifecycle {
	s := f.Settings
	l := Lifecycle{AWS: awsconfig.Load(os.Getenv), Backoff: &sockets.Backoff{}}
	l.Store = dynamo.New(dynamodb.NewFromConfig(l.AWS), dynamo.Tables{Quota: s.QuotaTable, Requests: s.RequestsTable, Connections: s.ConnectionsTable})
	l.sqs = sqs.NewFromConfig(l.AWS)
	l.Queue = l.QueueAt(s.QueueURL)
	l.Sockets = sockets.New(l.AWS, s.WebSocketAPIEndpoint, l.Store, l.Backoff)
	l.Hub = sockets.NewBroadcaster(l.Sockets, l.Store)
	l.Service = &life.Service{Store: l.Store, Queue: l.Queue, Poster: l.Hub, Meter: f.Metrics, Now: time.Now, MaxAge: s.MaxAge}
	return l
}

// QueueAt returns another queue.
func (l Lifecycle) QueueAt(url string) *queue.Queue { return queue.New(l.sqs, url) }
