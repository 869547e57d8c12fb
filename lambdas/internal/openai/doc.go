// Package openai speaks the Chat Completions API of OpenAI: it reads a request
// into the service's own, and writes answers and errors as the clients of that
// API expect them. It is pure: whatever happens in between is the business of
// its callers.
//
// What becomes of each field of a request stands in the tables of this package
// and, generated from them, in docs/openai.md.
package openai
