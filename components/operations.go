package components

import (
	"net/http"
	"strings"

	"github.com/streaming-service/streaming-service/internal/openapi"
	"github.com/streaming-service/streaming-service/protocol"
)

// Tags of the operations that are not there without personal keys, or without
// uploads.
const (
	tagKeys    = "keys"
	tagUploads = "uploads"
)

// restAPIDocument is the REST API. The document, its import into API Gateway
// and the permissions of the functions follow from this table.
var restAPIDocument = openapi.API{
	Title: "StreamingService",
	// The contract's version: a compatible addition raises the second number.
	Version: "1.0.0",
	Description: "Takes requests to a large language model, streams the answers to the sockets of their user, and keeps them. " +
		"Errors are problem documents (RFC 9457); their member code tells why. " +
		"The frames of the WebSocket API are described in protocol/schema of the repository.",
	PathParameters: map[string]openapi.Parameter{
		"requestId": {Description: "The id of a request, as the answer to its submission names it.", Schema: openapi.Ref("common#/$defs/requestId")},
		"keyId":     {Description: "The id of a personal key.", Schema: openapi.Ref("common#/$defs/keyId")},
	},
	CatchAll: FunctionRequests,
	Operations: []openapi.Operation{
		{
			ID: "submitRequest", Role: "submit", Method: http.MethodPost, Path: "/requests", Function: FunctionQuota, Access: openapi.UserPool,
			Tag: "requests", Summary: "Submit a request",
			Description: "Admits a request against the quota of its user and queues it. The answer is streamed to the sockets of the user. " +
				"The same Idempotency-Key with the same body names the same request, and is charged once.",
			Parameters: []openapi.Parameter{idempotencyKey},
			Request: &openapi.Body{
				Description: "A conversation or, in short, a prompt. At most 262,144 bytes of UTF-8, without unknown members.",
				Schema:      openapi.Ref("submit-request"),
				Examples:    map[string]any{"prompt": examplePrompt, "conversation": exampleConversation},
			},
			Responses: []openapi.Response{{
				Status: http.StatusAccepted, Description: "The request is admitted, or was before under the same key.",
				Headers: openapi.RateLimitHeaders(), Schema: openapi.Ref("submit-response"),
				Examples: map[string]any{"admitted": exampleSubmitted},
				Links:    map[string]string{"getRequest": "requestId", "cancelRequest": "requestId"},
			}},
			Problems: []protocol.Code{
				protocol.CodeInvalidRequest, protocol.CodeModelNotAllowed, protocol.CodeBlocked, protocol.CodeIdempotencyConflict,
				protocol.CodePayloadTooLarge, protocol.CodeQuotaExceeded, protocol.CodeTooManyInFlight,
				protocol.CodeServiceBudgetExceeded,
			},
		},
		{
			ID: "getRequest", Role: "read", Method: http.MethodGet, Path: "/requests/{requestId}", Function: FunctionRequests, Access: openapi.UserPool,
			Tag: "requests", Summary: "Read a request and its answer so far",
			Responses: []openapi.Response{{
				Status: http.StatusOK, Description: "Where the request stands.", Schema: openapi.Ref("request-state"),
				Examples: map[string]any{"succeeded": exampleState},
			}},
			Problems: []protocol.Code{protocol.CodeNotFound},
		},
		{
			ID: "cancelRequest", Role: "cancel", Method: http.MethodDelete, Path: "/requests/{requestId}", Function: FunctionRequests, Access: openapi.UserPool,
			Tag: "requests", Summary: "Cancel a request", Description: "Safe to repeat. A request that has ended stays as it is.",
			Responses: []openapi.Response{{
				Status: http.StatusAccepted, Description: "The request is cancelled, or will be within a second.", Schema: openapi.Ref("cancel-response"),
				Examples: map[string]any{"cancelled": protocol.CancelResponse{RequestID: exampleRequestID, Status: protocol.StatusCancelled}},
			}},
			Problems: []protocol.Code{protocol.CodeNotFound},
		},
		{
			ID: "getUsage", Role: "usage", Method: http.MethodGet, Path: "/usage", Function: FunctionQuota, Access: openapi.UserPool,
			Tag: "usage", Summary: "Read what the user has used this month",
			Responses: []openapi.Response{{
				Status: http.StatusOK, Description: "The user's usage and limits.", Schema: openapi.Ref("usage"),
				Examples: map[string]any{"limited": exampleUsage},
			}},
		},
		{
			ID: "createUpload", Role: "create-upload", Method: http.MethodPost, Path: "/uploads", Function: FunctionQuota, Access: openapi.UserPool,
			Tag: tagUploads, Summary: "Announce an image or a document",
			Description: "The answer names a URL that takes the bytes by PUT, for ten minutes and in exactly the announced size and format, and an id by " +
				"which requests of the same user refer to them, for a day. A user has at most 200 uploads a day (UTC). " +
				"With the setting uploads off there is no such path.",
			Request: &openapi.Body{
				Description: "What will be uploaded.",
				Schema:      openapi.Ref("create-upload-request"),
				Examples: map[string]any{
					"image": protocol.CreateUploadRequest{Format: "png", Bytes: 120_000}, "document": protocol.CreateUploadRequest{Format: "pdf", Bytes: 2_400_000},
				},
			},
			Responses: []openapi.Response{{
				Status: http.StatusCreated, Description: "Where to put the bytes.", Schema: openapi.Ref("create-upload-response"),
				Examples: map[string]any{"announced": exampleUpload},
			}},
			Problems: []protocol.Code{protocol.CodeInvalidRequest, protocol.CodeBlocked, protocol.CodeNotFound},
		},
		{
			ID: "createKey", Role: "create-key", Method: http.MethodPost, Path: "/keys", Function: FunctionQuota, Access: openapi.UserPool,
			Tag: tagKeys, Summary: "Create a personal key",
			Description: "A key opens the paths under /openai/v1 and nothing else. A user has at most 20 that have not expired. " +
				"Without the setting auth.personalKeys there are no keys and no such paths.",
			Request: &openapi.Body{
				Description: "The owner's own name for the key, and how long it lasts.",
				Schema:      openapi.Ref("create-key-request"),
				Examples:    map[string]any{"lasting": protocol.CreateKeyRequest{Name: "laptop"}, "expiring": protocol.CreateKeyRequest{Name: "laptop", ExpiresInDays: new(90)}},
			},
			Responses: []openapi.Response{{
				Status: http.StatusCreated, Description: "The key. Its secret is shown this once.", Schema: openapi.Ref("create-key-response"),
				Examples: map[string]any{"created": exampleCreatedKey},
				Links:    map[string]string{"deleteKey": "keyId"},
			}},
			Problems: []protocol.Code{protocol.CodeInvalidRequest, protocol.CodeNotFound},
		},
		{
			ID: "listKeys", Role: "list-keys", Method: http.MethodGet, Path: "/keys", Function: FunctionQuota, Access: openapi.UserPool,
			Tag: tagKeys, Summary: "List the personal keys that have not expired",
			Responses: []openapi.Response{{
				Status: http.StatusOK, Description: "The keys, without their secrets, the oldest first.", Schema: openapi.Ref("key-list"),
				Examples: map[string]any{"one": exampleKeys},
			}},
			Problems: []protocol.Code{protocol.CodeNotFound},
		},
		{
			ID: "deleteKey", Role: "delete-key", Method: http.MethodDelete, Path: "/keys/{keyId}", Function: FunctionQuota, Access: openapi.UserPool,
			Tag: tagKeys, Summary: "Delete a personal key", Description: "The key is refused from the next call on.",
			Responses: []openapi.Response{{Status: http.StatusNoContent, Description: "The key is deleted."}},
			Problems:  []protocol.Code{protocol.CodeNotFound},
		},
		{
			ID: "createChatCompletion", Role: "chat-completions", Method: http.MethodPost, Path: "/openai/v1/chat/completions",
			Function: FunctionCompletions, Access: openapi.Authorizer, Stream: true,
			Tag: "openai", Summary: "Create a chat completion",
			Description: "OpenAI's Chat Completions API, within the same limits as every request. With stream, the answer is server-sent events. " +
				"The header x-request-id names the request, which GET and DELETE /requests/{requestId} and the user's sockets know.",
			Parameters: []openapi.Parameter{idempotencyKey},
			Request: &openapi.Body{
				Description: "The fields that are honoured, ignored and refused are listed in docs/openai.md of the repository.",
				Schema:      openapi.Ref("chat-completion-request"),
				Examples:    map[string]any{"streamed": exampleCompletionRequest},
			},
			Responses: append([]openapi.Response{{
				Status: http.StatusOK, Description: "The answer: one object or, with stream, events.",
				Schema: openapi.Schema{"type": "object"}, Examples: map[string]any{"whole": exampleCompletion},
				Other: map[string]openapi.Schema{"text/event-stream": {}},
			}}, openAIErrors(
				http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict,
				http.StatusRequestEntityTooLarge, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
				http.StatusServiceUnavailable, http.StatusGatewayTimeout)...),
			OwnErrors: true,
		},
		{
			ID: "listModels", Role: "models", Method: http.MethodGet, Path: "/openai/v1/models",
			Function: FunctionCompletions, Access: openapi.Authorizer, Stream: true,
			Tag: "openai", Summary: "List the models that a completion may name",
			Responses: append([]openapi.Response{{
				Status: http.StatusOK, Description: "The models.", Schema: openapi.Schema{"type": "object"},
				Examples: map[string]any{"one": exampleModels},
			}}, openAIErrors(http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusInternalServerError)...),
			OwnErrors: true,
		},
		{
			ID: "getDocument", Role: "document", Method: http.MethodGet, Path: "/openapi.json", Function: FunctionRequests, Access: openapi.Open,
			Tag: "service", Summary: "Read this document",
			Responses: []openapi.Response{{
				Status: http.StatusOK, Description: "The OpenAPI document of the REST API.", Schema: openapi.Schema{"type": "object"},
			}},
		},
	},
}

