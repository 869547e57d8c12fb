package openai

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/streaming-service/streaming-service/lambdas/internal/life"
	"github.com/streaming-service/streaming-service/protocol"
)

// Types of the parts of a content.
const (
	partText  = "text"
	partImage = "image_url"
	partFile  = "file"
)

// part is one part of a content that is an array.
type part struct {
	kind  string
	text  string
	image image
	file  file
	given []string // members that belong to a kind
}

// image is what an image part has.
type image struct {
	block placed
	given bool
}

var partFields = []field[part]{
	{name: "type", note: "`text`; `image_url` and `file` in a `user`'s message", read: readPartType},
	{name: "text", note: "neighbouring texts of one message are joined by a line break", read: readPartText},
	{name: "prompt_cache_breakpoint", note: "a hint", ignored: true, read: ignoreObject[part]},
	{name: "image_url", read: readPartImage},
	{name: "input_audio"},
	{name: "file", read: readPartFile},
	{name: "refusal"},
}

var imageFields = []field[image]{
	{name: "url", note: "a `data:` URL in base64 of `image/png`, `image/jpeg`, `image/gif` or `image/webp`; the service fetches nothing", read: readImageURL},
	{name: "detail", note: "a hint", ignored: true, read: ignoreText[image]},
}

func readPart(param string, raw json.RawMessage) (placed, *Error) {
	var p part
	if e := readObject(partFields, &p, param, raw); e != nil {
		return placed{}, e
	}
	switch {
	case p.kind == "":
		return placed{}, missing(param + ".type")
	case !slices.Contains(p.given, p.kind):
		return placed{}, missing(param + "." + p.kind)
	case len(p.given) > 1:
		other := p.given[slices.IndexFunc(p.given, func(name string) bool { return name != p.kind })]
		return placed{}, invalid(param+"."+other, codeInvalidValue, "Invalid '%s.%s': the part is of the type '%s'.", param, other, p.kind)
	}
	switch p.kind {
	case partImage:
		return p.image.block, nil
	case partFile:
		return p.file.block(param + ".file")
	}
	return placed{Block: protocol.TextBlock(p.text), param: param}, nil
}

func readPartType(p *part, param string, value json.RawMessage) *Error {
	kind, e := text(param, value)
	if e != nil {
		return e
	}
	if kind != partText && kind != partImage && kind != partFile {
		return invalid(param, codeUnsupportedValue, "Unsupported value: '%s' does not support '%s' here. Supported values are: 'text', 'image_url' and 'file'.", param, unquoted(kind))
	}
	p.kind = kind
	return nil
}

func readPartText(p *part, param string, value json.RawMessage) (e *Error) {
	if isNull(value) {
		return nil
	}
	p.given = append(p.given, partText)
	p.text, e = text(param, value)
	return e
}

func readPartImage(p *part, param string, value json.RawMessage) *Error {
	if isNull(value) {
		return nil
	}
	p.given = append(p.given, partImage)
	if e := readObject(imageFields, &p.image, param, value); e != nil {
		return e
	}
	if !p.image.given {
		return missing(param + ".url")
	}
	return nil
}

func readImageURL(i *image, param string, value json.RawMessage) *Error {
	url, e := text(param, value)
	if e != nil {
		return e
	}
	i.given = true
	mediaType, data, e := dataURL(param, url)
	if e != nil {
		return e
	}
	kind, format := attachmentOf(mediaType, "")
	if kind != protocol.BlockImage {
		return invalid(param, codeUnsupportedValue, "Unsupported value: '%s' is of the media type '%s'. Supported are: 'image/png', 'image/jpeg', 'image/gif' and 'image/webp'.", param, unquoted(mediaType))
	}
	i.block = placed{
		Block: protocol.Block{Type: kind, Format: format, Data: data}, param: strings.TrimSuffix(param, ".url"),
		fields: map[string]string{"data": ".url", "format": ".url"},
	}
	return nil
}

// dataURL reads a data: URL in base64.
func dataURL(param, url string) (mediaType string, data []byte, e *Error) {
	rest, ok := strings.CutPrefix(url, "data:")
	if !ok {
		return "", nil, invalid(param, codeUnsupportedValue, "Unsupported value: '%s' must be a 'data:' URL that has the content itself: this service fetches nothing from other addresses.", param)
	}
	mediaType, encoded, ok := strings.Cut(rest, ";base64,")
	if !ok {
		return "", nil, invalid(param, codeInvalidValue, "Invalid '%s': expected 'data:<media type>;base64,<data>'.", param)
	}
	data, e = decoded(param, encoded)
	return strings.ToLower(strings.TrimSpace(mediaType)), data, e
}

func decoded(param, encoded string) ([]byte, *Error) {
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(data) == 0 {
		return nil, invalid(param, codeInvalidValue, "Invalid '%s': its data must be base64 of at least one byte.", param)
	}
	return data, nil
}

// sameFormats are other names of formats, as endings and in media types.
var sameFormats = map[string]string{"jpg": "jpeg", "image/jpg": "jpeg", "htm": "html", "markdown": "md"}

// attachmentOf tells by the media type, or else by the ending of a file's name,
// what a file is; "" if it is nothing that a model takes.
func attachmentOf(mediaType, ending string) (protocol.BlockType, string) {
	format := cmp.Or(life.FormatOf(mediaType), sameFormats[mediaType])
	if format == "" {
		if format = strings.ToLower(ending); sameFormats[format] != "" {
			format = sameFormats[format]
		}
	}
	switch {
	case slices.Contains(protocol.ImageFormats, format):
		return protocol.BlockImage, format
	case slices.Contains(protocol.DocumentFormats, format):
		return protocol.BlockDocument, format
	}
	return "", ""
}

// blank reports whether a block is a text without a word.
func (b placed) blank() bool {
	return b.Type == protocol.BlockText && strings.TrimSpace(b.Text) == ""
}

// name notes where a block stands that became the field of a submission.
func (b placed) name(names Names, field string) {
	names[field] = b.param
	for member, path := range b.fields {
		names[fmt.Sprintf("%s.%s", field, member)] = b.param + path
	}
}
