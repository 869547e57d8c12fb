package restapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// A streamed response begins with JSON and a delimiter, which must be within the
// first 16 KB (developer guide, response-transfer-mode-lambda).
const maxPreludeBytes = 16 << 10

var preludeDelimiter = make([]byte, 8)

// prelude is what a streamed response says before its payload. No other member is
// allowed, and none is needed.
type prelude struct {
	StatusCode        int               `json:"statusCode"`
	Headers           map[string]any    `json:"headers"`
	MultiValueHeaders map[string]values `json:"multiValueHeaders"`
	Cookies           []string          `json:"cookies"`
}

// errMalformedPrelude is a response that is not in the format of streamed ones.
var errMalformedPrelude = errors.New("malformed prelude of a streamed response")

// readPrelude reads the prelude and returns what comes after it. The error is that
// of r or an errMalformedPrelude.
func readPrelude(r io.Reader) (p prelude, payload io.Reader, err error) {
	var read []byte
	for {
		metadata, rest, found := bytes.Cut(read, preludeDelimiter)
		switch {
		case found && len(metadata)+len(preludeDelimiter) <= maxPreludeBytes:
			p, err := parsePrelude(metadata)
			return p, io.MultiReader(bytes.NewReader(rest), r), err
		case len(read) >= maxPreludeBytes:
			return prelude{}, nil, fmt.Errorf("%w: no 8 NUL bytes within %d bytes", errMalformedPrelude, maxPreludeBytes)
		}
		chunk := make([]byte, maxPreludeBytes-len(read))
		n, err := r.Read(chunk)
		read = append(read, chunk[:n]...)
		switch {
		case n > 0:
		case errors.Is(err, io.EOF):
			return prelude{}, nil, fmt.Errorf("%w: it ends before the 8 NUL bytes", errMalformedPrelude)
		case err != nil:
			return prelude{}, nil, err
		}
	}
}

func parsePrelude(metadata []byte) (prelude, error) {
	p := prelude{StatusCode: http.StatusOK}
	decoder := json.NewDecoder(bytes.NewReader(metadata))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		return prelude{}, fmt.Errorf("%w: %w", errMalformedPrelude, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return prelude{}, fmt.Errorf("%w: there is more than one JSON value", errMalformedPrelude)
	}
	if p.StatusCode < 200 || p.StatusCode > 599 {
		return prelude{}, fmt.Errorf("%w: status code %d", errMalformedPrelude, p.StatusCode)
	}
	return p, nil
}

// header returns the headers for the client. A Content-Length is kept, which a
// buffered response does not have; without one the payload goes out in chunks.
func (p prelude) header() (http.Header, error) {
	h, err := proxyResponse{Headers: p.Headers, MultiValueHeaders: p.MultiValueHeaders}.header()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformedPrelude, err)
	}
	for _, cookie := range p.Cookies {
		h.Add("Set-Cookie", cookie)
	}
	for name, value := range p.Headers {
		length, isText := value.(string)
		if !isText || http.CanonicalHeaderKey(name) != "Content-Length" {
			continue
		}
		if _, err := strconv.ParseUint(length, 10, 63); err != nil {
			return nil, fmt.Errorf("%w: Content-Length %q", errMalformedPrelude, length)
		}
		h.Set("Content-Length", length)
	}
	return h, nil
}