var idempotencyKey = openapi.Parameter{
	Name: "Idempotency-Key", In: "header",
	Description: "Makes the submission safe to repeat: 1 to 128 visible ASCII characters, chosen by the client.",
	Schema:      openapi.Schema{"type": "string", "minLength": 1, "maxLength": protocol.MaxIdempotencyKeyLength, "pattern": "^[!-~]+$"},
}

// openAIErrors are errors as OpenAI's API has them. Those of API Gateway are
// problem documents that have the same member.
func openAIErrors(statuses ...int) []openapi.Response {
	responses := make([]openapi.Response, len(statuses))
	for i, status := range statuses {
		responses[i] = openapi.Response{
			Status: status, Description: http.StatusText(status), Schema: openapi.Ref("openai-error"),
			Other: map[string]openapi.Schema{protocol.ProblemType: openapi.Ref("openai-error")},
		}
	}
	return responses
}

// Examples of bodies.
const exampleRequestID = "mfrggzdfmztwq2lknnwg23tpob"

var (
	examplePrompt       = protocol.SubmitRequest{Prompt: "What is a quorum?"}
	exampleConversation = protocol.SubmitRequest{
		Messages: []protocol.Message{
			{Role: protocol.RoleUser, Content: "What is a quorum?"},
			{Role: protocol.RoleAssistant, Content: "The members that must agree."},
			{Role: protocol.RoleUser, Content: "And a majority?"},
		},
		System: "Answer in one sentence.", MaxTokens: new(200), Temperature: new(0.2),
	}
	exampleCompletionRequest = map[string]any{
		"model": "global.amazon.nova-2-lite-v1:0", "stream": true,
		"messages": []any{map[string]any{"role": "user", "content": "What is a quorum?"}},
	}
	exampleCompletion = map[string]any{
		"id": "chatcmpl-" + exampleRequestID, "object": "chat.completion", "created": 1763892000, "model": "global.amazon.nova-2-lite-v1:0",
		"choices": []any{map[string]any{
			"index": 0, "message": map[string]any{"role": "assistant", "content": "More than half of the members.", "refusal": nil}, "logprobs": nil, "finish_reason": "stop",
		}},
		"usage": map[string]any{"prompt_tokens": 41, "completion_tokens": 8, "total_tokens": 49, "prompt_tokens_details": map[string]any{"cached_tokens": 0}},
	}
	exampleModels = map[string]any{
		"object": "list",
		"data":   []any{map[string]any{"id": "global.amazon.nova-2-lite-v1:0", "object": "model", "created": 0, "owned_by": "bedrock"}},
	}
	exampleKeys       = protocol.KeyList{Keys: []protocol.PersonalKey{{KeyID: exampleRequestID, Name: "laptop", CreatedAt: "2026-11-23T10:00:00.000Z"}}}
	exampleCreatedKey = protocol.CreateKeyResponse{
		KeyID: exampleRequestID, Name: "laptop", Key: "ssk_" + strings.Repeat("A", 43), CreatedAt: "2026-11-23T10:00:00.000Z",
	}
	exampleUpload = protocol.CreateUploadResponse{
		UploadID: exampleRequestID, URL: "https://svc-uploads-0123abc.s3.eu-west-1.amazonaws.com/uploads/user/" + exampleRequestID + "?X-Amz-Expires=600",
		Headers: map[string]string{"Content-Type": "application/pdf"}, URLExpiresAt: "2026-11-23T10:10:00.000Z", ExpiresAt: "2026-11-24T10:00:00.000Z",
	}
	exampleUsage = protocol.Usage{
		Period: "2026-11", ResetsAt: "2026-12-01T00:00:00Z", Tier: "default",
		Requests: protocol.RequestsUsage{Limit: new(int64(1000)), Used: 12, Remaining: new(int64(988))},
		Tokens:   protocol.TokensUsage{Used: 5400, Reserved: 4200},
		InFlight: 1,
	}
	exampleSubmitted = protocol.SubmitResponse{RequestID: exampleRequestID, Status: protocol.StatusQueued, Quota: exampleUsage}
	exampleState     = protocol.RequestState{
		RequestID: exampleRequestID, Status: protocol.StatusSucceeded, Attempt: 1, Text: "More than half of the members.", LastSeq: 4,
		StopReason: "end_turn", Usage: &protocol.TokenUsage{InputTokens: 41, OutputTokens: 8}, Model: "global.amazon.nova-2-lite-v1:0",
		CreatedAt: "2026-11-23T10:00:00.000Z", UpdatedAt: "2026-11-23T10:00:01.200Z",
	}
)
