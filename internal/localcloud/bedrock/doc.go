// Package bedrock is Amazon Bedrock's ConverseStream on this machine: a
// scripted model that answers every prompt with the same text each time and can
// be told to fail in all the ways Bedrock does, and a passthrough to the real
// service.
//
// A system block that begins with "script:" steers the scripted model:
//
//	script: tokens=400 rate=80 seed=7 error=throttlingException@0 times=2
//
//	tokens=N     length of the answer; default 120–250 by prompt
//	rate=R       tokens per second; 0: as fast as possible; default 80
//	seed=N       another text for the same prompt; default 0
//	delay=MS     milliseconds before the first token; default 0
//	input=N      reported input tokens; default an estimate
//	stop=REASON  stop reason of the answer's natural end; default end_turn
//	error=NAME@N NAME (such as throttlingException) after N tokens; @0: as HTTP
//	             status before the stream
//	hang@N       stalls after N tokens until the client leaves
//	truncate@N   ends the stream after N tokens as if it were complete
//	drop@N       breaks the connection after N tokens
//	badcrc@N     sends a damaged frame after N tokens
//	times=N      these four only in the first N attempts of a request (by
//	             requestMetadata's requestId, else by prompt); default always
//	text=…       the rest is the answer, or a Go string literal
package bedrock
