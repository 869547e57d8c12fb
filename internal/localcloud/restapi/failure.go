package restapi

import (
	"encoding/json"
	"net/http"
)

// failure is a refusal or error of the gateway itself.
type failure struct {
	responseType string // key of a declared gateway response; "" only has defaults
	status       int
	errorType    string // x-amzn-ErrorType
	message      string
	fixed        bool // no gateway response shapes it
}

// The gateway's own answers, with AWS's status, error type and message.
var (
	failureForbidden       = failure{"", http.StatusForbidden, "ForbiddenException", "Forbidden", true}
	failureMissingToken    = failure{"MISSING_AUTHENTICATION_TOKEN", http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token", false}
	failureThrottled       = failure{"THROTTLED", http.StatusTooManyRequests, "TooManyRequestsException", "Too Many Requests", false}
	failureUnauthorized    = failure{"UNAUTHORIZED", http.StatusUnauthorized, "UnauthorizedException", "Unauthorized", false}
	failureExpired         = failure{"UNAUTHORIZED", http.StatusUnauthorized, "UnauthorizedException", "The incoming token has expired", false}
	failureTooLarge        = failure{"REQUEST_TOO_LARGE", http.StatusRequestEntityTooLarge, "RequestTooLargeException", "Request Too Long", true}
	failureHeadersTooLarge = failure{"", http.StatusRequestHeaderFieldsTooLarge, "RequestHeaderFieldsTooLarge", "Request Header Fields Too Large", true}
	failureUnreadable      = failure{"", http.StatusBadRequest, "BadRequestException", "Bad Request", false}
	failureInvalidBody     = failure{"BAD_REQUEST_BODY", http.StatusBadRequest, "BadRequestException", "Invalid request body", false}
	failureDenied          = failure{"ACCESS_DENIED", http.StatusForbidden, "AccessDeniedException", "User is not authorized to access this resource", false}
	failureDeniedOutright  = failure{"ACCESS_DENIED", http.StatusForbidden, "AccessDeniedException", "User is not authorized to access this resource with an explicit deny", false}
	failureAuthorizer      = failure{"AUTHORIZER_FAILURE", http.StatusInternalServerError, "AuthorizerFailureException", "Internal server error", false}
	failureNoAuthorizer    = failure{"AUTHORIZER_CONFIGURATION_ERROR", http.StatusInternalServerError, "AuthorizerConfigurationException", "Internal server error", false}
	failureConfiguration   = failure{"API_CONFIGURATION_ERROR", http.StatusInternalServerError, "InternalServerErrorException", "Internal server error", false}
	failureInvocation      = failure{"", http.StatusInternalServerError, "InternalServerErrorException", "Internal server error", false}
	failureBadGateway      = failure{"", http.StatusBadGateway, "InternalServerErrorException", "Internal server error", false}
	failureTimeout         = failure{"INTEGRATION_TIMEOUT", http.StatusGatewayTimeout, "GatewayTimeoutException", "Endpoint request timed out", false}
)

// responseTypes are the gateway response types of AWS.
var responseTypes = map[string]struct{}{
	"ACCESS_DENIED": {}, "API_CONFIGURATION_ERROR": {}, "AUTHORIZER_CONFIGURATION_ERROR": {}, "AUTHORIZER_FAILURE": {},
	"BAD_REQUEST_BODY": {}, "BAD_REQUEST_PARAMETERS": {}, default4XX: {}, default5XX: {}, "EXPIRED_TOKEN": {},
	"INTEGRATION_FAILURE": {}, "INTEGRATION_TIMEOUT": {}, "INVALID_API_KEY": {}, "INVALID_SIGNATURE": {},
	"MISSING_AUTHENTICATION_TOKEN": {}, "QUOTA_EXCEEDED": {}, "REQUEST_TOO_LARGE": {}, "RESOURCE_NOT_FOUND": {},
	"THROTTLED": {}, "UNAUTHORIZED": {}, "UNSUPPORTED_MEDIA_TYPE": {}, "WAF_FILTERED": {},
}

const (
	default4XX = "DEFAULT_4XX"
	default5XX = "DEFAULT_5XX"
)

// defaultResponse is what AWS answers where nothing is declared.
var defaultResponse = gatewayResponse{templates: map[string]string{"application/json": `{"message":$context.error.messageString}`}}

// response returns the gateway response that shapes f: that of its type, else
// the default of its class, else AWS's own. It does not inherit from the others.
func (s *snapshot) response(f failure) gatewayResponse {
	if s == nil || f.fixed {
		return defaultResponse
	}
	class := default4XX
	if f.status >= http.StatusInternalServerError {
		class = default5XX
	}
	for _, responseType := range []string{f.responseType, class} {
		if g, ok := s.responses[responseType]; ok {
			return g
		}
	}
	return defaultResponse
}

func (f failure) messageString() string {
	text, err := json.Marshal(f.message)
	if err != nil {
		return "null"
	}
	return string(text)
}
