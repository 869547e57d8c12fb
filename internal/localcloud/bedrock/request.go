package bedrock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/modelfamily"
)

// maxBody is more than any request within a model's context.
const maxBody = 25 << 20

// maxStopSequences is from the Smithy model of bedrock-runtime (botocore 1.43.11).
const maxStopSequences = 2500

// request is what ConverseStream reads of a request's body.
type request struct {
	Messages        []message         `json:"messages"`
	ToolConfig      *toolConfig       `json:"toolConfig"`
	Additional      json.RawMessage   `json:"additionalModelRequestFields"`
	System          []block           `json:"system"`
	Inference       inference         `json:"inferenceConfig"`
	Guardrail       *guardrail        `json:"guardrailConfig"`
	RequestMetadata map[string]string `json:"requestMetadata"`

	family modelfamily.Family // of the model that is asked
}

type message struct {
	Role    string  `json:"role"`
	Content []block `json:"content"`
}

type inference struct {
	MaxTokens     *int     `json:"maxTokens"`
	Temperature   *float64 `json:"temperature"`
	TopP          *float64 `json:"topP"`
	StopSequences []string `json:"stopSequences"`
}

type guardrail struct {
	Identifier string `json:"guardrailIdentifier"`
	Version    string `json:"guardrailVersion"`
	Mode       string `json:"streamProcessingMode"`
	Trace      string `json:"trace"`
}

// modelOf reads the model id from /model/{modelId}/converse-stream; the id is
// percent-encoded and may hold any character.
func modelOf(r *http.Request) (model, *awsapi.Error) {
	path, found := strings.CutPrefix(r.URL.EscapedPath(), "/model/")
	path, ends := strings.CutSuffix(path, "/converse-stream")
	id, err := url.PathUnescape(path)
	switch {
	case !found || !ends || err != nil || id == "":
		return model{}, &awsapi.Error{Status: http.StatusNotFound, Code: "UnknownOperationException", Message: "the local Bedrock answers ConverseStream only"}
	case r.Method != http.MethodPost:
		return model{}, &awsapi.Error{Status: http.StatusMethodNotAllowed, Code: "UnknownOperationException", Message: "ConverseStream is a POST"}
	}
	return parseModel(id)
}

func parseRequest(body []byte) (*request, *awsapi.Error) {
	var req request
	if err := json.Unmarshal(body, &req); err != nil {
		return nil, &awsapi.Error{Status: http.StatusBadRequest, Code: "SerializationException", Message: "the body is not the JSON of a ConverseStream request"}
	}
	return &req, nil
}

// validate refuses what Bedrock refuses of a request to the model.
func (r *request) validate(m model) *awsapi.Error {
	r.family = modelfamily.Of(m.id)
	for _, refused := range []*awsapi.Error{
		checkMessages(r.Messages, r.family), checkResults(r.Messages), r.checkTools(r.family),
		checkSystem(r.System, r.family), checkInference(r.Inference), r.checkAdditional(r.family),
		checkGuardrail(r.Guardrail), checkMetadata(r.RequestMetadata),
		m.refuses(r.Inference),
	} {
		if refused != nil {
			return refused
		}
	}
	return nil
}

func checkMessages(messages []message, family modelfamily.Family) *awsapi.Error {
	if len(messages) == 0 || messages[0].Role != "user" {
		return validation("A conversation must start with a user message. Try again with a conversation that starts with a user message.")
	}
	for i, m := range messages {
		if want := [...]string{"user", "assistant"}[i%2]; m.Role != want {
			if m.Role != "user" && m.Role != "assistant" {
				return constraint(m.Role, fmt.Sprintf("messages.%d.member.role", i+1), "Member must satisfy enum value set: [user, assistant]")
			}
			return validation("A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.")
		}
		if err := checkContent(i, m, family); err != nil {
			return err
		}
	}
	if len(messages)%2 == 0 {
		return validation("The model returned the following errors: This model does not support assistant message prefill. The conversation must end with a user message.")
	}
	return nil
}

func checkSystem(system []block, family modelfamily.Family) *awsapi.Error {
	if len(system) > 0 && family.Why(modelfamily.System) != "" {
		return validation("This model doesn't support system messages. Try again without a system message or use a model that supports system messages.")
	}
	for i, b := range system {
		if b.CachePoint != nil {
			if refused := checkCachePoint(*b.CachePoint, family, modelfamily.CacheSystem); refused != nil {
				return refused
			}
			continue
		}
		if text, isText := b.text(); isText && strings.TrimSpace(text) == "" {
			return validation(fmt.Sprintf("The text field in the SystemContentBlock object at system.%d is blank. Add text to the text field, and try again.", i))
		}
	}
	return nil
}

