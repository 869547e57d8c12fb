package openai

import (
	"encoding/json"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/streaming-service/streaming-service/protocol"
)

// Request is a request for a chat completion.
type Request struct {
	// Submit is what is asked of the model, in the service's own words. It is
	// as valid as can be told without the settings of a deployment.
	Submit protocol.SubmitRequest
	// Stream asks for server-sent events instead of one body.
	Stream bool
	// IncludeUsage asks for a last chunk with the usage. Only with Stream.
	IncludeUsage bool
	// Names are those of Submit's fields in the request.
	Names Names
}

// request is a Request in the making.
type request struct {
	Request
	turns               []turn
	maxTokens           *int
	maxCompletionTokens *int
	streamOptions       bool // were given
	noTools             bool // are to be used
	oneCall             bool // of a tool at a time
}

// Bounds of the API beyond those of this service.
const (
	maxStop = 4
	// maxTemperature is Converse's; OpenAI's is 2.
	maxTemperature      = 1
	maxMetadata         = 16
	maxMetadataName     = 64  // characters
	maxMetadataValue    = 512 // characters
	maxSafetyIdentifier = 128 // characters
)

// requestFields are all fields that the API knows, in the order of its
// reference.
var requestFields = []field[request]{
	{name: "messages", note: "1 or more; see below", read: readMessages},
	{name: "model", note: "an id of `GET /models`", read: readModel},
	{name: "audio"},
	{name: "frequency_penalty", note: "Converse has none", nothing: []any{0.0}},
	{name: "function_call", nothing: []any{"none", "auto"}},
	{name: "functions", nothing: []any{[]any{}}},
	{name: "logit_bias", note: "Converse has none", nothing: []any{map[string]any{}}},
	{name: "logprobs", note: "Converse has none", nothing: []any{false}},
	{name: "max_completion_tokens", note: "at most the `model.maxTokens` of the deployment", read: readMaxCompletionTokens},
	{name: "max_tokens", note: "the same as `max_completion_tokens`; both must agree", read: readMaxTokens},
	{name: "metadata", note: "not stored", ignored: true, read: readMetadata},
	{name: "modalities", nothing: []any{[]any{"text"}}},
	{name: "moderation", note: "a guardrail is a setting of the deployment"},
	{name: "n", note: "one choice", nothing: []any{1.0}},
	{name: "parallel_tool_calls", note: "`false` is refused beside `tools`", read: readParallelToolCalls},
	{name: "prediction"},
	{name: "presence_penalty", note: "Converse has none", nothing: []any{0.0}},
	{name: "prompt_cache_key", note: "a hint", ignored: true, read: ignoreText[request]},
	{name: "prompt_cache_options", note: "a hint", ignored: true, read: ignoreObject[request]},
	{name: "prompt_cache_retention", note: "a hint", ignored: true, read: ignoreText[request]},
	{name: "reasoning_effort", note: "`none`, `low`, `medium` or `high`, of a model that can reason", read: readReasoningEffort},
	{name: "response_format", nothing: []any{map[string]any{"type": "text"}}},
	{name: "safety_identifier", note: "at most 128 characters; not stored", ignored: true, read: ignoreIdentifier[request]},
	{name: "seed", note: "Converse has none"},
	{name: "service_tier", nothing: []any{"auto", "default"}},
	{name: "stop", note: "a string, or at most 4", read: readStop},
	{name: "store", note: "every answer can be read for a while, and none is kept for good", nothing: []any{false}},
	{name: "stream", read: readStream},
	{name: "stream_options", note: "only with `stream`; see below", read: readStreamOptions},
	{name: "temperature", note: "0 to 1, as Converse has it; OpenAI goes to 2", read: readTemperature},
	{name: "tool_choice", note: "`none`, `auto`, `required` or a function; `none` leaves `tools` out", read: readToolChoice},
	{name: "tools", note: "functions, which whoever asks runs", read: readTools},
	{name: "top_logprobs", note: "Converse has none", nothing: []any{0.0}},
	{name: "top_p", note: "0 to 1", read: readTopP},
	{name: "user", note: "the quota is that of the key's owner, whatever it says; not stored", ignored: true, read: ignoreText[request]},
	{name: "verbosity", nothing: []any{"medium"}},
	{name: "web_search_options"},
}

