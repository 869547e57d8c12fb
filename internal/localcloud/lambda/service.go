package lambda

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Options are what a Service needs of its surroundings. Only EndpointURL is
// needed for functions that call other services; everything may be left out.
type Options struct {
	// Guard admits the calls that the service receives (Invoke) and those that
	// it makes for a mapping (ReceiveMessage, DeleteMessage). Nil admits all.
	Guard awsapi.Guard
	// Authorize checks one permission of an access key without counting a call,
	// when a mapping is created and when logs are written. Nil allows all.
	Authorize func(accessKeyID string, p awsapi.Permission) *awsapi.Error
	// Credentials returns the credentials of a role. Nil: made-up ones.
	Credentials func(roleARN string) (accessKeyID, secret, token string)
	// Assumable says why lambda.amazonaws.com cannot assume a role. Nil: it can.
	Assumable func(roleARN string) error
	// EndpointURL is AWS_ENDPOINT_URL of the functions, asked at each start of a
	// process. Nil or "": not set.
	EndpointURL func() string
	// Queue is what mappings poll. Nil: no mappings.
	Queue Queue
	// Faults decides what befalls an invocation of the function. Nil: nothing.
	Faults func(function string) Fault
	// Meter is told of each invocation when its environment is free again.
	Meter func(Invocation)

	WorkDir     string            // for unpacked functions; "": a temporary one, removed by Close
	LogDir      string            // for <function>.log; "": no files
	LogTail     int               // lines kept in memory per function; default 0
	Env         map[string]string // further variables of every function
	Concurrency int               // of the account; default 1,000
	IdleTimeout time.Duration     // after which an idle environment ends; default 5 min
	RetryDelays []time.Duration   // of asynchronous invocations; default 1 and 2 min
}

// Defaults that AWS sets (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html),
// except the idle time-out, which it does not state.
const (
	defaultConcurrency = 1000
	defaultIdleTimeout = 5 * time.Minute
	unreservedMinimum  = 100
)

// Fault is what befalls one invocation.
type Fault struct {
	Kill    bool          // SIGKILL to the process
	Panic   bool          // the process ends as after a panic
	Timeout bool          // the process is killed and the invocation reported as timed out
	Freeze  time.Duration // the process is stopped that long (SIGSTOP, SIGCONT)
	// At places the fault within the invocation: 0 when it begins, near 1 when
	// its response arrives, which is then lost.
	At float64
}

// Invocation is what one invocation used.
type Invocation struct {
	Function  string
	RequestID string
	Cold      bool          // it started the environment
	Init      time.Duration // exec to the first /next; 0 when warm
	Duration  time.Duration // hand-over of the event to the next /next
	MemoryMB  int           // declared
	MaxMemory int64         // bytes, resident at most; 0 where the system does not tell
	GBSeconds float64       // billed: duration and init, by declared memory
	Error     string        // type of the function's error, "" on success
	Event     []byte        // what it was invoked with; not to be kept
	// StreamedBytes are those of a response to InvokeStream, also after its caller
	// had gone.
	StreamedBytes int64
}

// Service is the local AWS Lambda. Close ends all that it started.
type Service struct {
	*Mappings
	*Rules

	options       Options
	streamLimits  streamLimits
	finishingWait time.Duration
	runtime       *runtimeServer
	spawner       *spawner
	workDir       string
	ownsWork      bool
	stop          chan struct{}
	tasks         sync.WaitGroup // invocations
	environments  sync.WaitGroup // started by tasks

	mu        sync.Mutex
	functions map[string]*function // by name
	closed    bool
}

// New starts the Runtime API on a loopback port of its own.
func New(options Options) (*Service, error) {
	s := &Service{options: withDefaults(options), streamLimits: defaultStreamLimits, finishingWait: defaultFinishingWait,
		functions: map[string]*function{}, stop: make(chan struct{})}
	if err := s.prepareWorkDir(); err != nil {
		return nil, err
	}
	runtime, err := newRuntimeServer()
	if err != nil {
		s.removeWorkDir()
		return nil, err
	}
	s.runtime = runtime
	s.spawner = newSpawner()
	s.Mappings = NewMappings(MappingOptions{
		Queue: s.options.Queue, Functions: mappedFunctions{s},
		Guard: s.options.Guard, Authorize: s.options.Authorize,
	})
	s.Rules = NewRules(s.runTarget)
	return s, nil
}

// Close ends mappings, rules and every process, within a second.
func (s *Service) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	close(s.stop)
	functions := make([]*function, 0, len(s.functions))
	for _, f := range s.functions {
		functions = append(functions, f)
	}
	s.mu.Unlock()

	s.Rules.Close()
	s.stopAll()
	for _, f := range functions {
		f.endAll()
	}
	s.tasks.Wait()
	s.Mappings.Close()
	s.environments.Wait() // what they wrote last belongs in the log
	s.spawner.close()
	s.runtime.close()
	for _, f := range functions {
		f.log.close()
	}
	s.removeWorkDir()
}

func withDefaults(o Options) Options {
	if o.Authorize == nil {
		o.Authorize = func(string, awsapi.Permission) *awsapi.Error { return nil }
	}
	if o.Credentials == nil {
		o.Credentials = func(string) (string, string, string) { return "local", "local", "local" }
	}
	if o.Assumable == nil {
		o.Assumable = func(string) error { return nil }
	}
	if o.EndpointURL == nil {
		o.EndpointURL = func() string { return "" }
	}
	if o.Faults == nil {
		o.Faults = func(string) Fault { return Fault{} }
	}
	if o.Meter == nil {
		o.Meter = func(Invocation) {}
	}
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = defaultIdleTimeout
	}
	if o.RetryDelays == nil {
		o.RetryDelays = []time.Duration{time.Minute, 2 * time.Minute}
	}
	return o
}

func (s *Service) prepareWorkDir() error {
	if s.options.WorkDir != "" {
		s.workDir = s.options.WorkDir
		return os.MkdirAll(s.workDir, 0o700)
	}
	dir, err := os.MkdirTemp("", "local-lambda-")
	if err != nil {
		return fmt.Errorf("creating work directory of functions: %w", err)
	}
	s.workDir, s.ownsWork = dir, true
	return nil
}

func (s *Service) removeWorkDir() {
	if s.ownsWork {
		_ = os.RemoveAll(s.workDir)
	}
}
