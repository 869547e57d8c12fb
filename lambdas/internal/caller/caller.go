// Package caller is who calls the REST API, as its authorizers tell the
// functions behind it: the Cognito authorizer by the claims of an ID token, the
// authorizer function by a context of texts.
package caller

import (
	"strings"

	"github.com/streaming-service/streaming-service/lambdas/internal/groups"
)

// Caller is a user, with the credential that was presented.
type Caller struct {
	UserID string
	// Username is that of the user pool. Only the Cognito authorizer tells it.
	Username string
	// Groups are those of the ID token, or, of a caller with a key, those that
	// the user had at the last use of a token.
	Groups []string
	// KeyID names the personal key; "": an ID token was presented.
	KeyID string
}

// ByToken reports whether the caller presented an ID token, so that Groups are
// of now.
func (c Caller) ByToken() bool { return c.KeyID == "" }

// Names of the context of the authorizer function, and values of credential.
const (
	userID     = "userId"
	groupNames = "groups" // comma-separated
	credential = "credential"
	keyID      = "keyId" // only of a key

	credentialToken = "token"
	credentialKey   = "key"
)

// Context is what the authorizer function says of a caller.
func (c Caller) Context() map[string]any {
	context := map[string]any{userID: c.UserID, groupNames: strings.Join(c.Groups, ","), credential: credentialToken}
	if !c.ByToken() {
		context[credential], context[keyID] = credentialKey, c.KeyID
	}
	return context
}

// Read returns what an authorizer said of the caller; ok is false if that is
// nobody, or the bearer of a token that is no ID token of the client.
func Read(authorizer map[string]any, clientID string) (c Caller, ok bool) {
	if claims, isToken := authorizer["claims"].(map[string]any); isToken {
		return readClaims(claims, clientID)
	}
	return readContext(authorizer)
}

func readClaims(claims map[string]any, clientID string) (Caller, bool) {
	c := Caller{
		UserID:   text(claims, "sub"),
		Username: text(claims, "cognito:username"),
		Groups:   groups.Parse(text(claims, "cognito:groups")),
	}
	use := text(claims, "token_use")
	return c, c.UserID != "" && text(claims, "aud") == clientID && (use == "" || use == "id")
}

func readContext(context map[string]any) (Caller, bool) {
	c := Caller{UserID: text(context, userID), KeyID: text(context, keyID), Groups: groups.Parse(text(context, groupNames))}
	switch text(context, credential) {
	case credentialToken:
		return c, c.UserID != "" && c.KeyID == ""
	case credentialKey:
		return c, c.UserID != "" && c.KeyID != ""
	}
	return c, false
}

func text(values map[string]any, name string) string {
	s, _ := values[name].(string)
	return s
}
