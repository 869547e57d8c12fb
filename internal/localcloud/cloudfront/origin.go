package cloudfront

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
)

// fetch asks the origin of a distribution for what a path names.
func (s *Service) fetch(d Distribution, path string) answer {
	i := slices.IndexFunc(d.Origins, func(o Origin) bool { return o.ID == d.Behavior.TargetOriginID })
	origin := d.Origins[i] // checked by PutDistribution
	if path == "/" {
		path += d.DefaultRootObject
	}
	key := strings.TrimPrefix(origin.Path+path, "/")
	if !s.mayDo("s3:GetObject", d, origin, s3.ObjectARN(origin.bucket, key)) {
		return accessDenied()
	}
	o, ok := s.deps.Buckets.GetObject(origin.bucket, key)
	switch {
	case ok:
		return found(o)
	case s.mayDo("s3:ListBucket", d, origin, s3.BucketARN(origin.bucket)):
		return originError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	default:
		return accessDenied()
	}
}

// mayDo tells whether the policy of the bucket lets the distribution do
// something: signed with origin access control, a request is one of the service
// CloudFront for that distribution ("Restrict access to an Amazon S3 origin" in
// the CloudFront Developer Guide). Other requests are anybody's, which no private
// bucket answers.
func (s *Service) mayDo(action string, d Distribution, origin Origin, resource string) bool {
	s.mu.RLock()
	control := s.controls[origin.AccessControlID]
	s.mu.RUnlock()
	if control.ID == "" || control.SigningBehavior == "never" {
		return false
	}
	return s.deps.Policies.AllowedService(Principal, awsapi.Permission{
		Action: action, Resource: resource, PolicyOf: s3.BucketARN(origin.bucket),
		Context: map[string]string{"aws:SourceArn": ARN("distribution/" + d.ID), "aws:SourceAccount": awsapi.AccountID},
	}) == nil
}

func found(o s3.Object) answer {
	h := http.Header{
		"Server":        {"AmazonS3"},
		"Content-Type":  {o.ContentType},
		"Etag":          {`"` + o.ETag + `"`},
		"Accept-Ranges": {"bytes"},
	}
	h.Set("x-amz-server-side-encryption", "AES256")
	if o.CacheControl != "" {
		h.Set("Cache-Control", o.CacheControl)
	}
	return answer{status: http.StatusOK, header: h, body: o.Body, modified: o.LastModified}
}

func accessDenied() answer { return originError(http.StatusForbidden, "AccessDenied", "Access Denied") }

// originError is an error of S3, which CloudFront hands on.
func originError(status int, code, message string) answer {
	const body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message><RequestId>%s</RequestId></Error>"
	id := awsapi.NewRequestID()
	h := http.Header{"Server": {"AmazonS3"}, "Content-Type": {"application/xml"}}
	h.Set("x-amz-request-id", id)
	return answer{status: status, header: h, body: fmt.Appendf(nil, body, code, message, id)}
}
