// Package components is the Pulumi package of the service. Its one component,
// StreamingService, owns everything that streams the answers of a Bedrock
// model to signed-in users, within quotas:
//
//	StreamingService
//	├── user pool, client, a group for each tier    who may call
//	├── identity pool, authenticated role           without permissions
//	├── quota, connections, requests tables         all state
//	├── queue ─► dead-letter queue                  admitted requests
//	├── WebSocket API                               streams answers
//	├── log group, role, policy, function           × authorizer, completions,
//	│                                                 connection, processor, quota,
//	│                                                 recovery, requests
//	├── event source mappings, sweep                wake processor and recovery
//	├── REST API                                    takes requests, and streams
//	│                                                 to OpenAI's clients
//	└── dashboard; if wanted: alarms, access logs,
//	    domains and records, web ACL association,
//	    the chat page in a bucket behind CloudFront
//
// A program of a few lines deploys it:
//
//	svc, err := components.NewStreamingService(ctx, "chat", &components.StreamingServiceArgs{
//		Quota: &components.QuotaSettings{MonthlyRequests: pulumi.Int(500)},
//	})
//
// Settings are checked at preview, all at once and with the field's name. The
// roles of the functions allow exact actions on exact resources; '*' appears
// only where AWS offers nothing narrower (X-Ray) and, for inference profiles
// that span Regions, in the Region of the model, narrowed to that profile.
//
// # Limits
//
// The Go toolchain must be on the path of the program, unless
// FunctionArchiveDir is set. Names are at most 30 characters, and the
// variables of each function at most 4 KB. A destroy is refused, with nothing
// deleted, as long as Protection.DeletionProtection is on. Access logs need
// the Region-wide log role of API Gateway, which is kept when a stack that
// manages it is destroyed. WebSocket APIs take no web ACL. How the service
// behaves is in docs/.
package components
