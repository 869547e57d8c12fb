package cognito_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
)

// FuzzVerifyToken checks that nothing but what the pool signed is accepted.
func FuzzVerifyToken(f *testing.F) {
	s := cognito.New(cognito.Deps{Guard: &guard{}})
	p, err := s.PutUserPool(cognito.UserPool{Name: "fuzz"})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "..", "a.b.c", "eyJhbGciOiJub25lIn0.eyJ0b2tlbl91c2UiOiJpZCJ9.", "eyJhbGciOiJIUzI1NiIsImtpZCI6ImEifQ.eyJleHAiOjk5OTk5OTk5OTl9.AAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if claims, err := s.VerifyToken(cognito.UserPoolARN(p.ID), token); err == nil {
			t.Errorf("%q is accepted with %v", token, claims)
		}
	})
}

// FuzzOperation checks that no body breaks an operation or yields tokens.
func FuzzOperation(f *testing.F) {
	s := cognito.New(cognito.Deps{Guard: &guard{}})
	p, err := s.PutUserPool(cognito.UserPool{ID: "us-east-1_fuzz", Name: "fuzz", UsernameAttributes: []string{"email"}})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := s.PutClient(cognito.Client{ID: "client", UserPoolID: p.ID, ExplicitAuthFlows: []string{"ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}}); err != nil {
		f.Fatal(err)
	}
	f.Add("InitiateAuth", `{"ClientId":"client","AuthFlow":"USER_SRP_AUTH","AuthParameters":{"USERNAME":"a","SRP_A":"ff"}}`)
	f.Add("RespondToAuthChallenge", `{"ClientId":"client","ChallengeName":"PASSWORD_VERIFIER","ChallengeResponses":{"PASSWORD_CLAIM_SECRET_BLOCK":""}}`)
	f.Add("GetUser", `{"AccessToken":"a.b.c"}`)
	f.Add("ListUsers", `{"UserPoolId":"us-east-1_fuzz","Filter":"email = \"x\"","Limit":0}`)
	f.Add("RevokeToken", `{"ClientId":"client","Token":""}`)
	f.Fuzz(func(t *testing.T, operation, body string) {
		if operation == "SignUp" || operation == "AdminCreateUser" {
			t.Skip("makes users, who may then sign in")
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/x")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if strings.Contains(w.Body.String(), "AccessToken\":\"ey") || w.Code >= 500 {
			t.Errorf("%s %s: %d %s", operation, body, w.Code, w.Body)
		}
	})
}
