package lambda

import (
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// variables is the whole environment of a process: what the function declares,
// what Lambda sets, and nothing of this program's own.
func (e *environment) variables() []string {
	all := e.platformVariables()
	maps.Copy(all, e.spec.Environment)
	maps.Copy(all, e.function.service.options.Env)
	list := make([]string, 0, len(all))
	for name, value := range all {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

// platformVariables are those of docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
func (e *environment) platformVariables() map[string]string {
	s := e.function.service
	id, secret, token := s.options.Credentials(e.spec.RoleARN)
	all := map[string]string{
		"AWS_LAMBDA_RUNTIME_API":          s.runtime.address(e.token),
		"AWS_REGION":                      awsapi.Region,
		"AWS_DEFAULT_REGION":              awsapi.Region,
		"AWS_ACCESS_KEY_ID":               id,
		"AWS_SECRET_ACCESS_KEY":           secret,
		"AWS_SESSION_TOKEN":               token,
		"AWS_EC2_METADATA_DISABLED":       "true",
		"AWS_LAMBDA_FUNCTION_NAME":        e.spec.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(e.spec.MemorySize),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       e.spec.Logging.Group,
		"AWS_LAMBDA_LOG_STREAM_NAME":      e.stream,
		"AWS_LAMBDA_LOG_FORMAT":           e.spec.Logging.Format,
		"_X_AMZN_TRACE_ID":                "",
		"_HANDLER":                        e.spec.Handler,
		"LAMBDA_TASK_ROOT":                e.code.dir,
		"LANG":                            "en_US.UTF-8",
		"TZ":                              ":UTC",
		"PATH":                            "/usr/local/bin:/usr/bin:/bin",
	}
	if endpoint := s.options.EndpointURL(); endpoint != "" {
		all["AWS_ENDPOINT_URL"] = endpoint
	}
	if level := e.spec.Logging.ApplicationLevel; level != "" {
		all["AWS_LAMBDA_LOG_LEVEL"] = level
	}
	if runtime.GOOS == "windows" {
		all["SYSTEMROOT"] = os.Getenv("SYSTEMROOT") // without it sockets do not open
	}
	return all
}
