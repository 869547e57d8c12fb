package components

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Type is the Pulumi type token of StreamingService.
const Type = "streaming:index:StreamingService"

// StreamingService is a serverless service that streams the answers of a
// Bedrock model to signed-in users, within quotas.
type StreamingService struct {
	pulumi.ResourceState

	// RestUrl is the base URL of the REST API, without a trailing slash.
	RestUrl pulumi.StringOutput `pulumi:"restUrl"`
	// OpenAiUrl is the base URL of OpenAI's Chat Completions API, without a
	// trailing slash: what its clients call base_url.
	OpenAiUrl pulumi.StringOutput `pulumi:"openAiUrl"`
	// WebSocketUrl is the URL of the WebSocket API, without a trailing slash.
	WebSocketUrl pulumi.StringOutput `pulumi:"webSocketUrl"`
	// Region is the AWS Region of the service.
	Region pulumi.StringOutput `pulumi:"region"`
	// UserPoolId is the id of the Cognito user pool, created or adopted.
	UserPoolId pulumi.StringOutput `pulumi:"userPoolId"`
	// UserPoolClientId is the app client whose ID tokens the service accepts.
	UserPoolClientId pulumi.StringOutput `pulumi:"userPoolClientId"`
	// SignIn is what a page needs to know before somebody signs in: mfa,
	// passwordMinimumLength and selfSignUp, as set. Empty with an adopted pool,
	// whose settings are its own.
	SignIn pulumi.StringMapOutput `pulumi:"signIn"`
	// IdentityPoolId is the id of the Cognito identity pool. Its authenticated
	// role has no permissions until you add some.
	IdentityPoolId pulumi.StringOutput `pulumi:"identityPoolId"`
	// AuthenticatedRoleName is the name of that role.
	AuthenticatedRoleName pulumi.StringOutput `pulumi:"authenticatedRoleName"`
	// QueueUrl is the URL of the queue of admitted requests.
	QueueUrl pulumi.StringOutput `pulumi:"queueUrl"`
	// DeadLetterQueueUrl is the URL of the queue for messages that could not
	// be handled.
	DeadLetterQueueUrl pulumi.StringOutput `pulumi:"deadLetterQueueUrl"`
	// QuotaTableName is the name of the table with an item for each user.
	QuotaTableName pulumi.StringOutput `pulumi:"quotaTableName"`
	// ConnectionsTableName is the name of the table of live sockets.
	ConnectionsTableName pulumi.StringOutput `pulumi:"connectionsTableName"`
	// RequestsTableName is the name of the table of requests and answers.
	RequestsTableName pulumi.StringOutput `pulumi:"requestsTableName"`
	// UploadsBucketName is the name of the bucket of uploads; empty without one.
	UploadsBucketName pulumi.StringOutput `pulumi:"uploadsBucketName"`
	// FunctionArns are the ARNs of the functions by their short names:
	// authorizer, completions, connection, processor, quota, recovery and requests.
	FunctionArns pulumi.StringMapOutput `pulumi:"functionArns"`
	// FunctionRoleNames are the names of the functions' IAM roles by the same
	// short names. Attach policies of your own to them.
	FunctionRoleNames pulumi.StringMapOutput `pulumi:"functionRoleNames"`
	// DashboardUrl is where the CloudWatch dashboard is; empty without one.
	DashboardUrl pulumi.StringOutput `pulumi:"dashboardUrl"`
	// RestDomainTarget is what the name domain.rest must point to; empty
	// without one.
	RestDomainTarget pulumi.StringOutput `pulumi:"restDomainTarget"`
	// WebSocketDomainTarget is what the name domain.webSocket must point to;
	// empty without one.
	WebSocketDomainTarget pulumi.StringOutput `pulumi:"webSocketDomainTarget"`
	// SiteUrl is where the chat page is, without a trailing slash; empty without
	// site.enabled.
	SiteUrl pulumi.StringOutput `pulumi:"siteUrl"`
	// SiteDomainTarget is what the name site.domain must point to; empty without
	// one.
	SiteDomainTarget pulumi.StringOutput `pulumi:"siteDomainTarget"`
}

// NewStreamingService creates a StreamingService. Args may be nil. Settings
// that break a rule are errors before any resource is made; the error names
// every one of them.
func NewStreamingService(ctx *pulumi.Context, name string, args *StreamingServiceArgs, opts ...pulumi.ResourceOption) (*StreamingService, error) {
	resolved, err := resolve(name, args)
	if err != nil {
		return nil, fmt.Errorf("%s %q is not valid:\n%w", Type, name, err)
	}
	declared := &children{}
	transformations := []pulumi.ResourceTransformation{declared.join}
	if resolved.Transform != nil {
		transformations = append(transformations, transformation(name, resolved.Transform))
	}
	opts = append(slices.Clone(opts), pulumi.Transformations(transformations))
	svc := &StreamingService{}
	if err := ctx.RegisterComponentResource(Type, name, svc, opts...); err != nil {
		return nil, fmt.Errorf("registering %s: %w", name, err)
	}
	b := &build{ctx: ctx, name: name, args: resolved, svc: svc, children: declared, place: placeOf(ctx, svc)}
	if err := b.everything(); err != nil {
		return nil, fmt.Errorf("creating %s: %w", name, err)
	}
	b.outputs()
	if err := ctx.RegisterResourceOutputs(svc, svc.outputs()); err != nil {
		return nil, fmt.Errorf("registering outputs of %s: %w", name, err)
	}
	return svc, nil
}

