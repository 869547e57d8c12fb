package components

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// QueueSettings govern the work between admission and the model.
type QueueSettings struct {
	// MaxReceiveCount is how often a message is delivered before it goes to
	// the dead-letter queue, 10 to 1000. Attempts at a request are bounded by
	// its record; this only catches messages that cannot be handled. Default:
	// 10.
	MaxReceiveCount pulumi.IntPtrInput `pulumi:"maxReceiveCount,optional"`
	// BatchSize is how many messages one invocation of the processor may
	// take, 1 to 10; it works them concurrently. Default: 10.
	BatchSize pulumi.IntPtrInput `pulumi:"batchSize,optional"`
	// MaximumConcurrency is how many processors may run at once, 2 to 1000.
	// Size it by concurrent streams and below the account's concurrency.
	// Default: 50.
	MaximumConcurrency pulumi.IntPtrInput `pulumi:"maximumConcurrency,optional"`
	// MessageRetentionSeconds is how long the queue keeps a message, in
	// seconds: at least MaxAgeSeconds, and less than the 1209600 (14 days) of
	// the dead-letter queue. Default: 3600.
	MessageRetentionSeconds pulumi.IntPtrInput `pulumi:"messageRetentionSeconds,optional"`
	// MaxAgeSeconds is the age, in seconds, from which a request that has not
	// begun is refunded as expired, 60 to 86400. Default: 900.
	MaxAgeSeconds pulumi.IntPtrInput `pulumi:"maxAgeSeconds,optional"`
	// SweepIntervalMinutes is how often, in minutes, the recovery function
	// looks for requests that nobody works on, 0 to 1440. 0 is off. Default:
	// 5.
	SweepIntervalMinutes *int `pulumi:"sweepIntervalMinutes,optional"`
}

// FunctionsSettings govern the Lambda functions. Memory and timeout are those
// of the processor and of completions, which wait for the model, and the
// reserved concurrency is that of the processor; the other functions behind the
// APIs answer within 10 s.
type FunctionsSettings struct {
	// MemorySize is the memory of the processor and of completions, in MB, 128
	// to 10240. CPU and price grow with it: 128 keeps a batch of ten answers to
	// texts within the flush interval, 256 is for images and documents, too.
	// Default: 256.
	MemorySize pulumi.IntPtrInput `pulumi:"memorySize,optional"`
	// Timeout is the longest an invocation of the processor or of completions
	// may take, in seconds, 30 to 900. An answer that takes longer is cut 5 seconds before,
	// with the stop reason deadline, and charged for what was produced.
	// The queue's visibility timeout is six times as long. Default: 300.
	Timeout pulumi.IntPtrInput `pulumi:"timeout,optional"`
	// ReservedConcurrentExecutions is the concurrency set aside for the
	// processor; at least Queue.MaximumConcurrency. Default: none.
	ReservedConcurrentExecutions pulumi.IntPtrInput `pulumi:"reservedConcurrentExecutions,optional"`
	// LogLevel is debug, info, warn or error. At debug the functions log each
	// call and its outcome, without contents. Metrics are written whatever the
	// level. Default: info.
	LogLevel pulumi.StringPtrInput `pulumi:"logLevel,optional"`
	// LogRetentionInDays is how long logs are kept, in days, one of the values
	// that CloudWatch Logs takes. Default: 30.
	LogRetentionInDays pulumi.IntPtrInput `pulumi:"logRetentionInDays,optional"`
	// Architecture is arm64 or x86_64. Default: arm64.
	Architecture string `pulumi:"architecture,optional"`
}

// StreamingSettings govern the relay of a model's answer.
type StreamingSettings struct {
	// FlushIntervalMs is the time between two frames of an answer once it
	// flows, in milliseconds, 20 to 2000. Shorter is smoother; every frame
	// costs $1 per million and socket. Default: 200.
	FlushIntervalMs pulumi.IntPtrInput `pulumi:"flushIntervalMs,optional"`
	// ReplayTtlHours is how long an answer can be read at least past the end of
	// its request, in hours, 1 to 720. Prompt and answer expire that long plus
	// Queue.MaxAgeSeconds and 14 days after they were written, because a message
	// may wait so long in the dead-letter queue. Default: 24.
	ReplayTtlHours pulumi.IntPtrInput `pulumi:"replayTtlHours,optional"`
	// OnDisconnect says what happens to a request whose user has had no socket
	// for 30 s: continue or cancel. Default: continue.
	OnDisconnect pulumi.StringPtrInput `pulumi:"onDisconnect,optional"`
}

