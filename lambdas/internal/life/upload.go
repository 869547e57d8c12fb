package life

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// UploadTTL is how long requests may refer to an upload, from its announcement
// on. The bucket deletes what was put into it at the midnight after a day, which
// is later.
const UploadTTL = 24 * time.Hour

// MaxUploadsPerDay is how many uploads a user may announce between two midnights
// UTC.
const MaxUploadsPerDay = 200

// ErrTooManyUploads says that the user has announced as many uploads as there may
// be in a day.
var ErrTooManyUploads = errors.New("too many uploads")

// Upload is what a user has put beside requests.
type Upload struct {
	Format string // of an image or a document, as in a block
	Bytes  int64
}

// mediaTypes are the types of the formats; no two have the same.
var mediaTypes = map[string]string{
	"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
	"pdf": "application/pdf", "csv": "text/csv", "html": "text/html", "txt": "text/plain", "md": "text/markdown",
	"doc": "application/msword", "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"xls": "application/vnd.ms-excel", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// MediaType returns the media type of a format, or "" for an unknown one.
func MediaType(format string) string { return mediaTypes[format] }

// FormatOf returns the format that has a media type, or "" for an unknown one.
func FormatOf(mediaType string) string {
	for format, of := range mediaTypes {
		if of == mediaType {
			return format
		}
	}
	return ""
}

// uploadTimeBytes are those of an id that hold the time, in milliseconds.
const uploadTimeBytes = 6

// NewUploadID returns an id that holds the time of the announcement, so that an
// upload expires by itself, and is otherwise random.
func NewUploadID(now time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(now.UnixMilli())<<16) //nolint:gosec // after 1970
	_, _ = rand.Read(b[uploadTimeBytes:])                         // never fails
	return encodeID(b)
}

// UploadLives reports whether an upload may be referred to at now. It may not if
// its id is none, or of the future.
func UploadLives(uploadID string, now time.Time) bool {
	b, err := idEncoding.DecodeString(strings.ToUpper(uploadID))
	if err != nil || len(b) != 16 || uploadID != strings.ToLower(uploadID) {
		return false
	}
	announced := time.UnixMilli(int64(binary.BigEndian.Uint64(b) >> 16)) //nolint:gosec // 48 bits
	return !announced.After(now.Add(Skew)) && now.Before(announced.Add(UploadTTL))
}
