package uploads

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// parse reads the body of POST /uploads.
func parse(body []byte) (upload life.Upload, _ *httpapi.Error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return upload, refuse("body", "must be valid JSON in UTF-8")
	}
	members, err := jsonobject.Members(body)
	if err != nil {
		return upload, refuse("body", err.Error())
	}
	given := map[string]json.RawMessage{}
	for _, m := range members {
		if m.Name != "format" && m.Name != "bytes" {
			return upload, refuse(strings.Trim(jsonobject.Quote(m.Name), `"`), "is not a known field")
		}
		given[m.Name] = m.Value
	}
	var problems []protocol.FieldError
	format, problem := format(given["format"])
	if problem != "" {
		problems = append(problems, protocol.FieldError{Field: "format", Message: problem})
	}
	bytes, problem := size(given["bytes"], format)
	if problem != "" {
		problems = append(problems, protocol.FieldError{Field: "bytes", Message: problem})
	}
	if len(problems) > 0 {
		return upload, httpapi.Invalid(problems...)
	}
	return life.Upload{Format: format, Bytes: bytes}, nil
}

func refuse(field, message string) *httpapi.Error {
	return httpapi.Invalid(protocol.FieldError{Field: field, Message: message})
}

func format(value json.RawMessage) (format, problem string) {
	if value == nil {
		return "", "must be given"
	}
	format, ok := jsonobject.Text(value)
	if !ok || life.MediaType(format) == "" {
		formats := strings.Join(slices.Concat(protocol.ImageFormats, protocol.DocumentFormats), ", ")
		return "", fmt.Sprintf("must be one of %s, got %s", formats, jsonobject.Show(value))
	}
	return format, ""
}

// size reads the number of bytes. Without a format it may be that of any.
func size(value json.RawMessage, format string) (bytes int64, problem string) {
	if value == nil {
		return 0, "must be given"
	}
	most, what := protocol.MaxDocumentBytes, "a document"
	if slices.Contains(protocol.ImageFormats, format) {
		most, what = protocol.MaxImageBytes, "an image"
	}
	n, ok := jsonobject.Number(value)
	switch {
	case !ok || n != math.Trunc(n) || n < 1:
		return 0, fmt.Sprintf("must be a whole number from 1 to %d, got %s", most, jsonobject.Show(value))
	case n > float64(most):
		return 0, fmt.Sprintf("must be at most %d for %s, got %s", most, what, jsonobject.Show(value))
	}
	return int64(n), ""
}
