package s3

import (
	"bytes"
	"cmp"
	"crypto/md5"  //nolint:gosec // what Content-MD5 is
	"crypto/sha1" //nolint:gosec // a checksum that S3 offers
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
)

// maxObject is the largest object that this machine keeps; S3 takes 5 GB in one
// piece.
const maxObject = 64 << 20

// checksums are what a body may be checked with, by the suffix of the header.
var checksums = map[string]func() hash.Hash{
	"crc32":  func() hash.Hash { return crc32.NewIEEE() },
	"crc32c": func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	"sha1":   sha1.New,
	"sha256": sha256.New,
}

func putObject(s *Service, w http.ResponseWriter, c *call) *failure {
	if refusal := unknownPut(c.request.Header); refusal != nil {
		return refusal
	}
	body, refusal := readBody(c)
	if refusal != nil {
		return refusal
	}
	o := Object{Body: body, ContentType: c.request.Header.Get("Content-Type"), CacheControl: c.request.Header.Get("Cache-Control")}
	onlyNew := c.request.Header.Get("If-None-Match") == "*"
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.buckets[c.bucket]
	if !ok {
		return noSuchBucket(c.bucket)
	}
	s.expire(b)
	if _, exists := b.objects[c.key]; exists && onlyNew {
		return fail(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold").with("Condition", "If-None-Match")
	}
	o = s.put(b, c.key, o)
	describe(w.Header(), b, c.key, o)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return nil
}

// unknownPut refuses what would change an object in a way that is not known.
func unknownPut(h http.Header) *failure {
	for name := range h {
		switch lower := strings.ToLower(name); {
		case strings.HasPrefix(lower, "x-amz-") && !knownHeader(lower), lower == "content-encoding", lower == "if-match":
			return notImplemented("The header " + name)
		}
	}
	if match := h.Get("If-None-Match"); match != "" && match != "*" {
		return notImplemented("The header If-None-Match with an ETag")
	}
	return nil
}

// knownHeader tells whether a header of S3's own is understood, by its name in
// lower case.
func knownHeader(name string) bool {
	algorithm, checksum := strings.CutPrefix(name, checksumPrefix)
	_, known := checksums[algorithm]
	return checksum && known || slices.Contains(plainHeaders, name)
}

const checksumPrefix = "x-amz-checksum-"

// plainHeaders sign a request, or say what another header says better.
var plainHeaders = []string{"x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-sdk-checksum-algorithm", "x-amz-user-agent"}

// readBody reads a body and holds it to its length and its checksums.
func readBody(c *call) ([]byte, *failure) {
	r := c.request
	switch {
	case r.ContentLength < 0:
		return nil, fail(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	case r.ContentLength > maxObject:
		return nil, fail(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size").
			with("ProposedSize", strconv.FormatInt(r.ContentLength, 10)).with("MaxSizeAllowed", strconv.Itoa(maxObject))
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, r.ContentLength))
	if err != nil && !errors.Is(err, io.EOF) || int64(len(body)) != r.ContentLength {
		return nil, fail(http.StatusBadRequest, "IncompleteBody", "The request body terminated unexpectedly")
	}
	return body, checkBody(r, c.signature.payloadHash, body)
}

func checkBody(r *http.Request, payloadHash string, body []byte) *failure {
	if md5Sum, want := md5.Sum(body), r.Header.Get("Content-Md5"); want != "" && want != base64.StdEncoding.EncodeToString(md5Sum[:]) { //nolint:gosec // what Content-MD5 is
		return fail(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	sum := sha256.Sum256(body)
	switch {
	case payloadHash == "" || payloadHash == unsignedPayload:
	case strings.HasPrefix(payloadHash, "STREAMING-"):
		return notImplemented("A body signed in chunks")
	case payloadHash != hex.EncodeToString(sum[:]):
		return fail(http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	for name, algorithm := range checksums {
		want := cmp.Or(r.Header.Get(checksumPrefix+name), r.URL.Query().Get(checksumPrefix+name))
		if want == "" {
			continue
		}
		sum := algorithm()
		sum.Write(body)
		if base64.StdEncoding.EncodeToString(sum.Sum(nil)) != want {
			return fail(http.StatusBadRequest, "BadDigest", "The "+strings.ToUpper(name)+" you specified did not match the calculated checksum.")
		}
	}
	return nil
}

// getObject answers GET and HEAD. Whether a missing object is missing, only
// those learn who may list the bucket.
func getObject(s *Service, w http.ResponseWriter, c *call) *failure {
	s.mu.Lock()
	b, ok := s.buckets[c.bucket]
	if !ok {
		s.mu.Unlock()
		return noSuchBucket(c.bucket)
	}
	s.expire(b)
	o, ok := b.objects[c.key]
	if ok {
		describe(w.Header(), b, c.key, o)
	}
	s.mu.Unlock()
	if !ok {
		return s.missing(c)
	}
	h := w.Header()
	h.Set("Content-Type", o.ContentType)
	h.Set("Accept-Ranges", "bytes")
	if o.CacheControl != "" {
		h.Set("Cache-Control", o.CacheControl)
	}
	http.ServeContent(w, c.request, "", o.LastModified, bytes.NewReader(o.Body))
	return nil
}

func (s *Service) missing(c *call) *failure {
	_, refusal := s.guard.Admit(c.request.Context(), awsapi.Call{
		Service: "s3", Operation: "ListBucket", AccessKeyID: c.signature.accessKeyID,
		Permissions: []awsapi.Permission{{Action: "s3:ListBucket", Resource: BucketARN(c.bucket)}},
	})
	if refusal != nil {
		return inS3Form(refusal)
	}
	return noSuchKey(c.key)
}

func deleteObject(s *Service, w http.ResponseWriter, c *call) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.buckets[c.bucket]
	if !ok {
		return noSuchBucket(c.bucket)
	}
	delete(b.objects, c.key)
	s.changes++
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// describe adds what each answer says of an object.
func describe(h http.Header, b *bucket, key string, o Object) {
	h.Set("ETag", `"`+o.ETag+`"`)
	h.Set("Last-Modified", o.LastModified.Format(http.TimeFormat))
	h.Set("x-amz-server-side-encryption", "AES256")
	h.Set("x-amz-request-id", awsapi.NewRequestID())
	if at, rule, ok := b.expiry(key, o); ok {
		h.Set("x-amz-expiration", fmt.Sprintf("expiry-date=%q, rule-id=%q", at.Format(time.RFC1123), rule))
	}
}
