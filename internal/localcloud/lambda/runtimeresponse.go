package lambda

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// maxResponse is the largest buffered response (docs,
// gettingstarted-limits: 6 MB and what Lambda's own error message names).
const maxResponse = 6<<20 + 100

// serveResponse takes what the process answers to an event: a stream if it says
// so as Lambda asks custom runtimes to (docs, runtimes-custom), and if the caller
// asked for one; else the whole response is read first.
func (e *environment) serveResponse(w http.ResponseWriter, r *http.Request) {
	inv := e.working(r.PathValue("id"))
	mode := r.Header.Get("Lambda-Runtime-Function-Response-Mode")
	switch {
	case inv == nil:
		refuseID(w)
	case mode != "" && mode != "streaming":
		message := fmt.Sprintf("Lambda-Runtime-Function-Response-Mode must be streaming or absent, got %q", mode)
		e.complete(inv, errorOutcome("Runtime.InvalidResponseModeHeader", message))
		answer(w, http.StatusBadRequest, "InvalidFunctionResponseMode", message)
	case mode != "" && slices.Contains(r.TransferEncoding, "chunked") && inv.stream != nil:
		e.receiveStream(w, r, inv)
	default:
		e.receiveWhole(w, r, inv)
	}
}

func (e *environment) receiveStream(w http.ResponseWriter, r *http.Request, inv *invocation) {
	if !inv.stream.begin(r.Header.Get("Content-Type")) {
		refuseID(w)
		return
	}
	limits := e.function.service.streamLimits
	err := inv.stream.receive(http.MaxBytesReader(w, r.Body, limits.size), limits)
	e.received(w, r, inv, outcome{}, limits.size, err)
}

func (e *environment) receiveWhole(w http.ResponseWriter, r *http.Request, inv *invocation) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxResponse))
	e.received(w, r, inv, outcome{payload: body, contentType: r.Header.Get("Content-Type")}, maxResponse, err)
}

// received ends the invocation with a response, with the error that its trailers
// tell of, or because it is too large.
func (e *environment) received(w http.ResponseWriter, r *http.Request, inv *invocation, out outcome, limit int64, err error) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", limit)
		e.complete(inv, errorOutcome("Function.ResponseSizeTooLarge", message))
		answer(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", message)
		return
	case err != nil:
		return // the process ended while it wrote
	}
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		out = trailedError(kind, r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
	}
	e.accept(w, inv, out)
}

// trailedError is the outcome of a response whose trailers tell that it broke off.
func trailedError(kind, encoded string) outcome {
	body, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(body) == 0 {
		return errorOutcome(kind, "the response broke off")
	}
	return outcome{payload: body, errorType: kind}
}

func (e *environment) serveError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxResponse))
	if err != nil {
		return
	}
	kind := errorTypeOf(body)
	if header := r.Header.Get("Lambda-Runtime-Function-Error-Type"); header != "" {
		kind = header
	}
	e.accept(w, e.working(r.PathValue("id")), outcome{payload: body, errorType: kind})
}

func (e *environment) accept(w http.ResponseWriter, inv *invocation, out outcome) {
	if !e.complete(inv, out) {
		refuseID(w)
		return
	}
	accepted(w)
}

// working returns the environment's invocation if it has that id and no outcome.
func (e *environment) working(id string) *invocation {
	if inv := e.current.Load(); inv != nil && inv.id == id {
		return inv
	}
	return nil
}

// complete hands an outcome to an invocation that has none yet.
func (e *environment) complete(inv *invocation, out outcome) bool {
	if inv == nil {
		return false
	}
	select {
	case inv.outcome <- out:
		e.current.CompareAndSwap(inv, nil)
		return true
	default:
		return false
	}
}

func refuseID(w http.ResponseWriter) {
	answer(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
}
