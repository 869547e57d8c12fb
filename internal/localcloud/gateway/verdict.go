package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxAuthorizerResult is the largest result of an authorizer, in bytes
// (API Gateway quotas).
const maxAuthorizerResult = 8 << 10

// Verdict is the result of a Lambda authorizer. Context is what it tells the
// integration, all as text, with the principalId.
type Verdict struct {
	Context    map[string]string
	statements []statement
}

type statement struct {
	Effect   string
	Action   stringOrList
	Resource stringOrList
}

// stringOrList is a policy element that may be one string.
type stringOrList []string

func (l *stringOrList) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = stringOrList{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// statements that may be one object.
type statements []statement

func (l *statements) UnmarshalJSON(data []byte) error {
	var one statement
	if json.Unmarshal(data, &one) == nil {
		*l = statements{one}
		return nil
	}
	return json.Unmarshal(data, (*[]statement)(l))
}

// ParseVerdict reads the result of a Lambda authorizer.
func ParseVerdict(result []byte) (Verdict, error) {
	if len(result) > maxAuthorizerResult {
		return Verdict{}, fmt.Errorf("authorizer result of %d bytes is larger than %d", len(result), maxAuthorizerResult)
	}
	var output struct {
		PrincipalID    *string `json:"principalId"`
		PolicyDocument *struct {
			Statement statements
		} `json:"policyDocument"`
		Context map[string]json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(result, &output); err != nil {
		return Verdict{}, fmt.Errorf("decoding authorizer result: %w", err)
	}
	if output.PrincipalID == nil || output.PolicyDocument == nil {
		return Verdict{}, errors.New("reading authorizer result: principalId or policyDocument is missing")
	}
	v := Verdict{map[string]string{"principalId": *output.PrincipalID}, output.PolicyDocument.Statement}
	for name, raw := range output.Context {
		text := ScalarText(raw)
		if text == "" && string(raw) != `""` {
			return Verdict{}, fmt.Errorf("reading authorizer context: %s is no string, number or boolean", name)
		}
		v.Context[name] = text
	}
	return v, nil
}

// Allows applies the policy: a Deny wins, nothing that matches is a Deny too.
func (v Verdict) Allows(methodARN string) bool {
	return v.has(true, methodARN) && !v.Denies(methodARN)
}

// Denies tells whether a statement denies explicitly.
func (v Verdict) Denies(methodARN string) bool { return v.has(false, methodARN) }

func (v Verdict) has(allow bool, methodARN string) bool {
	return slices.ContainsFunc(v.statements, func(st statement) bool {
		return (st.Effect == "Allow") == allow && matchesAny(st.Action, "execute-api:Invoke") && matchesAny(st.Resource, methodARN)
	})
}

func matchesAny(patterns []string, value string) bool {
	for _, pattern := range patterns {
		if matches(pattern, value) {
			return true
		}
	}
	return false
}

// matches applies the wildcards * and ? of policies.
func matches(pattern, value string) bool {
	star, mark := -1, 0
	p, v := 0, 0
	for v < len(value) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, v
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == value[v]):
			p++
			v++
		case star >= 0:
			mark++
			p, v = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// ScalarText writes a string, number or boolean as text; "" for anything else.
func ScalarText(raw json.RawMessage) string {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return ""
	}
	switch v := value.(type) {
	case string:
		return v
	case json.Number, bool:
		return fmt.Sprint(v)
	}
	return ""
}
