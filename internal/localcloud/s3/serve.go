package s3

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

var _ http.Handler = (*Service)(nil)

// call is one request about an object.
type call struct {
	request     *http.Request
	bucket, key string
	signature   signature // zero: nobody signed
}

// operation is what a method does with an object.
type operation struct {
	name       string
	permission string // IAM action without its prefix
	run        func(*Service, http.ResponseWriter, *call) *failure
}

var operations = map[string]operation{
	http.MethodPut:    {"PutObject", "PutObject", putObject},
	http.MethodGet:    {"GetObject", "GetObject", getObject},
	http.MethodHead:   {"HeadObject", "GetObject", getObject},
	http.MethodDelete: {"DeleteObject", "DeleteObject", deleteObject},
}

// Names tells whether a request is for S3: it is signed for it, or names a
// bucket that exists.
func (s *Service) Names(r *http.Request) bool {
	if strings.Contains(r.Header.Get("Authorization"), "/s3/aws4_request") || strings.Contains(r.URL.Query().Get("X-Amz-Credential"), "/s3/aws4_request") {
		return true
	}
	bucketName, _ := s.target(r)
	return s.Exists(bucketName)
}

// target is the bucket and the key that a request names, by virtual host or by
// path.
func (s *Service) target(r *http.Request) (bucketName, key string) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	if label, _, ok := strings.Cut(host, "."); ok && s.Exists(label) {
		return label, path
	}
	bucketName, key, _ = strings.Cut(path, "/")
	return bucketName, key
}

// ServeHTTP speaks S3's REST API.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{request: r}
	c.bucket, c.key = s.target(r)
	w.Header().Set("Server", "AmazonS3")
	if r.Method == http.MethodOptions {
		if refusal := s.preflight(w, r, c.bucket); refusal != nil {
			refusal.write(w, r)
		}
		return
	}
	s.addCORS(w, r, c.bucket)
	if refusal := s.serve(w, c); refusal != nil {
		refusal.write(w, r)
	}
}

func (s *Service) serve(w http.ResponseWriter, c *call) *failure {
	if refusal := s.identify(c); refusal != nil {
		return refusal
	}
	op, known := operations[c.request.Method]
	switch {
	case !known:
		return fail(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	case !s.Exists(c.bucket):
		return noSuchBucket(c.bucket)
	case c.key == "":
		return notImplemented("An operation on a bucket")
	}
	if name := subresource(c.request.URL.Query()); name != "" {
		return notImplemented("The parameter " + name)
	}
	lose, refusal := s.guard.Admit(c.request.Context(), awsapi.Call{
		Service: "s3", Operation: op.name, AccessKeyID: c.signature.accessKeyID, Permissions: []awsapi.Permission{c.permission(op.permission)},
	})
	if refusal != nil {
		return inS3Form(refusal)
	}
	if lose {
		if refusal := op.run(s, discard{http.Header{}}, c); refusal != nil {
			return refusal
		}
		awsapi.Drop(w)
		return nil
	}
	return op.run(s, w, c)
}

// permission is an action on the object, about which the policy of the bucket
// decides too.
func (c *call) permission(action string) awsapi.Permission {
	return awsapi.Permission{Action: "s3:" + action, Resource: ObjectARN(c.bucket, c.key), PolicyOf: BucketARN(c.bucket)}
}

// signatureParameters are those of the query that sign it.
var signatureParameters = []string{
	"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders", "x-amz-signature", "x-amz-security-token", "x-amz-content-sha256",
}

// subresource returns a parameter that asks for something else than the object.
// Headers of S3's own may stand in the query, too.
func subresource(query url.Values) string {
	for name := range query {
		if lower := strings.ToLower(name); lower != "x-id" && !slices.Contains(signatureParameters, lower) && !knownHeader(lower) {
			return name
		}
	}
	return ""
}

// identify finds out who signed the request. What a role signed is verified.
// The operator's keys are not known here, so he may sign in the header, which
// no page of another origin can, but has no presigned URLs.
func (s *Service) identify(c *call) (refusal *failure) {
	query := c.request.URL.Query()
	switch {
	case presigned(query):
		c.signature, refusal = readQuery(query)
	case c.request.Header.Get("Authorization") != "":
		c.signature, refusal = readHeader(c.request)
	default:
		return nil
	}
	if refusal != nil {
		return refusal
	}
	secret, token, issued := s.keys.Key(c.signature.accessKeyID)
	switch {
	case !issued && c.signature.query:
		return invalidAccessKeyID(c.signature.accessKeyID)
	case !issued:
		return nil // the guard knows the operator from a deleted role
	}
	for _, check := range []func() *failure{
		c.signature.checkScope,
		func() *failure { return c.signature.checkTime(s.now()) },
		func() *failure { return c.verify(secret, token) },
		c.unsignedHeaders,
	} {
		if refusal := check(); refusal != nil {
			return refusal
		}
	}
	return nil
}

func (c *call) verify(secret, token string) *failure {
	switch {
	case subtle.ConstantTimeCompare([]byte(c.signature.of(c.request, secret)), []byte(c.signature.value)) == 0:
		return fail(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.").
			with("AWSAccessKeyId", c.signature.accessKeyID).with("CanonicalRequest", c.signature.canonicalRequest(c.request))
	case subtle.ConstantTimeCompare([]byte(token), []byte(c.signature.token)) == 0:
		return fail(http.StatusBadRequest, "InvalidToken", "The provided token is malformed or otherwise invalid.")
	}
	return nil
}

// unsignedHeaders refuses headers of S3's own that the signature does not hold:
// they would change what was allowed.
func (c *call) unsignedHeaders() *failure {
	signed := map[string]bool{}
	for _, name := range c.signature.signedHeaders {
		signed[name] = true
	}
	for name := range c.request.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !signed[name] {
			return fail(http.StatusForbidden, "AccessDenied", "There were headers present in the request which were not signed").with("HeadersNotSigned", name)
		}
	}
	if !signed["host"] {
		return fail(http.StatusForbidden, "AccessDenied", "There were headers present in the request which were not signed").with("HeadersNotSigned", "host")
	}
	return nil
}

func invalidAccessKeyID(id string) *failure {
	return fail(http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.").with("AWSAccessKeyId", id)
}

// discard takes an answer that is lost.
type discard struct{ header http.Header }

func (d discard) Header() http.Header          { return d.header }
func (discard) Write(body []byte) (int, error) { return len(body), nil }
func (discard) WriteHeader(int)                {}

var _ http.ResponseWriter = discard{}
