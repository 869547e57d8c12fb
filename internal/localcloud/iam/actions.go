package iam

import (
	"fmt"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// actionNames are the IAM actions of the services that this project's policies
// may name, from AWS's service authorization reference. They are not the names
// of API operations: there is no dynamodb:TransactWriteItems, sqs:SendMessageBatch
// or bedrock:ConverseStream.
var actionNames = map[string]string{
	"dynamodb": `BatchGetItem BatchWriteItem ConditionCheckItem CreateBackup CreateGlobalTable CreateTable CreateTableReplica DeleteBackup DeleteItem
		DeleteResourcePolicy DeleteTable DeleteTableReplica DescribeBackup DescribeContinuousBackups DescribeContributorInsights DescribeEndpoints
		DescribeExport DescribeGlobalTable DescribeGlobalTableSettings DescribeImport DescribeKinesisStreamingDestination DescribeLimits
		DescribeReservedCapacity DescribeReservedCapacityOfferings DescribeStream DescribeTable DescribeTableReplicaAutoScaling DescribeTimeToLive
		DisableKinesisStreamingDestination EnableKinesisStreamingDestination ExportTableToPointInTime GetAbacStatus GetItem GetRecords
		GetResourcePolicy GetShardIterator ImportTable ListBackups ListContributorInsights ListExports ListGlobalTables ListImports ListStreams
		ListTables ListTagsOfResource PartiQLDelete PartiQLInsert PartiQLSelect PartiQLUpdate PurchaseReservedCapacityOfferings PutItem
		PutResourcePolicy Query RestoreTableFromAwsBackup RestoreTableFromBackup RestoreTableToPointInTime Scan StartAwsBackupJob TagResource
		UntagResource UpdateAbacStatus UpdateContinuousBackups UpdateContributorInsights UpdateGlobalTable UpdateGlobalTableSettings
		UpdateGlobalTableVersion UpdateItem UpdateKinesisStreamingDestination UpdateTable UpdateTableReplicaAutoScaling UpdateTimeToLive`,
	"sqs": `AddPermission CancelMessageMoveTask ChangeMessageVisibility CreateQueue DeleteMessage DeleteQueue GetQueueAttributes GetQueueUrl
		ListDeadLetterSourceQueues ListMessageMoveTasks ListQueueTags ListQueues PurgeQueue ReceiveMessage RemovePermission SendMessage
		SetQueueAttributes StartMessageMoveTask TagQueue UntagQueue`,
	"s3": `AbortMultipartUpload CreateBucket DeleteBucket DeleteBucketPolicy DeleteObject DeleteObjectTagging DeleteObjectVersion
		GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging GetBucketNotification
		GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock
		GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration GetLifecycleConfiguration
		GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold GetObjectRetention GetObjectTagging GetObjectVersion
		ListAllMyBuckets ListBucket ListBucketMultipartUploads ListBucketVersions ListMultipartUploadParts PutBucketAcl PutBucketCORS
		PutBucketNotification PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketTagging PutBucketVersioning
		PutEncryptionConfiguration PutLifecycleConfiguration PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention PutObjectTagging
		RestoreObject`,
	"lambda": `AddLayerVersionPermission AddPermission CreateAlias CreateCodeSigningConfig CreateEventSourceMapping CreateFunction
		CreateFunctionUrlConfig DeleteAlias DeleteCodeSigningConfig DeleteEventSourceMapping DeleteFunction DeleteFunctionCodeSigningConfig
		DeleteFunctionConcurrency DeleteFunctionEventInvokeConfig DeleteFunctionUrlConfig DeleteLayerVersion DeleteProvisionedConcurrencyConfig
		DisableReplication EnableReplication GetAccountSettings GetAlias GetCodeSigningConfig GetEventSourceMapping GetFunction
		GetFunctionCodeSigningConfig GetFunctionConcurrency GetFunctionConfiguration GetFunctionEventInvokeConfig GetFunctionRecursionConfig
		GetFunctionUrlConfig GetLayerVersion GetLayerVersionPolicy GetPolicy GetProvisionedConcurrencyConfig GetRuntimeManagementConfig
		InvokeAsync InvokeFunction InvokeFunctionUrl ListAliases ListCodeSigningConfigs ListEventSourceMappings ListFunctionEventInvokeConfigs
		ListFunctionUrlConfigs ListFunctions ListFunctionsByCodeSigningConfig ListLayerVersions ListLayers ListProvisionedConcurrencyConfigs
		ListTags ListVersionsByFunction PublishLayerVersion PublishVersion PutFunctionCodeSigningConfig PutFunctionConcurrency
		PutFunctionEventInvokeConfig PutFunctionRecursionConfig PutProvisionedConcurrencyConfig PutRuntimeManagementConfig
		RemoveLayerVersionPermission RemovePermission TagResource UntagResource UpdateAlias UpdateCodeSigningConfig UpdateEventSourceMapping
		UpdateFunctionCode UpdateFunctionCodeSigningConfig UpdateFunctionConfiguration UpdateFunctionEventInvokeConfig UpdateFunctionUrlConfig`,
	"execute-api": `InvalidateCache Invoke ManageConnections`,
	"bedrock": `ApplyGuardrail CallWithBearerToken CountTokens CreateGuardrail CreateGuardrailVersion CreateInferenceProfile DeleteGuardrail
		DeleteInferenceProfile GetAsyncInvoke GetFoundationModel GetFoundationModelAvailability GetGuardrail GetInferenceProfile
		GetModelInvocationLoggingConfiguration GetPrompt GetProvisionedModelThroughput InvokeModel InvokeModelWithBidirectionalStream
		InvokeModelWithResponseStream ListAsyncInvokes ListFoundationModels ListGuardrails ListInferenceProfiles ListTagsForResource
		PutModelInvocationLoggingConfiguration RenderPrompt TagResource UntagResource UpdateGuardrail`,
	"logs": `AssociateKmsKey CreateLogDelivery CreateLogGroup CreateLogStream DeleteLogDelivery DeleteLogGroup DeleteLogStream DeleteMetricFilter
		DeleteResourcePolicy DeleteRetentionPolicy DeleteSubscriptionFilter DescribeLogGroups DescribeLogStreams DescribeMetricFilters
		DescribeResourcePolicies DescribeSubscriptionFilters DisassociateKmsKey FilterLogEvents GetLogDelivery GetLogEvents GetLogGroupFields
		GetLogRecord GetQueryResults ListLogDeliveries ListTagsForResource ListTagsLogGroup PutLogEvents PutMetricFilter PutResourcePolicy
		PutRetentionPolicy PutSubscriptionFilter StartQuery StopQuery TagLogGroup TagResource UntagLogGroup UntagResource UpdateLogDelivery`,
	"kms": `CancelKeyDeletion CreateAlias CreateGrant CreateKey Decrypt DeleteAlias DeriveSharedSecret DescribeKey DisableKey DisableKeyRotation
		EnableKey EnableKeyRotation Encrypt GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext
		GenerateMac GenerateRandom GetKeyPolicy GetKeyRotationStatus GetPublicKey ListAliases ListGrants ListKeyPolicies ListKeys
		ListResourceTags ListRetirableGrants PutKeyPolicy ReEncryptFrom ReEncryptTo RetireGrant RevokeGrant ScheduleKeyDeletion Sign
		TagResource UntagResource UpdateAlias UpdateKeyDescription Verify VerifyMac`,
	"xray": `BatchGetTraces GetGroup GetGroups GetInsight GetSamplingRules GetSamplingStatisticSummaries GetSamplingTargets GetServiceGraph
		GetTimeSeriesServiceStatistics GetTraceGraph GetTraceSummaries PutTelemetryRecords PutTraceSegments`,
	"cognito-idp": `AdminAddUserToGroup AdminConfirmSignUp AdminCreateUser AdminDeleteUser AdminDeleteUserAttributes AdminDisableUser AdminEnableUser
		AdminGetUser AdminInitiateAuth AdminListGroupsForUser AdminRemoveUserFromGroup AdminResetUserPassword AdminRespondToAuthChallenge
		AdminSetUserMFAPreference AdminSetUserPassword AdminUpdateUserAttributes AdminUserGlobalSignOut CreateGroup CreateUserPool
		CreateUserPoolClient DeleteGroup DeleteUserPool DeleteUserPoolClient DescribeUserPool DescribeUserPoolClient GetGroup ListGroups
		ListUserPoolClients ListUserPools ListUsers ListUsersInGroup UpdateGroup UpdateUserPool UpdateUserPoolClient`,
	"cognito-identity": `CreateIdentityPool DeleteIdentities DeleteIdentityPool DescribeIdentity DescribeIdentityPool GetCredentialsForIdentity GetId
		GetIdentityPoolRoles GetOpenIdToken GetOpenIdTokenForDeveloperIdentity ListIdentities ListIdentityPools LookupDeveloperIdentity
		MergeDeveloperIdentities SetIdentityPoolRoles UnlinkDeveloperIdentity UnlinkIdentity UpdateIdentityPool`,
	"events": `DeleteRule DescribeEventBus DescribeRule DisableRule EnableRule ListRules ListTargetsByRule PutEvents PutPermission PutRule PutTargets
		RemovePermission RemoveTargets TagResource TestEventPattern UntagResource`,
	"cloudwatch": `DeleteAlarms DeleteDashboards DescribeAlarms GetDashboard GetMetricData GetMetricStatistics GetMetricWidgetImage ListDashboards
		ListMetrics PutDashboard PutMetricAlarm PutMetricData SetAlarmState TagResource UntagResource`,
	"sns": `ConfirmSubscription CreateTopic DeleteTopic GetTopicAttributes ListSubscriptionsByTopic ListTopics Publish SetTopicAttributes Subscribe
		TagResource Unsubscribe UntagResource`,
	"ses": `SendBulkEmail SendEmail SendRawEmail SendTemplatedEmail`,
	"sts": `AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity
		GetFederationToken GetSessionToken SetSourceIdentity TagSession`,
	"ssm":            `GetParameter GetParameters GetParametersByPath PutParameter DeleteParameter DescribeParameters`,
	"secretsmanager": `DescribeSecret GetSecretValue ListSecretVersionIds PutSecretValue`,
}

var knownActions = lowerActions()

func lowerActions() map[string][]string {
	known := make(map[string][]string, len(actionNames))
	for service, names := range actionNames {
		known[service] = strings.Fields(strings.ToLower(names))
	}
	return known
}

// validateAction refuses an action, or a pattern, that names nothing AWS knows.
func validateAction(action string) error {
	if action == "*" {
		return nil
	}
	service, name, found := strings.Cut(strings.ToLower(action), ":")
	if !found {
		return fmt.Errorf("action %s must have the form service:Name", action)
	}
	names, known := knownActions[service]
	if !known {
		return fmt.Errorf("action %s: the local cloud does not know service %s", action, service)
	}
	for _, candidate := range names {
		if awsapi.Glob(name, candidate) {
			return nil
		}
	}
	return fmt.Errorf("action %s does not exist: AWS has no such IAM action", action)
}