var streamOptionsFields = []field[request]{
	{name: "include_usage", note: "a last chunk with `usage` and no choices", read: readIncludeUsage},
	{name: "include_obfuscation", nothing: []any{false}},
}

// Parse reads the body of POST /chat/completions. The error names the first
// parameter that is not as it must be.
func Parse(body []byte) (Request, *Error) {
	switch {
	case len(body) > protocol.MaxBodyBytes:
		e := invalid("", string(protocol.CodePayloadTooLarge), "The body is larger than %d bytes.", protocol.MaxBodyBytes)
		e.Status = http.StatusRequestEntityTooLarge
		return Request{}, e
	case !utf8.Valid(body) || !json.Valid(body):
		return Request{}, invalid("", "", "We could not parse the JSON body of your request.")
	}
	r := request{Request: Request{Names: Names{}}}
	if e := readObject(requestFields, &r, "", body); e != nil {
		return Request{}, e
	}
	if e := r.complete(); e != nil {
		return Request{}, e
	}
	return r.Request, nil
}

// complete checks what no field tells alone.
func (r *request) complete() *Error {
	switch {
	case r.turns == nil:
		return missing("messages")
	case r.Submit.Model == "":
		return missing("model")
	case r.streamOptions && !r.Stream:
		return invalid("stream_options", codeInvalidValue, "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	case r.maxTokens != nil && r.maxCompletionTokens != nil && *r.maxTokens != *r.maxCompletionTokens:
		return invalid("max_tokens", codeInvalidValue, "'max_tokens' is %d and 'max_completion_tokens' is %d: they mean the same, so give one.", *r.maxTokens, *r.maxCompletionTokens)
	}
	r.Submit.MaxTokens = r.maxCompletionTokens
	if r.Submit.MaxTokens == nil {
		r.Submit.MaxTokens = r.maxTokens
	}
	if e := r.toolsFit(); e != nil {
		return e
	}
	r.forgetThoughts()
	var e *Error
	r.Submit.System, r.Submit.Messages, e = converse(r.turns, r.Names)
	return e
}

func readModel(r *request, param string, value json.RawMessage) (e *Error) {
	r.Submit.Model, e = filledText(param, value)
	return e
}

func readMaxTokens(r *request, param string, value json.RawMessage) (e *Error) {
	r.maxTokens, e = optional(value, func() (int, *Error) { return positive(param, value) })
	return e
}

func readMaxCompletionTokens(r *request, param string, value json.RawMessage) (e *Error) {
	r.maxCompletionTokens, e = optional(value, func() (int, *Error) { return positive(param, value) })
	return e
}

func readTemperature(r *request, param string, value json.RawMessage) (e *Error) {
	r.Submit.Temperature, e = optional(value, func() (float64, *Error) { return fraction(param, value, maxTemperature) })
	return e
}

func readTopP(r *request, param string, value json.RawMessage) (e *Error) {
	r.Submit.TopP, e = optional(value, func() (float64, *Error) { return fraction(param, value, 1) })
	return e
}

// readStop reads one sequence or several. Their length is a matter of the
// model's settings.
func readStop(r *request, param string, value json.RawMessage) *Error {
	if isNull(value) {
		return nil
	}
	if value[0] == '"' {
		value = json.RawMessage("[" + string(value) + "]")
	}
	list, e := array(param, value)
	if e != nil {
		return e
	}
	if len(list) > maxStop {
		return invalid(param, codeArrayTooLong, "Invalid '%s': array too long. Expected an array with maximum length %d, but got an array with length %d instead.", param, maxStop, len(list))
	}
	for i, raw := range list {
		sequence, e := filledText(fmt.Sprintf("%s[%d]", param, i), raw)
		if e != nil {
			return e
		}
		r.Submit.StopSequences = append(r.Submit.StopSequences, sequence)
	}
	return nil
}

func readStream(r *request, param string, value json.RawMessage) (e *Error) {
	r.Stream, e = flag(param, value)
	return e
}

func readStreamOptions(r *request, param string, value json.RawMessage) *Error {
	if isNull(value) {
		return nil
	}
	r.streamOptions = true
	return readObject(streamOptionsFields, r, param, value)
}

func readIncludeUsage(r *request, param string, value json.RawMessage) (e *Error) {
	r.IncludeUsage, e = flag(param, value)
	return e
}
