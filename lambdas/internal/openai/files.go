package openai

import (
	"encoding/json"
	"path"
	"regexp"
	"strings"

	"github.com/streaming-service/streaming-service/protocol"
)

// file is what a file part has.
type file struct {
	name, data, id string
}

var fileFields = []field[file]{
	{name: "filename", note: "its ending tells the type where `file_data` does not; the name of a document for the model", read: readFileName},
	{name: "file_data", note: "a `data:` URL in base64, or base64 alone", read: readFileData},
	{name: "file_id", note: "an upload of `POST /uploads`; with `filename`", read: readFileID},
}

func readPartFile(p *part, param string, value json.RawMessage) *Error {
	if isNull(value) {
		return nil
	}
	p.given = append(p.given, partFile)
	return readObject(fileFields, &p.file, param, value)
}

func readFileName(f *file, param string, value json.RawMessage) *Error {
	return readIfThere(&f.name, param, value)
}

func readFileData(f *file, param string, value json.RawMessage) *Error {
	return readIfThere(&f.data, param, value)
}

func readFileID(f *file, param string, value json.RawMessage) *Error {
	return readIfThere(&f.id, param, value)
}

func readIfThere(into *string, param string, value json.RawMessage) (e *Error) {
	if !isNull(value) {
		*into, e = filledText(param, value)
	}
	return e
}

// block is the image or the document that the file is.
func (f file) block(param string) (placed, *Error) {
	b := placed{param: param, fields: map[string]string{
		"data": ".file_data", "uploadId": ".file_id", "format": ".filename", "name": ".filename",
	}}
	mediaType := ""
	var e *Error
	switch {
	case f.data == "" && f.id == "":
		return b, missing(param + ".file_data")
	case f.data != "" && f.id != "":
		return b, invalid(param+".file_id", codeInvalidValue, "Invalid '%s.file_id': give it or 'file_data', not both.", param)
	case f.id != "":
		b.UploadID = f.id
	case strings.HasPrefix(f.data, "data:"):
		mediaType, b.Data, e = dataURL(param+".file_data", f.data)
	default:
		b.Data, e = decoded(param+".file_data", f.data)
	}
	if e != nil {
		return b, e
	}
	if b.Type, b.Format = attachmentOf(mediaType, strings.TrimPrefix(path.Ext(f.name), ".")); b.Type == "" {
		return b, unknownFile(param, f.name)
	}
	if b.Type == protocol.BlockDocument {
		b.Name = documentName(f.name)
	}
	return b, nil
}

func unknownFile(param, name string) *Error {
	if name == "" {
		return missing(param + ".filename")
	}
	return invalid(param+".filename", codeUnsupportedValue, "Unsupported value: '%s.filename' is '%s', of no type that is taken. Supported endings are: %s.", param, unquoted(name), endings())
}

func endings() string {
	return strings.Join(append(append([]string{}, protocol.DocumentFormats...), protocol.ImageFormats...), ", ")
}

const maxDocumentName = 200

var notInNames = regexp.MustCompile(`[^A-Za-z0-9()\[\]-]+`)

// documentName is the name of a file as Converse takes it: without its ending,
// and of nothing but letters, digits, single spaces, hyphens and brackets.
func documentName(file string) string {
	words := notInNames.ReplaceAllString(strings.TrimSuffix(file, path.Ext(file)), " ")
	if len(words) > maxDocumentName {
		words = words[:maxDocumentName]
	}
	if words = strings.TrimSpace(words); words == "" {
		return "document"
	}
	return words
}
