package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const notAuthorized = "NotAuthorizedException" // Cognito's name

// Auth signs users of the service's Cognito user pool up and in. Its calls are
// the public ones of Cognito and need no AWS credentials.
type Auth struct {
	endpoint string
	clientID string
	http     *http.Client
}

// NewAuth returns the sign-in of a service. A nil httpClient is
// http.DefaultClient.
func NewAuth(cfg Config, httpClient *http.Client) *Auth {
	if httpClient == nil {
		httpClient = http.DefaultClient
	}
	return &Auth{endpoint: cfg.cognitoURL(), clientID: cfg.UserPoolClientID, http: httpClient}
}

// SignUp registers a user; Cognito then mails a code for ConfirmSignUp.
func (a *Auth) SignUp(ctx context.Context, email, password string) error {
	return a.call(ctx, "SignUp", map[string]any{
		"ClientId": a.clientID, "Username": email, "Password": password,
		"UserAttributes": []map[string]string{{"Name": "email", "Value": email}},
	}, nil)
}

// ConfirmSignUp proves with the mailed code that the user owns the address.
func (a *Auth) ConfirmSignUp(ctx context.Context, email, code string) error {
	return a.call(ctx, "ConfirmSignUp", a.user(email, "ConfirmationCode", code), nil)
}

// ResendCode has the code for ConfirmSignUp mailed again.
func (a *Auth) ResendCode(ctx context.Context, email string) error {
	return a.call(ctx, "ResendConfirmationCode", a.user(email), nil)
}

// ForgotPassword has a code for ResetPassword mailed.
func (a *Auth) ForgotPassword(ctx context.Context, email string) error {
	return a.call(ctx, "ForgotPassword", a.user(email), nil)
}

// ResetPassword sets a password with the code that ForgotPassword had mailed.
func (a *Auth) ResetPassword(ctx context.Context, email, code, password string) error {
	return a.call(ctx, "ConfirmForgotPassword", a.user(email, "ConfirmationCode", code, "Password", password), nil)
}

// SignIn signs a user in with a password. It fails with an *AuthError if
// Cognito refuses and with a *ChallengeError if it asks for more, as SignInWith
// answers it.
func (a *Auth) SignIn(ctx context.Context, email, password string) (*Session, error) {
	var answer authAnswer
	err := a.call(ctx, "InitiateAuth", map[string]any{
		"ClientId": a.clientID, "AuthFlow": "USER_PASSWORD_AUTH",
		"AuthParameters": map[string]string{"USERNAME": email, "PASSWORD": password},
	}, &answer)
	if err != nil {
		return nil, err
	}
	return a.session(email, answer)
}

// Restore returns a session that a refresh token of an earlier one continues.
func (a *Auth) Restore(refreshToken string) *Session {
	return &Session{auth: a, refreshToken: refreshToken}
}

// authAnswer is what InitiateAuth and RespondToAuthChallenge answer.
type authAnswer struct {
	ChallengeName        string
	Session              string
	ChallengeParameters  map[string]string
	AuthenticationResult *authResult
}

type authResult struct {
	IDToken      string `json:"IdToken"`
	RefreshToken string
	ExpiresIn    int // seconds, of the access token
}

// lifeOfIDToken is how long the ID token is valid from its issue on, and without
// its own word for it as long as the access token.
func (r authResult) lifeOfIDToken() time.Duration {
	var claims struct {
		IssuedAt  int64 `json:"iat"`
		ExpiresAt int64 `json:"exp"`
	}
	parts := strings.Split(r.IDToken, ".")
	if len(parts) == 3 {
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err == nil && json.Unmarshal(payload, &claims) == nil && claims.ExpiresAt > claims.IssuedAt && claims.IssuedAt > 0 {
			return time.Duration(claims.ExpiresAt-claims.IssuedAt) * time.Second
		}
	}
	return time.Duration(r.ExpiresIn) * time.Second
}

// session turns an answer into a session or into the challenge that it is.
func (a *Auth) session(email string, answer authAnswer) (*Session, error) {
	if answer.AuthenticationResult == nil {
		userID := answer.ChallengeParameters["USER_ID_FOR_SRP"]
		if userID == "" {
			userID = email
		}
		return nil, &ChallengeError{Name: answer.ChallengeName, Email: email, session: answer.Session, userID: userID}
	}
	s := &Session{auth: a}
	s.take(*answer.AuthenticationResult)
	return s, nil
}

func (a *Auth) refresh(ctx context.Context, refreshToken string) (authResult, error) {
	var answer authAnswer
	err := a.call(ctx, "InitiateAuth", map[string]any{
		"ClientId": a.clientID, "AuthFlow": "REFRESH_TOKEN_AUTH",
		"AuthParameters": map[string]string{"REFRESH_TOKEN": refreshToken},
	}, &answer)
	if err != nil {
		return authResult{}, err
	}
	if answer.AuthenticationResult == nil {
		return authResult{}, &ChallengeError{Name: answer.ChallengeName}
	}
	return *answer.AuthenticationResult, nil
}

// user is the input of the calls about one user.
func (a *Auth) user(email string, more ...string) map[string]any {
	input := map[string]any{"ClientId": a.clientID, "Username": email}
	for i := 0; i+1 < len(more); i += 2 {
		input[more[i]] = more[i+1]
	}
	return input
}

// call makes one call of Cognito's JSON 1.1 API.
func (a *Auth) call(ctx context.Context, operation string, input, output any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return fmt.Errorf("calling %s: %w", operation, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.endpoint, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("calling %s: %w", operation, err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	response, err := a.http.Do(request)
	if err != nil {
		return &networkError{fmt.Errorf("calling %s: %w", operation, err)}
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxResponseBytes))
	if err != nil {
		return &networkError{fmt.Errorf("calling %s: %w", operation, err)}
	}
	if response.StatusCode != http.StatusOK {
		return authError(response, data)
	}
	if output == nil {
		return nil
	}
	if err := json.Unmarshal(data, output); err != nil {
		return fmt.Errorf("decoding answer of %s: %w", operation, err)
	}
	return nil
}

func authError(response *http.Response, data []byte) error {
	var body struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(data, &body); err != nil || body.Type == "" {
		return &AuthError{Status: response.StatusCode, Code: "UnknownError", Message: response.Status}
	}
	name := body.Type[strings.LastIndex(body.Type, "#")+1:] // "namespace#Name" in some answers
	return &AuthError{Status: response.StatusCode, Code: name, Message: body.Message}
}
