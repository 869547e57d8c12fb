package s3

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

const (
	algorithm       = "AWS4-HMAC-SHA256"
	unsignedPayload = "UNSIGNED-PAYLOAD"
	timeFormat      = "20060102T150405Z"
	// longestSkew is how far a signature's time may be from S3's.
	longestSkew = 15 * time.Minute
	// longestExpiry is a week, in seconds.
	longestExpiry = 604_800
)

// signature is what a request says of who signed it, and how.
type signature struct {
	accessKeyID   string
	date, region  string // of the credential's scope
	service       string
	signedHeaders []string
	value         string
	time          time.Time
	token         string
	payloadHash   string
	query         bool          // presigned
	expires       time.Duration // presigned: from time
}

// presigned tells whether a request is signed in its query.
func presigned(query url.Values) bool {
	return query.Has("X-Amz-Algorithm") || query.Has("X-Amz-Signature")
}

func readQuery(query url.Values) (signature, *failure) {
	malformed := func(why string) *failure {
		return fail(http.StatusBadRequest, "AuthorizationQueryParametersError", why)
	}
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires"} {
		if query.Get(name) == "" {
			return signature{}, malformed("Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
		}
	}
	seconds, err := strconv.Atoi(query.Get("X-Amz-Expires"))
	signed, timeErr := time.Parse(timeFormat, query.Get("X-Amz-Date"))
	switch {
	case query.Get("X-Amz-Algorithm") != algorithm:
		return signature{}, malformed(`X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"`)
	case err != nil:
		return signature{}, malformed("X-Amz-Expires should be a number")
	case seconds < 0:
		return signature{}, malformed("X-Amz-Expires must be non-negative")
	case seconds > longestExpiry:
		return signature{}, malformed("X-Amz-Expires must be less than a week (in seconds) that is 604800")
	case timeErr != nil:
		return signature{}, malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
	}
	s := signature{
		value: query.Get("X-Amz-Signature"), signedHeaders: strings.Split(query.Get("X-Amz-SignedHeaders"), ";"), time: signed,
		token: query.Get("X-Amz-Security-Token"), payloadHash: unsignedPayload, query: true, expires: time.Duration(seconds) * time.Second,
	}
	if hash := query.Get("X-Amz-Content-Sha256"); hash != "" {
		s.payloadHash = hash
	}
	if !s.readCredential(query.Get("X-Amz-Credential")) {
		return s, malformed("Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
	}
	return s, nil
}

func readHeader(r *http.Request) (signature, *failure) {
	malformed := fail(http.StatusBadRequest, "AuthorizationHeaderMalformed", "The authorization header that you provided is not valid.")
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), algorithm+" ")
	if !ok {
		return signature{}, fail(http.StatusBadRequest, "InvalidRequest", "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
	}
	s := signature{token: r.Header.Get("X-Amz-Security-Token"), payloadHash: r.Header.Get("X-Amz-Content-Sha256")}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	s.value, s.signedHeaders = parts["Signature"], strings.Split(parts["SignedHeaders"], ";")
	var err error
	s.time, err = time.Parse(timeFormat, r.Header.Get("X-Amz-Date"))
	switch {
	case !s.readCredential(parts["Credential"]) || s.value == "":
		return s, malformed
	case err != nil:
		return s, fail(http.StatusForbidden, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
	case s.payloadHash == "":
		return s, fail(http.StatusBadRequest, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	}
	return s, nil
}

func (s *signature) readCredential(credential string) bool {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || parts[4] != "aws4_request" {
		return false
	}
	s.accessKeyID, s.date, s.region, s.service = parts[0], parts[1], parts[2], parts[3]
	return s.accessKeyID != "" && s.service == "s3"
}

// of is the signature that the owner of a secret makes for a request.
func (s signature) of(r *http.Request, secret string) string {
	scope := strings.Join([]string{s.date, s.region, s.service, "aws4_request"}, "/")
	canonical := sha256.Sum256([]byte(s.canonicalRequest(r)))
	text := strings.Join([]string{algorithm, s.time.Format(timeFormat), scope, hex.EncodeToString(canonical[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, "aws4_request", text} {
		key = mac(key, part)
	}
	return hex.EncodeToString(key)
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonicalRequest is what is signed of a request.
func (s signature) canonicalRequest(r *http.Request) string {
	var headers strings.Builder
	for _, name := range s.signedHeaders {
		headers.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	return strings.Join([]string{
		r.Method, encode(r.URL.Path, true), canonicalQuery(r.URL.Query()), headers.String(), strings.Join(s.signedHeaders, ";"), s.payloadHash,
	}, "\n")
}

// headerValue is a header's value as it is signed. Package http takes two out
// of the headers.
func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := slices.Clone(r.Header.Values(name))
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

func canonicalQuery(query url.Values) string {
	var pairs []string
	for name, values := range query {
		if name == "X-Amz-Signature" {
			continue
		}
		for _, value := range values {
			pairs = append(pairs, encode(name, false)+"="+encode(value, false))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// encode is the percent-encoding of signatures: everything but unreserved
// characters and, in a path, slashes.
func encode(text string, path bool) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', strings.IndexByte("-._~", c) >= 0, path && c == '/':
			b.WriteByte(c)
		default:
			b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}

// checkTime refuses a signature that is no longer or not yet good.
func (s signature) checkTime(now time.Time) *failure {
	switch {
	case s.query && now.After(s.time.Add(s.expires)):
		return fail(http.StatusForbidden, "AccessDenied", "Request has expired").
			with("X-Amz-Expires", strconv.Itoa(int(s.expires.Seconds()))).
			with("Expires", s.time.Add(s.expires).Format(time.RFC3339)).with("ServerTime", now.UTC().Format(time.RFC3339))
	case s.query && s.time.After(now.Add(longestSkew)):
		return fail(http.StatusForbidden, "AccessDenied", "Request is not yet valid")
	case !s.query && (s.time.After(now.Add(longestSkew)) || s.time.Before(now.Add(-longestSkew))):
		return fail(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	}
	return nil
}

// checkScope refuses a signature for another day or Region.
func (s signature) checkScope() *failure {
	code := "AuthorizationHeaderMalformed"
	if s.query {
		code = "AuthorizationQueryParametersError"
	}
	switch {
	case s.region != awsapi.Region:
		return fail(http.StatusBadRequest, code, "The authorization is malformed; the region '"+s.region+"' is wrong; expecting '"+awsapi.Region+"'").with("Region", awsapi.Region)
	case s.date != s.time.Format("20060102"):
		return fail(http.StatusBadRequest, code, "The authorization is malformed; Invalid credential date \""+s.date+"\". This date is not the same as X-Amz-Date: \""+s.time.Format("20060102")+"\".")
	}
	return nil
}
