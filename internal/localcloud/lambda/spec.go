package lambda

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// Spec declares a function.
type Spec struct {
	Name          string
	RoleARN       string
	ZipPath       string
	Handler       string            // of provided.* runtimes: any; default bootstrap
	Runtime       string            // provided.al2023 or provided.al2
	Architectures []string          // one of arm64, x86_64; default x86_64
	MemorySize    int               // MB, 128–10,240; default 128
	Timeout       int               // seconds, 1–900; default 3
	Environment   map[string]string // at most 4 KB as JSON
	Reserved      *int              // concurrency; nil or negative: unreserved, 0: off
	Logging       Logging
}

// Logging is a function's LoggingConfig.
type Logging struct {
	Format           string // Text or JSON; default Text
	ApplicationLevel string // with JSON: lines below it are dropped; default INFO
	SystemLevel      string // with JSON: WARN drops the platform's start and report lines
	Group            string // default /aws/lambda/<name>
}

// Lambda's limits (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const (
	maxZip           = 50 << 20
	maxUnzipped      = 250 << 20
	maxEnvironment   = 4096
	maxPayload       = 6 << 20
	minMemory        = 128
	maxMemory        = 10240
	maxTimeout       = 900
	defaultMemory    = 128
	defaultTimeout   = 3
	maxFunctionName  = 64
	defaultLogFormat = "Text"
	defaultLogLevel  = "INFO" // with JSON (docs, monitoring-cloudwatchlogs-log-level)
)

var (
	functionName = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)
	variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)
)

// reservedVariables cannot be declared (docs, configuration-envvars).
var reservedVariables = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

// withDefaults returns the spec as Lambda would store it.
func (s Spec) withDefaults() Spec {
	if s.Handler == "" {
		s.Handler = "bootstrap"
	}
	if len(s.Architectures) == 0 {
		s.Architectures = []string{"x86_64"}
	}
	if s.MemorySize == 0 {
		s.MemorySize = defaultMemory
	}
	if s.Timeout == 0 {
		s.Timeout = defaultTimeout
	}
	if s.Logging.Format == "" {
		s.Logging.Format = defaultLogFormat
	}
	if s.Logging.Format == "JSON" && s.Logging.ApplicationLevel == "" {
		s.Logging.ApplicationLevel = defaultLogLevel
	}
	if s.Logging.Group == "" {
		s.Logging.Group = "/aws/lambda/" + s.Name
	}
	if s.Reserved != nil && *s.Reserved < 0 {
		s.Reserved = nil
	}
	return s
}

// validate refuses what Lambda refuses, in its words where they are known.
func (s Spec) validate() error {
	switch {
	case !functionName.MatchString(s.Name):
		return invalidParameter("1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: at most %d letters, digits, - and _", s.Name, maxFunctionName)
	case !slices.Contains([]string{"provided.al2023", "provided.al2"}, s.Runtime):
		return invalidParameter("the local cloud runs only provided.al2023 and provided.al2, got runtime %q", s.Runtime)
	case len(s.Architectures) != 1 || !slices.Contains([]string{"arm64", "x86_64"}, s.Architectures[0]):
		return invalidParameter("Architectures must be one of arm64 and x86_64, got %q", s.Architectures)
	case s.MemorySize < minMemory || s.MemorySize > maxMemory:
		return invalidParameter("'MemorySize' value failed to satisfy constraint: Member must have value between %d and %d, got %d", minMemory, maxMemory, s.MemorySize)
	case s.Timeout < 1 || s.Timeout > maxTimeout:
		return invalidParameter("'Timeout' value failed to satisfy constraint: Member must have value between 1 and %d, got %d", maxTimeout, s.Timeout)
	case s.Logging.Format != "Text" && s.Logging.Format != "JSON":
		return invalidParameter("LogFormat must be Text or JSON, got %q", s.Logging.Format)
	case s.Logging.Format == "Text" && (s.Logging.ApplicationLevel != "" || s.Logging.SystemLevel != ""):
		return invalidParameter("log levels can be set only with log format JSON")
	}
	return validateEnvironment(s.Environment)
}

func validateEnvironment(environment map[string]string) error {
	var reserved []string
	for name := range environment {
		if slices.Contains(reservedVariables, name) {
			reserved = append(reserved, name)
		} else if !variableName.MatchString(name) {
			return invalidParameter("Value at 'environment.variables' failed to satisfy constraint: name %q must match %s", name, variableName)
		}
	}
	if len(reserved) > 0 {
		slices.Sort(reserved)
		return invalidParameter("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(reserved, ", "))
	}
	text, err := json.Marshal(environment)
	if err != nil {
		return fmt.Errorf("measuring environment: %w", err)
	}
	if len(text) > maxEnvironment {
		return invalidParameter("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit: %d bytes", len(text))
	}
	return nil
}

func (s Spec) timeout() time.Duration { return time.Duration(s.Timeout) * time.Second }

// FunctionARN returns the ARN of the function of that name.
func FunctionARN(name string) string { return awsapi.ARN("lambda", "function:"+name) }

// InvokeARN returns what an API Gateway integration names as its URI.
func InvokeARN(functionARN string) string {
	return "arn:" + awsapi.Partition + ":apigateway:" + awsapi.Region + ":lambda:path/2015-03-31/functions/" + functionARN + "/invocations"
}

func invalidParameter(format string, args ...any) error {
	return &awsapi.Error{Status: http.StatusBadRequest, Code: "InvalidParameterValueException", Message: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &awsapi.Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return &awsapi.Error{Status: http.StatusConflict, Code: "ResourceConflictException", Message: fmt.Sprintf(format, args...)}
}
