package lambda

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// function is a declared function and its environments.
type function struct {
	service *Service
	name    string
	arn     string
	log     *logFile
	busy    int // guarded by service.mu: invocations at work

	mu           sync.Mutex
	spec         Spec
	code         code
	entrypoint   error // why the bootstrap cannot be started
	ended        bool  // no environment may live
	generation   int   // counts updates; environments of an older one end
	permissions  []Permission
	asynchronous EventInvokeConfig
	pool         pool
	typical      time.Duration // moving average of durations
}

// CreateFunction declares a function and returns its ARN and the ARN by which
// API Gateway integrations name it.
func (s *Service) CreateFunction(spec Spec) (arn, invokeARN string, err error) {
	spec = spec.withDefaults()
	unpacked, entrypoint, err := s.load(spec)
	if err != nil {
		return "", "", err
	}
	log, err := openLog(s.options.LogDir, spec.Name, s.options.LogTail)
	if err != nil {
		return "", "", err
	}
	f := &function{
		service: s, name: spec.Name, arn: FunctionARN(spec.Name), log: log, spec: spec, code: unpacked, entrypoint: entrypoint,
		asynchronous: defaultEventInvokeConfig,
	}
	if err := s.register(f); err != nil {
		log.close()
		return "", "", err
	}
	return f.arn, InvokeARN(f.arn), nil
}

// UpdateFunction replaces code and configuration. Running invocations end with
// the old ones; the next starts a new environment.
func (s *Service) UpdateFunction(spec Spec) error {
	spec = spec.withDefaults()
	f, err := s.find(spec.Name)
	if err != nil {
		return err
	}
	unpacked, entrypoint, err := s.load(spec)
	if err != nil {
		return err
	}
	s.mu.Lock()
	err = s.checkReserved(spec)
	if err == nil {
		f.replace(spec, unpacked, entrypoint)
	}
	s.mu.Unlock()
	return err
}

// DeleteFunction removes a function with its permissions. Running invocations
// end by themselves.
func (s *Service) DeleteFunction(name string) error {
	f, err := s.find(name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.functions, f.name)
	s.mu.Unlock()
	f.retire()
	return nil
}

// Functions returns the names of the declared functions, unordered.
func (s *Service) Functions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.functions))
	for name := range s.functions {
		names = append(names, name)
	}
	return names
}

// Logs returns the last lines that the function and the platform logged, at
// most Options.LogTail.
func (s *Service) Logs(name string) []string {
	f, err := s.find(name)
	if err != nil {
		return nil
	}
	return f.log.tail()
}

// load checks a spec, its role and its package.
func (s *Service) load(spec Spec) (unpacked code, entrypoint, err error) {
	if err := spec.validate(); err != nil {
		return code{}, nil, fmt.Errorf("checking function %s: %w", spec.Name, err)
	}
	if err := s.options.Assumable(spec.RoleARN); err != nil {
		return code{}, nil, invalidParameter("The role defined for the function cannot be assumed by Lambda: %v", err)
	}
	unpacked, err = unpack(spec.ZipPath, s.workDir)
	if noEntry := (*invalidEntrypoint)(nil); errors.As(err, &noEntry) {
		return unpacked, noEntry, nil
	}
	if err != nil {
		return code{}, nil, fmt.Errorf("loading function %s: %w", spec.Name, err)
	}
	return unpacked, unpacked.checkEntrypoint(), nil
}

func (s *Service) register(f *function) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if _, exists := s.functions[f.name]; exists {
		return conflict("Function already exist: %s", f.name)
	}
	if err := s.checkReserved(f.spec); err != nil {
		return err
	}
	s.functions[f.name] = f
	return nil
}

var errClosed = errors.New("the local Lambda is closed")

// checkReserved refuses a reservation that leaves less than 100 unreserved.
func (s *Service) checkReserved(spec Spec) error {
	if spec.Reserved == nil {
		return nil
	}
	if left := s.options.Concurrency - s.reserved(spec.Name) - *spec.Reserved; *spec.Reserved > 0 && left < unreservedMinimum {
		return invalidParameter("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", unreservedMinimum)
	}
	return nil
}

// reserved sums the reservations of all functions but one.
func (s *Service) reserved(except string) int {
	sum := 0
	for name, f := range s.functions {
		if name != except && f.spec.Reserved != nil {
			sum += *f.spec.Reserved
		}
	}
	return sum
}

// find looks a function up by name, ARN, partial ARN, or any of them with the
// qualifier $LATEST.
func (s *Service) find(reference string) (*function, error) {
	name, qualifier := splitReference(reference)
	s.mu.Lock()
	f, ok := s.functions[name]
	s.mu.Unlock()
	if !ok || qualifier != "" && qualifier != "$LATEST" {
		return nil, notFound("Function not found: %s", FunctionARN(strings.TrimSuffix(name+":"+qualifier, ":")))
	}
	return f, nil
}

// splitReference reads name[:qualifier], account:function:name[:qualifier] and
// arn:aws:lambda:region:account:function:name[:qualifier].
func splitReference(reference string) (name, qualifier string) {
	if _, after, found := strings.Cut(reference, ":function:"); found {
		reference = after
	}
	name, qualifier, _ = strings.Cut(reference, ":")
	return name, qualifier
}

// replace is called with service.mu held, which guards spec.Reserved.
func (f *function) replace(spec Spec, unpacked code, entrypoint error) {
	f.mu.Lock()
	f.spec, f.code, f.entrypoint = spec, unpacked, entrypoint
	f.mu.Unlock()
	f.retire()
}

// retire ends the idle environments, and the busy ones when they are done.
func (f *function) retire() {
	f.mu.Lock()
	f.generation++
	idle := f.pool.takeIdle()
	f.mu.Unlock()
	for _, e := range idle {
		e.kill()
	}
}

// endAll kills every environment, and those that are being started.
func (f *function) endAll() {
	f.mu.Lock()
	f.ended = true
	all := f.pool.all()
	f.mu.Unlock()
	for _, e := range all {
		e.kill()
	}
}

// throttled is what Invoke answers beyond a concurrency limit.
func throttled(reason string) error {
	return &awsapi.Error{Status: http.StatusTooManyRequests, Code: "TooManyRequestsException", Message: "Rate Exceeded.", Members: map[string]any{"Reason": reason, "Type": "User"}}
}
