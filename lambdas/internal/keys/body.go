package keys

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/streaming-service/streaming-service/lambdas/internal/httpapi"
	"github.com/streaming-service/streaming-service/lambdas/internal/jsonobject"
	"github.com/streaming-service/streaming-service/protocol"
)

// parse reads the body of POST /keys.
func parse(body []byte) (wanted protocol.CreateKeyRequest, _ *httpapi.Error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return wanted, refuse("body", "must be valid JSON in UTF-8")
	}
	members, err := jsonobject.Members(body)
	if err != nil {
		return wanted, refuse("body", err.Error())
	}
	var problems []protocol.FieldError
	named := false
	for _, m := range members {
		problem := ""
		switch m.Name {
		case "name":
			named = true
			wanted.Name, problem = name(m.Value)
		case "expiresInDays":
			wanted.ExpiresInDays, problem = days(m.Value)
		default:
			return wanted, refuse(strings.Trim(jsonobject.Quote(m.Name), `"`), "is not a known field")
		}
		if problem != "" {
			problems = append(problems, protocol.FieldError{Field: m.Name, Message: problem})
		}
	}
	if !named {
		problems = append(problems, protocol.FieldError{Field: "name", Message: "must be given"})
	}
	if len(problems) > 0 {
		return wanted, httpapi.Invalid(problems...)
	}
	return wanted, nil
}

func refuse(field, message string) *httpapi.Error {
	return httpapi.Invalid(protocol.FieldError{Field: field, Message: message})
}

func name(value json.RawMessage) (name, problem string) {
	name, ok := jsonobject.Text(value)
	switch length := utf8.RuneCountInString(name); {
	case !ok:
		return "", "must be a string"
	case strings.TrimSpace(name) == "":
		return "", "must not be blank"
	case length > protocol.MaxKeyNameLength:
		return "", fmt.Sprintf("must have at most %d characters, got %d", protocol.MaxKeyNameLength, length)
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", "must not have control characters"
	}
	return name, ""
}

func days(value json.RawMessage) (days *int, problem string) {
	n, ok := jsonobject.Number(value)
	if !ok || n != math.Trunc(n) || n < 1 || n > protocol.MaxKeyDays {
		return nil, fmt.Sprintf("must be a whole number from 1 to %d, got %s", protocol.MaxKeyDays, jsonobject.Show(value))
	}
	whole := int(n)
	return &whole, ""
}
