package client

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/streaming-service/streaming-service/protocol"
)

const (
	// inlineBytes is what a block carries itself: a body has 256 KB for the whole
	// conversation.
	inlineBytes = 16 << 10
	// uploadTimeout is for one try.
	uploadTimeout = 5 * time.Minute
)

// Upload is what a block refers to by its UploadID.
type Upload struct {
	ID        string
	ExpiresAt time.Time
}

// Attach makes a file the block of a message: an image or a document, as the
// ending of its name says. What is larger than 16 KB is uploaded, and stays there
// for a day. A file that no model takes is a *FileError, before anything is sent.
func (c *Client) Attach(ctx context.Context, name string, data []byte) (protocol.Block, error) {
	b, err := attachmentOf(name, len(data))
	if err != nil {
		return b, err
	}
	if len(data) <= inlineBytes {
		b.Data = data
		return b, nil
	}
	upload, err := c.Upload(ctx, b.Format, data)
	b.UploadID = upload.ID
	return b, err
}

// Upload brings the bytes of an image or a document beside the requests that use
// them. format is one of protocol.ImageFormats or DocumentFormats.
func (c *Client) Upload(ctx context.Context, format string, data []byte) (Upload, error) {
	var granted protocol.CreateUploadResponse
	wanted := protocol.Encode(protocol.CreateUploadRequest{Format: format, Bytes: int64(len(data))})
	if err := c.call(ctx, call{method: http.MethodPost, path: "/uploads", body: wanted}, &granted); err != nil {
		return Upload{}, err
	}
	for try := 0; ; try++ {
		err := c.put(ctx, granted, data)
		if err == nil {
			expires, err := time.Parse(time.RFC3339, granted.ExpiresAt)
			return Upload{ID: granted.UploadID, ExpiresAt: expires}, err
		}
		delay, again := c.retryDelay(err, try)
		if !again || ctx.Err() != nil {
			return Upload{}, err
		}
		if err := sleep(ctx, delay); err != nil {
			return Upload{}, err
		}
	}
}

// put stores the bytes once, where the presigned URL says.
func (c *Client) put(ctx context.Context, granted protocol.CreateUploadResponse, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, granted.URL, bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("building upload: %w", err)
	}
	for name, value := range granted.Headers {
		request.Header.Set(name, value)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return &networkError{fmt.Errorf("uploading: %w", err)}
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= 300 {
		return apiError(response, nil)
	}
	return nil
}

// sameEndings are endings that name a format otherwise.
var sameEndings = map[string]string{"jpg": "jpeg", "htm": "html", "markdown": "md"}

func attachmentOf(name string, size int) (b protocol.Block, err error) {
	b.Format = strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	if format, ok := sameEndings[b.Format]; ok {
		b.Format = format
	}
	most := protocol.MaxImageBytes
	switch {
	case slices.Contains(protocol.ImageFormats, b.Format):
		b.Type = protocol.BlockImage
	case slices.Contains(protocol.DocumentFormats, b.Format):
		b.Type, b.Name, most = protocol.BlockDocument, documentName(name), protocol.MaxDocumentBytes
	default:
		return b, &FileError{Name: name, Problem: FileOfNoFormat, Size: size}
	}
	switch {
	case size == 0:
		return b, &FileError{Name: name, Problem: FileEmpty}
	case size > most:
		return b, &FileError{Name: name, Problem: FileTooLarge, Size: size, Limit: most}
	}
	return b, nil
}
