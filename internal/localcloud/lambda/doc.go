// Package lambda is AWS Lambda on this machine: functions are the real compiled
// bootstraps, started as one process per execution environment against the
// Runtime API (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), with
// Lambda's own limits, time-outs, resource policies and concurrency.
//
// A Service holds three things:
//
//   - functions: CreateFunction, Invoke, InvokeAs, the HTTP API of Invoke, and
//     InvokeStreamAs, by which API Gateway streams a response;
//   - event source mappings from SQS queues (Mappings);
//   - EventBridge rules that invoke functions on a schedule (Rules).
//
// What it leaves out: layers, versions and aliases other than $LATEST, the HTTP
// API of InvokeWithResponseStream, freezing an environment between invocations,
// and the memory limit, which is reported but not enforced.
package lambda
