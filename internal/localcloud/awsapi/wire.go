package awsapi

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// Protocol says how one service writes its JSON.
type Protocol struct {
	ContentType string
	Namespace   string // put before the code in __type, such as com.amazonaws.sqs#
	Checksum    bool   // answer with X-Amz-Crc32, as DynamoDB does
	QueryError  bool   // answer errors with x-amzn-query-error, as SQS does
}

// The protocols of the services of the local cloud.
var (
	DynamoDB = Protocol{ContentType: "application/x-amz-json-1.0", Namespace: "com.amazonaws.dynamodb.v20120810#", Checksum: true}
	SQS      = Protocol{ContentType: "application/x-amz-json-1.0", Namespace: "com.amazonaws.sqs#", QueryError: true}
	JSON11   = Protocol{ContentType: "application/x-amz-json-1.1"} // Cognito
	RestJSON = Protocol{ContentType: "application/json"}           // Bedrock, @connections
)

// WriteResult answers 200 with value as JSON.
func (p Protocol) WriteResult(w http.ResponseWriter, value any) {
	p.write(w, http.StatusOK, value)
}

// WriteError answers e in the protocol's form: the code in the body's __type and
// in x-amzn-ErrorType, and further members of the error beside the message.
func (p Protocol) WriteError(w http.ResponseWriter, e *Error) {
	body := map[string]any{"__type": p.Namespace + e.Code, "message": e.Message}
	maps.Copy(body, e.Members)
	w.Header().Set("x-amzn-ErrorType", e.Code)
	if p.QueryError {
		w.Header().Set("x-amzn-query-error", e.queryError())
	}
	p.write(w, e.Status, body)
}

func (p Protocol) write(w http.ResponseWriter, status int, value any) {
	body, err := encode(value)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"__type":"InternalServerError"}`)
	}
	h := w.Header()
	h.Set("Content-Type", p.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if h.Get("x-amzn-RequestId") == "" {
		h.Set("x-amzn-RequestId", NewRequestID())
	}
	if p.Checksum {
		h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func encode(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encoding answer: %w", err)
	}
	return bytes.TrimRight(buffer.Bytes(), "\n"), nil
}

func (e *Error) queryError() string {
	code := e.QueryCode
	if code == "" {
		code = e.Code
	}
	fault := "Sender"
	if e.Status >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	return code + ";" + fault
}

// NewRequestID returns a random id in the form of x-amzn-RequestId.
func NewRequestID() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	text := hex.EncodeToString(raw[:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// ReadBody reads a request's body of at most limit bytes.
func ReadBody(r *http.Request, limit int64) ([]byte, *Error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLarge", Message: fmt.Sprintf("Request must be smaller than %d bytes", limit)}
	case err != nil:
		return nil, &Error{Status: http.StatusBadRequest, Code: "SerializationException", Message: "the body could not be read"}
	}
	return body, nil
}

// Target returns the operation that X-Amz-Target names, without its prefix, and
// whether the prefix is the given one ("DynamoDB_20120810", "AmazonSQS").
func Target(r *http.Request, prefix string) (operation string, ok bool) {
	service, operation, found := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return operation, found && service == prefix
}

// Drop closes the connection without an answer: the caller cannot know whether
// its call was done.
func Drop(w http.ResponseWriter) {
	if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = connection.Close()
		return
	}
	panic(http.ErrAbortHandler) // net/http's own way for what cannot be hijacked, such as HTTP/2
}
