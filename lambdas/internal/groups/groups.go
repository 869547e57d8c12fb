// Package groups reads the claim cognito:groups, in which Cognito lists the
// groups of a user. It is a list in the token, and a text where API Gateway
// passes the claims of a token on.
package groups

import (
	"encoding/json"
	"errors"
	"strings"
)

// Claim is the claim of a token.
type Claim []string

// UnmarshalJSON reads a list of names, or the text that Parse reads.
func (c *Claim) UnmarshalJSON(data []byte) error {
	var names []string
	if json.Unmarshal(data, &names) == nil {
		*c = names
		return nil
	}
	var text string
	if json.Unmarshal(data, &text) != nil {
		return errors.New("cognito:groups is neither a list of names nor a text")
	}
	*c = Parse(text)
	return nil
}

// Parse reads the claim as API Gateway writes it: "a,b" from REST APIs, and
// "[a b]" has been seen too.
func Parse(claim string) []string {
	claim = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(claim), "["), "]")
	return strings.FieldsFunc(claim, func(r rune) bool { return r == ',' || r == ' ' })
}