// build holds the parts of a service while it is made.
type build struct {
	ctx      *pulumi.Context
	name     string
	args     *StreamingServiceArgs
	svc      *StreamingService
	children *children
	place    place

	auth      *authentication
	tables    *tables
	queues    *queues
	uploads   uploads
	webSocket *webSocketAPI
	logs      *accessLogs // nil without
	rest      *restAPI
	site      site
	functions functions
	domains   domains
	dashboard pulumi.StringOutput
}

// everything creates the parts in the order in which they need each other.
func (b *build) everything() error {
	for _, part := range []struct {
		name string
		make func() error
	}{
		{"warnings", b.warn},
		{"authentication", b.newAuthentication},
		{"tables", b.newTables},
		{"queues", b.newQueues},
		{"uploads", b.newUploads},
		{"WebSocket API", b.newWebSocketAPI},
		{"functions", b.newFunctions},
		{"event sources", b.newEventSources},
		{"access logs", b.newAccessLogs},
		{"REST API", b.newRestAPI},
		{"site", b.newSite},
		{"uploads from pages", b.openUploads},
		{"REST stage", b.newRestStage},
		{"WebSocket routes", b.newWebSocketRoutes},
		{"domains", b.newDomains},
		{"files of the site", b.newSiteFiles},
		{"firewall", b.newFirewall},
		{"alarms", b.newAlarms},
		{"dashboard", b.newDashboard},
		{"deletion guard", b.newGuard},
	} {
		if err := part.make(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// child returns the logical name of a child, which is its identity: a rename
// replaces the resource.
func (b *build) child(role string) string { return b.name + "-" + role }

// options are those of every child: the service as parent, through which
// providers flow.
func (b *build) options(more ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return append([]pulumi.ResourceOption{pulumi.Parent(b.svc)}, more...)
}

// outputs fills the outputs of the service.
func (b *build) outputs() {
	svc := b.svc
	svc.Region = b.place.region
	svc.RestUrl = b.domains.restURL
	svc.OpenAiUrl = pulumi.Sprintf("%s/openai/v1", b.domains.restURL)
	svc.WebSocketUrl = b.domains.webSocketURL
	svc.RestDomainTarget = b.domains.restTarget
	svc.WebSocketDomainTarget = b.domains.webSocketTarget
	svc.SiteUrl = b.site.origin
	svc.SiteDomainTarget = b.site.target
	svc.UserPoolId = b.auth.poolID
	svc.UserPoolClientId = b.auth.clientID
	svc.SignIn = b.auth.signIn
	svc.IdentityPoolId = b.auth.identityPoolID
	svc.AuthenticatedRoleName = b.auth.roleName
	svc.QueueUrl = b.queues.main.Url
	svc.DeadLetterQueueUrl = b.queues.deadLetter.Url
	svc.QuotaTableName = b.tables.quota.Name
	svc.ConnectionsTableName = b.tables.connections.Name
	svc.RequestsTableName = b.tables.requests.Name
	svc.UploadsBucketName = b.uploads.name
	svc.FunctionArns = b.functions.arns()
	svc.FunctionRoleNames = b.functions.roleNames()
	svc.DashboardUrl = b.dashboard
}

// outputs returns every output under the name that it has in the schema.
func (s *StreamingService) outputs() pulumi.Map {
	return pulumi.Map{
		"restUrl":               s.RestUrl,
		"openAiUrl":             s.OpenAiUrl,
		"webSocketUrl":          s.WebSocketUrl,
		"region":                s.Region,
		"userPoolId":            s.UserPoolId,
		"userPoolClientId":      s.UserPoolClientId,
		"signIn":                s.SignIn,
		"identityPoolId":        s.IdentityPoolId,
		"authenticatedRoleName": s.AuthenticatedRoleName,
		"queueUrl":              s.QueueUrl,
		"deadLetterQueueUrl":    s.DeadLetterQueueUrl,
		"quotaTableName":        s.QuotaTableName,
		"connectionsTableName":  s.ConnectionsTableName,
		"requestsTableName":     s.RequestsTableName,
		"uploadsBucketName":     s.UploadsBucketName,
		"functionArns":          s.FunctionArns,
		"functionRoleNames":     s.FunctionRoleNames,
		"dashboardUrl":          s.DashboardUrl,
		"restDomainTarget":      s.RestDomainTarget,
		"webSocketDomainTarget": s.WebSocketDomainTarget,
		"siteUrl":               s.SiteUrl,
		"siteDomainTarget":      s.SiteDomainTarget,
	}
}
