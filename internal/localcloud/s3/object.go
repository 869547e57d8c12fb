package s3

import (
	"crypto/md5" //nolint:gosec // what S3's ETag is
	"encoding/hex"
	"fmt"
	"time"
)

// Object is what is stored under a key.
type Object struct {
	Body         []byte
	ContentType  string // default binary/octet-stream
	CacheControl string
	ETag         string // without its quotes
	LastModified time.Time
	Declared     bool // by the program, which makes it again
}

// defaultContentType is that of an object that was put without one.
const defaultContentType = "binary/octet-stream"

// PutObject stores an object that the program declares.
func (s *Service) PutObject(bucketName, key string, o Object) (stored Object, err error) {
	o.Declared = true
	err = s.change(bucketName, func(b *bucket) { stored = s.put(b, key, o) })
	if err != nil {
		return stored, fmt.Errorf("putting object %s: %w", key, err)
	}
	return stored, nil
}

// DeleteObject removes an object that the program declared.
func (s *Service) DeleteObject(bucketName, key string) {
	_ = s.change(bucketName, func(b *bucket) { delete(b.objects, key) }) // gone with its bucket
}

// GetObject returns an object, for who has been authorized.
func (s *Service) GetObject(bucketName, key string) (o Object, ok bool) {
	_ = s.change(bucketName, func(b *bucket) { // no bucket, no object
		s.expire(b)
		o, ok = b.objects[key]
	})
	return o, ok
}

// put completes an object and stores it. The mutex is held.
func (s *Service) put(b *bucket, key string, o Object) Object {
	if o.ContentType == "" {
		o.ContentType = defaultContentType
	}
	sum := md5.Sum(o.Body) //nolint:gosec // what S3's ETag is
	o.ETag = hex.EncodeToString(sum[:])
	o.LastModified = s.now().UTC().Truncate(time.Second)
	b.objects[key] = o
	s.changes++
	return o
}
