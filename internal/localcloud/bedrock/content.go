package bedrock

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/modelfamily"
)

// block is a content block: a union, of which one member is there.
type block struct {
	Text       *string         `json:"text"`
	Image      *media          `json:"image"`
	Document   *media          `json:"document"`
	ToolUse    *toolUse        `json:"toolUse"`
	ToolResult *toolResult     `json:"toolResult"`
	Reasoning  *reasoning      `json:"reasoningContent"`
	JSON       json.RawMessage `json:"json"` // in a tool's result only
	CachePoint *cachePoint     `json:"cachePoint"`
	Guard      *struct {
		Text *struct {
			Text string `json:"text"`
		} `json:"text"`
	} `json:"guardContent"`
}

// media is an image or a document.
type media struct {
	Format string `json:"format"`
	Name   string `json:"name"`
	Source struct {
		Bytes []byte `json:"bytes"`
	} `json:"source"`
}

type toolUse struct {
	ID    string          `json:"toolUseId"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

type toolResult struct {
	ID      string  `json:"toolUseId"`
	Status  string  `json:"status"`
	Content []block `json:"content"`
}

type reasoning struct {
	Text *struct {
		Text      string `json:"text"`
		Signature string `json:"signature"`
	} `json:"reasoningText"`
	Redacted []byte `json:"redactedContent"`
}

type cachePoint struct {
	Type string `json:"type"`
	TTL  string `json:"ttl"`
}

// Limits of Converse (Message in its API reference; Smithy model of
// bedrock-runtime in botocore 1.43.11).
const (
	maxImages        = 20
	maxDocuments     = 5
	maxImageBytes    = 3_932_160
	maxDocumentBytes = 4_718_592
)

var (
	imageFormats    = []string{"png", "jpeg", "gif", "webp"}
	documentFormats = []string{"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"}
	documentName    = regexp.MustCompile(`^[A-Za-z0-9()\[\]-]+(\s[A-Za-z0-9()\[\]-]+)*$`)
	toolUseID       = regexp.MustCompile(`^[a-zA-Z0-9_.:-]{1,64}$`)
	toolName        = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
)

// checkContent refuses what Bedrock, or a model of the family, refuses of the
// content of a message.
func checkContent(i int, m message, family modelfamily.Family) *awsapi.Error {
	if len(m.Content) == 0 {
		return validation(fmt.Sprintf("The content field in the Message object at messages.%d is empty. Add a ContentBlock object to the content field and try again.", i))
	}
	images, documents, texts := 0, 0, 0
	for j, b := range m.Content {
		place := fmt.Sprintf("messages.%d.content.%d", i, j)
		if refused := b.check(place, m.Role, family); refused != nil {
			return refused
		}
		if b.Image != nil {
			images++
		}
		if b.Document != nil {
			documents++
		}
		if b.Text != nil {
			texts++
		}
	}
	switch {
	case images > maxImages:
		return validation(fmt.Sprintf("The number of images at messages.%d is %d, more than the %d that are allowed.", i, images, maxImages))
	case documents > maxDocuments:
		return validation(fmt.Sprintf("The number of documents at messages.%d is %d, more than the %d that are allowed.", i, documents, maxDocuments))
	case documents > 0 && texts == 0:
		return validation(fmt.Sprintf("The content field in the Message object at messages.%d has a document and no text. Add a text and try again.", i))
	}
	return nil
}

func (b block) check(place, role string, family modelfamily.Family) *awsapi.Error {
	users := role == "user"
	text, isText := b.text()
	switch {
	case isText:
		return checkText(place, text)
	case b.Image != nil && users:
		return checkImage(place, *b.Image, family)
	case b.Document != nil && users:
		return checkDocument(place, *b.Document, family)
	case b.ToolResult != nil && users:
		return checkToolResult(place, *b.ToolResult, family)
	case b.ToolUse != nil && !users:
		return checkToolUse(place, *b.ToolUse, family)
	case b.Reasoning != nil && !users:
		return checkReasoning(place, *b.Reasoning, family)
	case b.CachePoint != nil:
		return checkCachePoint(*b.CachePoint, family, modelfamily.CacheMessages)
	}
	return validation(fmt.Sprintf("The ContentBlock object at %s is none that a message of the %s may hold.", place, role))
}

func checkText(place, text string) *awsapi.Error {
	if strings.TrimSpace(text) == "" {
		return validation(fmt.Sprintf("The text field in the ContentBlock object at %s is blank. Add text to the text field, and try again.", place))
	}
	return nil
}

func checkImage(place string, m media, family modelfamily.Family) *awsapi.Error {
	switch n := len(m.Source.Bytes); {
	case family.Why(modelfamily.Images) != "":
		return validation("This model doesn't support the image content block that you provided. Update the content and try again.")
	case !slices.Contains(imageFormats, m.Format):
		return constraint(m.Format, place+".image.format", "Member must satisfy enum value set: [png, jpeg, gif, webp]")
	case n == 0 || n > maxImageBytes:
		return validation(fmt.Sprintf("The image at %s has %d bytes; it must have 1 to %d.", place, n, maxImageBytes))
	}
	return nil
}

func checkDocument(place string, m media, family modelfamily.Family) *awsapi.Error {
	switch n := len(m.Source.Bytes); {
	case family.Why(modelfamily.Documents) != "":
		return validation("This model doesn't support documents. Remove the document and try again.")
	case !slices.Contains(documentFormats, m.Format):
		return constraint(m.Format, place+".document.format", "Member must satisfy enum value set: [pdf, csv, doc, docx, xls, xlsx, html, txt, md]")
	case utf8.RuneCountInString(m.Name) > 200 || !documentName.MatchString(m.Name):
		return validation("The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. The name can't contain more than one consecutive whitespace character.")
	case n == 0 || n > maxDocumentBytes:
		return validation(fmt.Sprintf("The document at %s has %d bytes; it must have 1 to %d.", place, n, maxDocumentBytes))
	}
	return nil
}

func checkToolUse(place string, u toolUse, family modelfamily.Family) *awsapi.Error {
	switch {
	case family.Why(modelfamily.Tools) != "":
		return noTools()
	case !toolUseID.MatchString(u.ID):
		return constraint(u.ID, place+".toolUse.toolUseId", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.:-]+")
	case !toolName.MatchString(u.Name):
		return constraint(u.Name, place+".toolUse.name", "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+")
	case !isObject(u.Input):
		return validation(fmt.Sprintf("The value at %s.toolUse.input must be an object.", place))
	}
	return nil
}

func checkToolResult(place string, r toolResult, family modelfamily.Family) *awsapi.Error {
	switch {
	case family.Why(modelfamily.Tools) != "":
		return noTools()
	case !toolUseID.MatchString(r.ID):
		return constraint(r.ID, place+".toolResult.toolUseId", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.:-]+")
	case r.Status != "" && r.Status != "success" && r.Status != "error":
		return constraint(r.Status, place+".toolResult.status", "Member must satisfy enum value set: [success, error]")
	}
	for k, part := range r.Content {
		place := fmt.Sprintf("%s.toolResult.content.%d", place, k)
		var refused *awsapi.Error
		switch {
		case part.Text != nil:
			refused = checkText(place, *part.Text)
		case part.Image != nil:
			refused = checkImage(place, *part.Image, family)
		case !isObject(part.JSON):
			refused = validation(fmt.Sprintf("The value at %s.json must be an object.", place))
		}
		if refused != nil {
			return refused
		}
	}
	return nil
}

func checkReasoning(place string, r reasoning, family modelfamily.Family) *awsapi.Error {
	switch {
	case family.Name != "" && !family.TakesReasoningBack():
		return validation("This model doesn't support the reasoningContent field in assistant messages. Remove reasoningContent and try again.")
	case (r.Text == nil) == (r.Redacted == nil):
		return validation(fmt.Sprintf("The reasoningContent at %s must hold reasoningText or else redactedContent.", place))
	}
	return nil
}

// checkCachePoint refuses as Bedrock does where a model, or this place of its
// requests, has no cache.
func checkCachePoint(c cachePoint, family modelfamily.Family, place modelfamily.CachePoint) *awsapi.Error {
	switch {
	case c.Type != "default" || c.TTL != "" && c.TTL != "5m" && c.TTL != "1h":
		return constraint(c.Type, "cachePoint.type", "Member must satisfy enum value set: [default]")
	case family.Cache&place == 0:
		return &awsapi.Error{Status: 403, Code: "AccessDeniedException", Message: "You invoked an unsupported model or your request did not allow prompt caching. See the documentation for more information."}
	}
	return nil
}

// checkResults refuses results that do not answer the uses of the message before.
func checkResults(messages []message) *awsapi.Error {
	for i, m := range messages {
		var asked, answered []string
		if i > 0 {
			for _, b := range messages[i-1].Content {
				if b.ToolUse != nil {
					asked = append(asked, b.ToolUse.ID)
				}
			}
		}
		for _, b := range m.Content {
			if b.ToolResult != nil {
				answered = append(answered, b.ToolResult.ID)
			}
		}
		if len(answered) > len(asked) {
			return validation(fmt.Sprintf("The number of toolResult blocks at messages.%d.content exceeds the number of toolUse blocks of previous turn.", i))
		}
		for _, id := range asked {
			if !slices.Contains(answered, id) {
				return validation(fmt.Sprintf("Expected toolResult blocks at messages.%d.content for the following Ids: %s", i, id))
			}
		}
	}
	return nil
}

func isObject(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '{' }

func (b block) text() (string, bool) {
	switch {
	case b.Text != nil:
		return *b.Text, true
	case b.Guard != nil && b.Guard.Text != nil:
		return b.Guard.Text.Text, true
	}
	return "", false
}

// Tokens of a page of a document, and bytes of one.
const (
	tokensOfPage = 1_500
	bytesOfPage  = 25_000
)

// tokens estimates what a block counts.
func (b block) tokens(family modelfamily.Family) (characters, tokens int) {
	text, _ := b.text()
	characters = utf8.RuneCountInString(text) + len(b.JSON)
	switch {
	case b.Image != nil:
		tokens = int(family.TokensOfImage())
	case b.Document != nil:
		n := len(b.Document.Source.Bytes)
		if slices.Contains([]string{"txt", "md", "csv", "html"}, b.Document.Format) {
			characters += n
		} else {
			tokens = (n/bytesOfPage + 1) * tokensOfPage
		}
	case b.ToolUse != nil:
		characters += len(b.ToolUse.Name) + len(b.ToolUse.Input)
	case b.Reasoning != nil && b.Reasoning.Text != nil:
		characters += utf8.RuneCountInString(b.Reasoning.Text.Text)
	case b.ToolResult != nil:
		for _, part := range b.ToolResult.Content {
			c, n := part.tokens(family)
			characters, tokens = characters+c, tokens+n
		}
	}
	return characters, tokens
}
