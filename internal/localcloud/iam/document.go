package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// document is a policy: identity-based, or a role's trust.
type document struct {
	Version   string     `json:"Version"`
	ID        string     `json:"Id"`
	Statement statements `json:"Statement"`
}

type statement struct {
	Sid         string                        `json:"Sid"`
	Effect      string                        `json:"Effect"`
	Principal   principals                    `json:"Principal"`
	Action      texts                         `json:"Action"`
	NotAction   texts                         `json:"NotAction"`
	Resource    texts                         `json:"Resource"`
	NotResource texts                         `json:"NotResource"`
	Condition   map[string]map[string]scalars `json:"Condition"`
}

// maxDocument is AWS's limit of a role's inline policies, in characters.
const maxDocument = 10_240

func parse(text []byte) (document, error) {
	var parsed document
	if len(text) > maxDocument {
		return parsed, fmt.Errorf("LimitExceeded: policy has %d characters, at most %d are allowed", len(text), maxDocument)
	}
	if err := decodeStrict(text, &parsed); err != nil {
		return parsed, fmt.Errorf("MalformedPolicyDocument: %w", err)
	}
	switch {
	case parsed.Version != "2012-10-17" && parsed.Version != "2008-10-17" && parsed.Version != "":
		return parsed, fmt.Errorf("MalformedPolicyDocument: version must be 2012-10-17, got %q", parsed.Version)
	case len(parsed.Statement) == 0:
		return parsed, errors.New("MalformedPolicyDocument: there is no statement")
	}
	for i := range parsed.Statement {
		if err := parsed.Statement[i].validate(); err != nil {
			return parsed, fmt.Errorf("MalformedPolicyDocument: statement %d: %w", i, err)
		}
	}
	return parsed, nil
}

func parseIdentityPolicy(text []byte) (document, error) {
	parsed, err := parse(text)
	if err != nil {
		return parsed, err
	}
	for i, s := range parsed.Statement {
		switch {
		case s.Principal != nil:
			return parsed, fmt.Errorf("MalformedPolicyDocument: statement %d: an identity-based policy has no Principal", i)
		case (len(s.Resource) == 0) == (len(s.NotResource) == 0):
			return parsed, fmt.Errorf("MalformedPolicyDocument: statement %d: exactly one of Resource and NotResource must be given", i)
		}
		if err := validateResources(append(s.Resource, s.NotResource...)); err != nil {
			return parsed, fmt.Errorf("MalformedPolicyDocument: statement %d: %w", i, err)
		}
	}
	return parsed, nil
}

func parseTrust(text []byte) (document, error) {
	parsed, err := parse(text)
	if err != nil {
		return parsed, err
	}
	for i, s := range parsed.Statement {
		switch {
		case len(s.Principal) == 0:
			return parsed, fmt.Errorf("MalformedPolicyDocument: statement %d: a trust policy needs a Principal", i)
		case len(s.Resource)+len(s.NotResource) > 0:
			return parsed, fmt.Errorf("MalformedPolicyDocument: statement %d: a trust policy has no Resource", i)
		}
	}
	return parsed, nil
}

func (s *statement) validate() error {
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return fmt.Errorf("effect must be Allow or Deny, got %q", s.Effect)
	case (len(s.Action) == 0) == (len(s.NotAction) == 0):
		return errors.New("exactly one of Action and NotAction must be given")
	}
	for _, action := range append(s.Action, s.NotAction...) {
		if err := validateAction(action); err != nil {
			return err
		}
	}
	return validateConditions(s.Condition)
}

func validateResources(resources texts) error {
	for _, resource := range resources {
		switch {
		case strings.Contains(resource, "${"):
			return fmt.Errorf("resource %s: the local cloud does not evaluate policy variables", resource)
		case resource != "*" && (!strings.HasPrefix(resource, "arn:") || strings.Count(resource, ":") < 5):
			return fmt.Errorf("resource %s must be an ARN or *", resource)
		}
	}
	return nil
}

func decodeStrict(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the document")
	}
	return nil
}

// statements is a list that may be written as its only element.
type statements []statement

func (s *statements) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		*s = make(statements, 1)
		return decodeStrict(text, &(*s)[0])
	}
	return decodeStrict(text, (*[]statement)(s))
}

// texts is a list of strings that may be written as its only element.
type texts []string

func (t *texts) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil && !bytes.Equal(bytes.TrimSpace(text), []byte("null")) {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// scalars is the values of a condition key: strings, numbers and booleans, one
// or a list.
type scalars []string

func (s *scalars) UnmarshalJSON(text []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(text, &list) != nil {
		list = []json.RawMessage{text}
	}
	for _, element := range list {
		value, err := scalar(element)
		if err != nil {
			return err
		}
		*s = append(*s, value)
	}
	return nil
}

func scalar(text json.RawMessage) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return "", err
	}
	switch value.(type) {
	case string, bool, json.Number:
		return fmt.Sprint(value), nil
	}
	return "", fmt.Errorf("condition value must be a string, number or boolean, got %s", text)
}

// principals maps a kind (Service, Federated, AWS) to names; "*" is every one.
type principals map[string]texts

func (p *principals) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil && one != "" {
		if one != "*" {
			return fmt.Errorf("principal must be * or an object, got %q", one)
		}
		*p = principals{"*": {"*"}}
		return nil
	}
	return json.Unmarshal(text, (*map[string]texts)(p))
}