// ProtectionSettings guard stored data.
type ProtectionSettings struct {
	// DeletionProtection refuses the deletion of the tables and of the user
	// pool, by AWS and by Pulumi: a destroy then deletes nothing at all. To
	// destroy, set it to false, update, and destroy. Default: true.
	DeletionProtection *bool `pulumi:"deletionProtection,optional"`
	// PointInTimeRecovery keeps continuous backups of the tables for 35 days.
	// Default: true.
	PointInTimeRecovery pulumi.BoolPtrInput `pulumi:"pointInTimeRecovery,optional"`
	// KmsKeyArn is the customer managed key that encrypts the tables, queues
	// and uploads. The roles of the functions get the statements they need; the
	// key's own policy must let IAM policies apply. Default: none, keys that
	// AWS owns.
	KmsKeyArn pulumi.StringPtrInput `pulumi:"kmsKeyArn,optional"`
	// EncryptLogs encrypts the log groups with KmsKeyArn too. The key's policy
	// must then allow the service principal logs.<region>.amazonaws.com.
	// Default: false.
	EncryptLogs *bool `pulumi:"encryptLogs,optional"`
	// WebAclArn is a regional AWS WAF web ACL put before the REST API.
	// Default: none.
	WebAclArn pulumi.StringPtrInput `pulumi:"webAclArn,optional"`
}

// DomainSettings give the APIs names of your own. The two must differ, because
// a WebSocket domain cannot serve a REST API.
type DomainSettings struct {
	// Rest is the domain name of the REST API. Default: none.
	Rest pulumi.StringPtrInput `pulumi:"rest,optional"`
	// WebSocket is the domain name of the WebSocket API. Default: none.
	WebSocket pulumi.StringPtrInput `pulumi:"webSocket,optional"`
	// CertificateArn is an ACM certificate of the same Region that covers the
	// names given. Default: none; required with a name.
	CertificateArn pulumi.StringPtrInput `pulumi:"certificateArn,optional"`
	// HostedZoneId is the Route 53 zone in which alias records for the names
	// are made. Default: none; point the names to the outputs
	// restDomainTarget and webSocketDomainTarget yourself.
	HostedZoneId pulumi.StringPtrInput `pulumi:"hostedZoneId,optional"`
}

// SiteSettings host the chat page of this project: in a private bucket, behind
// CloudFront. That is in partition aws only, not in China and GovCloud.
type SiteSettings struct {
	// Enabled hosts the page, of which the output siteUrl is the address. Pages
	// from there may call the APIs whatever Auth.AllowedOrigins are. Default:
	// false.
	Enabled *bool `pulumi:"enabled,optional"`
	// Domain is a domain name for the page. Point it to the output
	// siteDomainTarget. Set together with CertificateArn. Default: none,
	// CloudFront's name for the distribution.
	Domain pulumi.StringPtrInput `pulumi:"domain,optional"`
	// CertificateArn is an ACM certificate of Region us-east-1, whatever that of
	// the service, that covers the domain name. Default: none.
	CertificateArn pulumi.StringPtrInput `pulumi:"certificateArn,optional"`
}

// ObservabilitySettings govern dashboard, alarms, tracing and access logs.
type ObservabilitySettings struct {
	// AlarmTopicArn is the SNS topic that alarms notify. Default: none, no
	// alarms are made.
	AlarmTopicArn pulumi.StringPtrInput `pulumi:"alarmTopicArn,optional"`
	// Dashboard makes a CloudWatch dashboard. Default: true.
	Dashboard *bool `pulumi:"dashboard,optional"`
	// Tracing turns X-Ray on for the REST API and the functions. The queue
	// gives linked traces, WebSocket APIs give none. Default: false.
	Tracing *bool `pulumi:"tracing,optional"`
	// AccessLogs writes a line for every call of both APIs, without tokens.
	// They need the Region-wide CloudWatch role of API Gateway. Default:
	// false.
	AccessLogs *bool `pulumi:"accessLogs,optional"`
	// ApiGatewayLogRole says where that role comes from: existing expects it,
	// manage makes it and, because the whole Region shares it, keeps it when
	// the stack is destroyed. Default: existing.
	ApiGatewayLogRole string `pulumi:"apiGatewayLogRole,optional"`
}
