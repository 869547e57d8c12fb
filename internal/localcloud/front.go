package localcloud

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// front dispatches the requests that reach the one address of the cloud. It
// does not use http.ServeMux, which would clean the paths of the APIs.
type front struct {
	page     http.Handler            // what the program serves on all other paths
	local    map[string]http.Handler // by path: /config.json and /_local/…
	prefixes map[string]http.Handler // by the start of the path
	targets  map[string]http.Handler // by the service in X-Amz-Target
	public   map[string]bool         // the services that pages of any origin call
	jwks     http.Handler            // /{poolId}/.well-known/jwks.json
	bucket   objects                 // of S3
	machine  machine
}

// objects is a handler that knows which requests are for it.
type objects interface {
	http.Handler
	Names(r *http.Request) bool
}

const jwksSuffix = "/.well-known/jwks.json"

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if handler, ok := f.local[path]; ok || strings.HasPrefix(path, "/_local/") {
		if !ok {
			handler = http.NotFoundHandler()
		}
		f.guarded(handler).ServeHTTP(w, r)
		return
	}
	for prefix, handler := range f.prefixes {
		if strings.HasPrefix(path, prefix) {
			handler.ServeHTTP(w, r)
			return
		}
	}
	switch {
	case strings.HasSuffix(path, jwksSuffix):
		f.jwks.ServeHTTP(w, r)
	case f.bucket.Names(r):
		f.serveBucket(w, r)
	case r.Header.Get("X-Amz-Target") != "":
		f.serveTarget(w, r)
	case r.Method == http.MethodOptions && path == "/":
		allowCrossOrigin(w.Header())
		w.WriteHeader(http.StatusNoContent)
	default:
		f.page.ServeHTTP(w, r)
	}
}

// serveTarget serves a call of an AWS API of the JSON protocols. Cognito is a
// public API that pages of any origin call; the others are not for pages.
func (f *front) serveTarget(w http.ResponseWriter, r *http.Request) {
	service, _, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	handler, ok := f.targets[service]
	switch {
	case !ok:
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{
			"__type": "UnknownOperationException", "message": "the local cloud has no service " + service,
		})
	case f.public[service]:
		allowCrossOrigin(w.Header())
		handler.ServeHTTP(w, r)
	case crossOrigin(r):
		refuse(w, "calls from pages of another origin are refused")
	default:
		f.guarded(handler).ServeHTTP(w, r)
	}
}

// serveBucket serves S3. Pages of other origins use presigned URLs, which the
// bucket's own CORS rules let them do; they do not sign in a header.
func (f *front) serveBucket(w http.ResponseWriter, r *http.Request) {
	switch {
	case !f.machine.has(r.Host):
		refuse(w, "the host name in the request is not one of the local cloud")
	case r.Header.Get("Authorization") != "" && crossOrigin(r):
		refuse(w, "calls from pages of another origin are refused")
	default:
		f.bucket.ServeHTTP(w, r)
	}
}

// guarded refuses requests under a name that is not this machine's, which a
// page reaches by rebinding its own name to the loopback address, and requests
// from pages of another origin.
func (f *front) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !f.machine.has(r.Host):
			refuse(w, "the host name in the request is not one of the local cloud")
		case crossOrigin(r):
			refuse(w, "requests from pages of another origin are refused")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// machine is the name that the cloud was started with.
type machine string

// has tells whether a Host header is an address, localhost or the name of the
// machine. Only names can be rebound.
func (m machine) has(hostPort string) bool {
	host := hostName(hostPort)
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == strings.ToLower(string(m))
}

// hostName is a Host header without its port, in lower case.
func hostName(hostPort string) string {
	host := hostPort
	if h, _, err := net.SplitHostPort(hostPort); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// crossOrigin tells whether a page of another origin sent the request.
func crossOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	from, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(from.Host, r.Host)
}

func allowCrossOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Content-Type, X-Amz-Target, X-Amz-User-Agent, Cache-Control")
	h.Set("Access-Control-Max-Age", "600")
}

func refuse(w http.ResponseWriter, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": why})
}
