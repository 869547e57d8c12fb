// Package attempt runs a claimed request: it asks the model, relays and logs the
// answer, keeps the lease, and ends the request or gives it back.
package attempt

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/lambdas/internal/metrics"
	"github.com/streaming-service/streaming-service/lambdas/internal/model"
	"github.com/streaming-service/streaming-service/lambdas/internal/relay"
)

// Store is what an attempt needs of the records. Its methods are those of
// dynamo.Store.
type Store interface {
	CountCall(ctx context.Context, attempt life.Attempt) (bool, error)
	Renew(ctx context.Context, attempt life.Attempt, until time.Time) error
	Release(ctx context.Context, attempt life.Attempt, now time.Time) error
	Finish(ctx context.Context, attempt life.Attempt, end life.End, now time.Time) (life.Record, error)
	Records(ctx context.Context, keys []life.Key) (map[life.Key]life.Record, error)
	Input(ctx context.Context, requestID, hash string) (life.Input, error)
	PutChunk(ctx context.Context, requestID, owner string, chunk life.Chunk, expires time.Time) error
}

// Life settles and tells what has ended. Its method is that of life.Service.
type Life interface {
	Conclude(ctx context.Context, record life.Record) error
}

// Message is the message that brought the request.
type Message interface {
	// Hide keeps other consumers from the message for so long.
	Hide(ctx context.Context, timeout time.Duration) error
}

// Model answers. Unless ctx is over, its error is a *model.Failure.
type Model interface {
	Stream(ctx context.Context, record life.Record, in life.Input, listener model.Listener) (model.Answer, error)
}

// Uploads are what users have brought beside their requests.
type Uploads interface {
	// Fetch reads an upload of a user; life.ErrNotFound if there is none.
	Fetch(ctx context.Context, userID, uploadID string) ([]byte, error)
}

// Backoff follows what API Gateway takes. Its methods are those of sockets.Backoff.
type Backoff interface {
	relay.Backoff
	TakeRefused() int64
}

// Deps are the things that a Runner works with.
type Deps struct {
	Store   Store
	Life    Life
	Model   Model
	Uploads Uploads // nil: no input refers to any
	Hub     *relay.Hub
	Backoff Backoff
	Metrics *metrics.Recorder // nil: none are written
	Log     *slog.Logger
}

// Options tune a Runner.
type Options struct {
	Lease              time.Duration // default: life.DefaultLease
	FlushInterval      time.Duration // default: relay.DefaultFlushInterval
	CancelOnDisconnect bool          // end a request whose user has no socket left
	// LogTTL is how long the log of an attempt is kept after it was written.
	LogTTL time.Duration
	Now    life.Now // default: time.Now
}

// Runner runs attempts, any number of them at once.
type Runner struct {
	Deps
	options   Options
	watcher   *watcher
	strangers strangers
	media     *semaphore.Weighted // bytes of uploads
}

// New returns a Runner.
func New(d Deps, o Options) *Runner {
	if o.Lease <= 0 {
		o.Lease = life.DefaultLease
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Runner{Deps: d, options: o, watcher: newWatcher(d.Store, d.Log), media: semaphore.NewWeighted(mediaInMemory)}
}

// Hold is how the caller of an attempt holds its request.
type Hold struct {
	Message Message           // nil: no message was received
	Hidden  bool              // whether the message was hidden before the claim
	OnDelta func(model.Delta) // is told every piece of the answer at once; may be nil
	Input   *life.Input       // what the model is asked; nil: the store knows
	// Irrevocable says that what OnDelta was told cannot be taken back: a failure
	// after it ends the request, as no other attempt would say the same again.
	Irrevocable bool
	Log         *slog.Logger // of the request; nil: the runner's
}

// Run takes a claimed request as far as this invocation can.
func (r *Runner) Run(ctx context.Context, record life.Record, hold Hold) Verdict {
	log := hold.Log
	if log == nil {
		log = r.Log.With("requestId", record.RequestID)
	}
	a := &attempt{Runner: r, Hold: hold, record: record, log: log.With("attempt", record.Attempt)}
	return a.run(ctx)
}

// CountPosts writes what the posts since the last call were worth.
func (r *Runner) CountPosts() {
	posts := r.Hub.TakePosts()
	r.Metrics.Record(
		metrics.Count(metrics.Frames, posts.Delivered),
		metrics.Count(metrics.GoneSockets, posts.Gone),
		metrics.Count(metrics.LostFrames, posts.Lost),
		metrics.Count(metrics.ThrottledPosts, r.Backoff.TakeRefused()),
	)
}

// Verdict is what becomes of a request and its message.
type Verdict struct {
	Done  bool          // the request has ended, is settled, and its user was told: delete the message
	Ended life.Record   // the request, if this attempt ended it, Done or not
	Delay time.Duration // else: until the message comes back
	Err   error         // why it was not done, for the log
}

// HandBack is the verdict of work that somebody has to take up after delay.
func HandBack(delay time.Duration, err error) Verdict { return Verdict{Delay: delay, Err: err} }
