package protocol

// CreateUploadRequest is the body of POST /uploads.
type CreateUploadRequest struct {
	Format string `json:"format"` // one of ImageFormats or DocumentFormats
	Bytes  int64  `json:"bytes"`  // at most MaxImageBytes or MaxDocumentBytes
}

// CreateUploadResponse is the body of the 201 that answers POST /uploads. The
// bytes are put to URL, with exactly Headers, until URLExpiresAt; requests may
// refer to UploadID until ExpiresAt.
type CreateUploadResponse struct {
	UploadID     string            `json:"uploadId"`
	URL          string            `json:"url"`
	Headers      map[string]string `json:"headers"`
	URLExpiresAt string            `json:"urlExpiresAt"`
	ExpiresAt    string            `json:"expiresAt"`
}
