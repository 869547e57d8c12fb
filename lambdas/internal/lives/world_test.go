package lives_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // zones with odd month edges

	"github.com/aws/aws-lambda-go/events"

	"github.com/streaming-service/streaming-service/internal/environment"
	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/dynamodb"
	"github.com/streaming-service/streaming-service/internal/localcloud/faults"
	"github.com/streaming-service/streaming-service/internal/localcloud/sqs"
	"github.com/streaming-service/streaming-service/lambdas/internal/dynamo/dynamotest"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

const (
	queueVisibility = 30 * time.Minute // six times the processor's default timeout
	sweepEvery      = 5 * time.Minute
	concurrency     = 16 // batches of one queue at work, unless settings say otherwise
)

// TestMain has the collector run seldom: a world makes much garbage and keeps
// little.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(4 << 30) // from here on it runs oftener
	os.Exit(m.Run())
}

// settings are what an operator configures.
type settings struct {
	tiers            environment.Tiers
	price            *life.Price  // of the model; nil: none
	serviceBudget    protocol.USD // 0: none
	calendar         life.Calendar
	zone             string
	cap              int64
	rate             float64
	burst            int64
	batch            int
	concurrency      int // batches of one queue at work; 0: concurrency
	processorTimeout time.Duration
	deserters        bool
	users            int
	spread           time.Duration // over which the lives begin
}

// world is the whole service and its users, in one process and in fake time.
type world struct {
	t        *testing.T
	seed     uint64
	profile  string
	settings settings

	dice      *dice
	injector  *faults.Injector
	tables    *dynamodb.Service
	queues    *sqs.Service
	queueURL  string
	letterURL string
	queueARN  string
	letterARN string
	model     *model
	gateway   *gateway
	functions map[string]*function
	ledger    *ledger
	frames    *frames
	devices   map[string][]*device // by user
	lives     []*life1
	received  func(sqs.Message) // is told of every message of the requests; may be nil

	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup // everything
	clients sync.WaitGroup // the lives

	log        *slog.Logger
	mu         sync.Mutex
	trace      bytes.Buffer
	violations int
	answered   map[string]bool
	refused    map[string]int
}

// newWorld builds a world at rest. It must be called in a synctest bubble.
func newWorld(t *testing.T, seed uint64, profile string, s settings) *world {
	t.Helper()
	w := &world{
		t: t, seed: seed, profile: profile, settings: s,
		dice: newDice(seed, profiles[profile]), injector: faults.New(seed),
		model: newModel(), devices: map[string][]*device{}, answered: map[string]bool{}, refused: map[string]int{},
	}
	w.log = slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.ctx, w.stop = context.WithCancel(context.Background())
	w.injectDeliveries()
	w.createServices(t)
	w.gateway = &gateway{world: w, sockets: map[string]*socket{}}
	w.frames = &frames{world: w, seen: map[string]string{}, ends: map[string]string{}}
	w.ledger = &ledger{world: w, users: map[string]*history{}, killed: map[life.Key]time.Time{}, reached: map[string]time.Time{}}
	w.ledger.store = newStore(&wire{world: w})
	w.functions = newFunctions(w)
	return w
}

