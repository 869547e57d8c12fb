// Package localcloud runs the Pulumi program of this project on one machine,
// without AWS. Each resource that the program declares becomes real in a local
// counterpart of the AWS service that would hold it, the compiled functions run
// as processes, and everything is served on one address. What AWS refuses is
// refused here, so that a missing route, permission or throttle shows.
//
//	Cloud
//	├── provision    what the program declares, made real
//	├── iam          roles and the decision about each call
//	├── guard        in front of every call: roles, injected faults, counts
//	├── dynamodb, sqs, s3, cognito, bedrock, lambda, restapi, websocket
//	└── front        the one address: page, APIs, service endpoints, /_local
package localcloud
