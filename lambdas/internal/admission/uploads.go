package admission

import (
	"context"
	"errors"
	"fmt"

	"github.com/streaming-service/streaming-service/internal/modelfamily"
	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// Uploads are what users have brought beside their requests.
type Uploads interface {
	// Find describes an upload of a user; life.ErrNotFound if the user has none of
	// this id.
	Find(ctx context.Context, userID, uploadID string) (life.Upload, error)
}

// media finds the uploads that a submission refers to, and completes it with
// their bytes and the tokens that its images and documents may count.
func (s *Service) media(ctx context.Context, userID string, submission *Submission) (err error) {
	family := modelfamily.Of(submission.Model.ModelID)
	var missing, wrong problems
	var together, uploaded, tokens int64
	eachBlock(submission.Input.Messages, func(field string, b protocol.Block) {
		if err != nil || b.Type != protocol.BlockImage && b.Type != protocol.BlockDocument {
			return
		}
		bytes := int64(len(b.Data))
		if b.UploadID != "" {
			var upload life.Upload
			upload, err = s.find(ctx, userID, b.UploadID)
			switch {
			case errors.Is(err, life.ErrNotFound):
				missing.add(field+".uploadId", "is no upload of this user: %s", jsonobject.Quote(b.UploadID))
				err = nil
			case err == nil && upload.Format != b.Format:
				wrong.add(field+".format", "must be that of the upload, %s, got %s", upload.Format, b.Format)
			}
			wrong.size(field+".uploadId", b.Type, upload.Bytes)
			bytes = upload.Bytes
			uploaded += bytes
		}
		tokens += mediaTokens(b, bytes, family)
		together += bytes
	})
	if together > protocol.MaxMediaBytes {
		wrong.add("messages", "must have at most %d bytes (18 MB) of images and documents together, got %d", protocol.MaxMediaBytes, together)
	}
	switch {
	case err != nil:
		return fmt.Errorf("finding an upload: %w", err)
	case len(missing.fields) > 0:
		e := httpapi.NewError(protocol.CodeUploadNotFound, "An upload was not found.")
		e.Problem.Errors = missing.fields
		return e
	case len(wrong.fields) > 0:
		return httpapi.Invalid(wrong.fields...)
	}
	submission.MediaTokens, submission.Input.UploadBytes = tokens, uploaded
	return nil
}

func (s *Service) find(ctx context.Context, userID, uploadID string) (life.Upload, error) {
	if s.Uploads == nil {
		return life.Upload{}, life.ErrNotFound
	}
	return s.Uploads.Find(ctx, userID, uploadID)
}

// What documents may count. Text has a token for three bytes at the most. Pages
// are 1,500 to 3,000 tokens (Anthropic, pdf-support), and how many there are is
// not known before a model reads them: 25 KB are taken for one.
const (
	bytesPerTextToken = 3
	tokensPerPage     = 3_000
	bytesPerPage      = 25_000
	mostPages         = 100 // (Anthropic, pdf-support)
)

var textFormats = map[string]bool{"txt": true, "md": true, "csv": true, "html": true}

// mediaTokens are the tokens to reserve for an image or a document.
func mediaTokens(b protocol.Block, bytes int64, family modelfamily.Family) int64 {
	switch {
	case b.Type == protocol.BlockImage:
		return family.TokensOfImage()
	case textFormats[b.Format]:
		return bytes/bytesPerTextToken + 1
	}
	return min(bytes/bytesPerPage+1, mostPages) * tokensPerPage
}
