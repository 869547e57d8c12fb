package provision

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/streaming-service/streaming-service/internal/localcloud/s3"
)

type objectInputs struct {
	Bucket        string   `json:"bucket" change:"replace"`
	Key           string   `json:"key" change:"replace"`
	Content       string   `json:"content"`
	ContentBase64 string   `json:"contentBase64"`
	ContentType   string   `json:"contentType"`
	CacheControl  string   `json:"cacheControl"`
	Tags          noEffect `json:"tags"`
}

func (in objectInputs) object() (s3.Object, error) {
	o := s3.Object{Body: []byte(in.Content), ContentType: in.ContentType, CacheControl: in.CacheControl}
	if in.ContentBase64 == "" {
		return o, nil
	}
	var err error
	if o.Body, err = base64.StdEncoding.DecodeString(in.ContentBase64); err != nil {
		return o, fmt.Errorf("contentBase64: %w", err)
	}
	return o, nil
}

func objectKind(s *s3.Service) kind {
	put := func(in objectInputs) (Outputs, error) {
		o, err := in.object()
		if err != nil {
			return nil, err
		}
		stored, err := s.PutObject(in.Bucket, in.Key, o)
		return Outputs{"etag": stored.ETag, "arn": s3.ObjectARN(in.Bucket, in.Key)}, err
	}
	return newKind(realised[objectInputs]{
		validate: func(in objectInputs) error {
			switch {
			case in.Key == "":
				return errors.New("key must be given")
			case in.Content != "" && in.ContentBase64 != "":
				return errors.New("content and contentBase64 exclude each other")
			}
			return nil
		},
		onCreate: func(_ context.Context, _ Resource, in objectInputs) (string, Outputs, error) {
			outputs, err := put(in)
			return in.Bucket + "/" + in.Key, outputs, err
		},
		onUpdate: func(_ context.Context, _ string, _, in objectInputs) (Outputs, error) { return put(in) },
		onDelete: func(_ context.Context, _ string, in objectInputs) error {
			s.DeleteObject(in.Bucket, in.Key)
			return nil
		},
	})
}