// injectDeliveries has the services themselves lose, repeat and delay.
func (w *world) injectDeliveries() {
	r := w.dice.rates
	zero := 0.0
	err := w.injector.Set([]faults.Rule{
		{Service: "sqs", Lose: r.loseQueue, Duplicate: r.duplicate, Early: r.early, Reorder: r.reorder},
		{Service: "dynamodb", TransactionConflict: r.conflict, StaleRead: &r.stale, OverlapConflict: &zero},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) createServices(t *testing.T) {
	t.Helper()
	w.tables = dynamotest.NewService(t, dynamodb.WithFaults(w.injector))
	w.queues = sqs.New(awsapi.Open{}, sqs.WithFaults(w.injector))
	var err error
	if w.letterURL, w.letterARN, err = w.queues.CreateQueue(sqs.Spec{Name: "letters", Attributes: map[string]string{"VisibilityTimeout": "360"}}); err != nil {
		t.Fatal(err)
	}
	w.queueURL, w.queueARN, err = w.queues.CreateQueue(sqs.Spec{Name: "requests", Attributes: map[string]string{
		"VisibilityTimeout": strconv.Itoa(int(queueVisibility.Seconds())),
		"RedrivePolicy":     fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":10}`, w.letterARN),
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// begin sets everything in motion.
func (w *world) begin() {
	w.running.Go(func() { w.poll(w.queueARN, w.functions["processor"], w.settings.batch) })
	w.running.Go(func() { w.poll(w.letterARN, w.functions["recovery"], 5) })
	w.running.Go(func() {
		for sleep(w.ctx, sweepEvery) {
			w.functions["recovery"].invoke(map[string]bool{"sweep": true})
		}
	})
	for _, devices := range w.devices {
		for _, d := range devices {
			w.running.Go(d.run)
		}
	}
}

// poll is an event source mapping.
func (w *world) poll(arn string, f *function, batch int) {
	slots := make(chan struct{}, cmp.Or(w.settings.concurrency, concurrency))
	for w.ctx.Err() == nil {
		slots <- struct{}{}
		messages, err := w.queues.Receive(w.ctx, arn, sqs.ReceiveOptions{Max: batch, Wait: 20 * time.Second})
		if err != nil || len(messages) == 0 {
			<-slots
			continue
		}
		w.running.Go(func() {
			defer func() { <-slots }()
			w.work(arn, f, messages)
		})
	}
}

// work has a function handle messages, and deletes those that it worked.
func (w *world) work(arn string, f *function, messages []sqs.Message) {
	var batch events.SQSEvent
	for _, m := range messages {
		if w.received != nil && arn == w.queueARN {
			w.received(m)
		}
		batch.Records = append(batch.Records, events.SQSMessage{
			MessageId: m.ID, ReceiptHandle: m.ReceiptHandle, Body: m.Body, Attributes: m.Attributes, EventSource: "aws:sqs", EventSourceARN: arn,
		})
	}
	answer, ok := f.invoke(batch)
	response, is := answer.(events.SQSEventResponse)
	if !ok || !is {
		return
	}
	failed := map[string]bool{}
	for _, item := range response.BatchItemFailures {
		failed[item.ItemIdentifier] = true
	}
	for _, m := range messages {
		if !failed[m.ID] && !w.dice.happens(func(r rates) float64 { return r.loseQueue }, "sqs.DeleteMessage.lost") {
			_ = w.queues.Delete(arn, m.ReceiptHandle) // else it comes again
		}
	}
}

// rest ends the faults, waits until nothing moves and stops the world.
func (w *world) rest() {
	w.clients.Wait()
	w.dice.stop()
	w.injector.Clear()
	zero := 0.0
	if err := w.injector.Set([]faults.Rule{{Service: "dynamodb", StaleRead: &zero, OverlapConflict: &zero}}); err != nil {
		w.t.Fatal(err)
	}
	w.comeToRest()
	w.checkAtRest()
	for _, s := range w.gateway.sockets {
		w.gateway.close(s)
	}
	w.stop()
	w.running.Wait()
}

// violate reports that an invariant does not hold.
func (w *world) violate(invariant int, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations++
	if w.violations <= 3 {
		w.t.Errorf("invariant %d, seed %d, profile %s: %s", invariant, w.seed, w.profile, fmt.Sprintf(format, args...))
	}
}

// note writes down what happened, for who looks into a violation.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if *narrateFlag {
		fmt.Fprintf(&w.trace, "%s "+format+"\n", append([]any{time.Now().Format("15:04:05.000")}, args...)...)
	}
}

// Write takes a line of the functions' logs.
func (w *world) Write(line []byte) (int, error) {
	w.note("%s", bytes.TrimSpace(line))
	return len(line), nil
}

func (w *world) accept(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answered[id] = true
}

func (w *world) wasAccepted(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answered[id]
}

// edges are moments at which months change, or might be thought to.
var edges = []edge{
	{"UTC", "2000-02-01T00:00:00Z", 2},
	{"Europe/Berlin", "2000-03-31T22:00:00Z", 2},
	{"America/New_York", "2000-11-01T05:00:00Z", 2},
	{"Asia/Damascus", "2000-03-31T22:00:00Z", 2}, // midnight does not exist
	{"Asia/Damascus", "2000-09-30T21:00:00Z", 1}, // clocks go back at midnight: September goes on
	{"Asia/Damascus", "2000-09-30T22:00:00Z", 2}, // and ends an hour later
	{"Pacific/Kiritimati", "2000-06-30T10:00:00Z", 2},
}

// edge is a moment in a time zone, and how many months touch there.
type edge struct {
	zone, at string
	months   int
}

// drawSettings draws what an operator might configure, and passes the time to
// shortly before a month's edge.
func drawSettings(t *testing.T, rng *rand.Rand) settings {
	t.Helper()
	edge := edges[rng.IntN(len(edges))]
	at, err := time.Parse(time.RFC3339, edge.at)
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := life.NewCalendar(edge.zone)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(at) - time.Duration(rng.Int64N(int64(4*time.Minute))))
	pick := func(values ...int64) int64 { return values[rng.IntN(len(values))] }
	s := settings{
		calendar: calendar, zone: edge.zone, cap: pick(0, 3, 6, 12),
		tiers: environment.Tiers{Default: environment.Limits{MonthlyRequests: pick(0, 6, 20, 1000), MonthlyTokens: pick(0, 2000, 6000, 1_000_000)}},
		batch: int(pick(1, 3, 10)), processorTimeout: time.Duration(pick(300, 300, 60, 20)) * time.Second, deserters: rng.IntN(4) == 0,
		users: int(pick(1, 2, 3)), spread: time.Duration(pick(2, 30, 360)) * time.Second,
	}
	if rng.IntN(4) > 0 { // an answer of 300 tokens costs about 1,500,000
		s.price = &life.Price{Input: 1_000_000_333, Output: 5_000_000_777, CacheRead: 100_000_001, CacheWrite: 1_250_000_001}
		s.tiers.Default.MonthlyBudget = protocol.USD(pick(0, 10_000_000, 30_000_000, 5_000_000_000))
		s.serviceBudget = protocol.USD(pick(0, 0, 4_000_000, 20_000_000, 5_000_000_000))
	}
	if rng.IntN(2) == 0 {
		s.rate, s.burst = []float64{0.2, 1, 5}[rng.IntN(3)], pick(1, 3, 10)
	}
	return s
}

// encode is the body of a request.
func encode(v any) string {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(body)
}