func checkInference(c inference) *awsapi.Error {
	if c.MaxTokens != nil && *c.MaxTokens < 1 {
		return constraint(fmt.Sprint(*c.MaxTokens), "inferenceConfig.maxTokens", "Member must have value greater than or equal to 1")
	}
	for name, value := range map[string]*float64{"temperature": c.Temperature, "topP": c.TopP} {
		switch {
		case value != nil && *value < 0:
			return constraint(fmt.Sprint(*value), "inferenceConfig."+name, "Member must have value greater than or equal to 0")
		case value != nil && *value > 1:
			return constraint(fmt.Sprint(*value), "inferenceConfig."+name, "Member must have value less than or equal to 1")
		}
	}
	if n := len(c.StopSequences); n > maxStopSequences {
		return constraint(fmt.Sprint(n), "inferenceConfig.stopSequences", fmt.Sprintf("Member must have length less than or equal to %d", maxStopSequences))
	}
	for i, sequence := range c.StopSequences {
		switch {
		case sequence == "":
			return constraint("", fmt.Sprintf("inferenceConfig.stopSequences.%d.member", i+1), "Member must have length greater than or equal to 1")
		case strings.TrimSpace(sequence) == "":
			return validation("The model returned the following errors: stop_sequences: each stop sequence must contain non-whitespace")
		}
	}
	return nil
}

func checkGuardrail(g *guardrail) *awsapi.Error {
	switch {
	case g == nil:
		return nil
	case g.Identifier == "" || g.Version == "":
		return validation("The guardrail identifier and version are both needed.")
	case g.Mode != "" && g.Mode != "sync" && g.Mode != "async":
		return constraint(g.Mode, "guardrailConfig.streamProcessingMode", "Member must satisfy enum value set: [sync, async]")
	}
	return nil
}

// metadataText is the pattern of keys and values of requestMetadata (SDK
// documentation); a value may be empty.
var metadataText = regexp.MustCompile(`^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$`)

func checkMetadata(metadata map[string]string) *awsapi.Error {
	if len(metadata) > 16 {
		return validation("requestMetadata must have at most 16 items")
	}
	for key, value := range metadata {
		if key == "" || !metadataText.MatchString(key) || !metadataText.MatchString(value) {
			return validation("requestMetadata must satisfy the pattern " + metadataText.String())
		}
	}
	return nil
}

func constraint(value, member, rule string) *awsapi.Error {
	return validation(fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, member, rule))
}

// prompt is the text of the last message, or of the results that it brings.
func (r *request) prompt() string {
	last := r.Messages[len(r.Messages)-1].Content
	if text := joined(last); text != "" {
		return text
	}
	var results []string
	for _, b := range last {
		if b.ToolResult != nil {
			for _, part := range b.ToolResult.Content {
				results = append(results, joined([]block{part})+string(part.JSON))
			}
		}
	}
	return strings.Join(results, "\n")
}

func joined(blocks []block) string {
	var texts []string
	for _, b := range blocks {
		if text, ok := b.text(); ok {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "\n")
}

// script returns the last system block that is a script, or standard.
func (r *request) script(standard string) string {
	for _, v := range slices.Backward(r.System) {
		if text, ok := v.text(); ok && strings.HasPrefix(strings.TrimSpace(text), scriptPrefix) {
			return text
		}
	}
	return standard
}

// inputTokens estimates as models count: a token is about four characters.
func (r *request) inputTokens() int {
	characters, tokens := 0, 3*len(r.Messages)
	add := func(blocks []block) {
		for _, b := range blocks {
			c, n := b.tokens(r.family)
			characters, tokens = characters+c, tokens+n
		}
	}
	add(r.System)
	for _, m := range r.Messages {
		add(m.Content)
	}
	if r.ToolConfig != nil {
		tokens += toolTokens
		for _, t := range r.ToolConfig.Tools {
			characters += t.characters()
		}
	}
	return (characters+3)/4 + tokens
}

// permissions are those of the model and of the guardrail.
func (r *request) permissions(m model) []awsapi.Permission {
	needed := m.permissions()
	if r.Guardrail == nil {
		return needed
	}
	arn := r.Guardrail.Identifier
	if !strings.HasPrefix(arn, "arn:") {
		arn = awsapi.ARN("bedrock", "guardrail/"+arn)
	}
	return append(needed, awsapi.Permission{Action: "bedrock:ApplyGuardrail", Resource: arn})
}
