// Package bedrock is Amazon Bedrock's ConverseStream on this machine: a
// scripted model that answers every prompt with the same text each time and can
// be told to fail in all the ways Bedrock does, and a passthrough to the real
// service.
//
// A system block that begins with "script:" steers the scripted model:
//
//	script: tokens=400 rate=80 seed=7 error=throttlingException@0 times=2
//
// docs/local.md lists every option.
package bedrock
