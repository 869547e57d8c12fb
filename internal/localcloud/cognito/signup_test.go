package cognito_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
)

func legacy(_ *cognito.UserPool, client *cognito.Client) {
	client.PreventUserExistenceErrors = "LEGACY"
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	out := c.ok("SignUp", object{"Username": email, "Password": password, "UserAttributes": []object{{"Name": "name", "Value": "Ann"}}})
	details, _ := out["CodeDeliveryDetails"].(object)
	if out["UserConfirmed"] != false || text(out, "UserSub") == "" || details["Destination"] != "a***@e***" || details["DeliveryMedium"] != "EMAIL" {
		t.Errorf("SignUp answered %v", out)
	}
	c.fails("InitiateAuth", passwordAuth(email, password), "UserNotConfirmedException")
	c.fails("InitiateAuth", passwordAuth(email, "wrong"), "NotAuthorizedException")
	c.fails("ConfirmSignUp", object{"Username": email, "ConfirmationCode": "none"}, "CodeMismatchException")
	first := c.code()
	c.ok("ResendConfirmationCode", object{"Username": email})
	if second := c.code(); second != first {
		c.fails("ConfirmSignUp", object{"Username": email, "ConfirmationCode": first}, "CodeMismatchException")
	}
	c.ok("ConfirmSignUp", object{"Username": "ANN@Example.com", "ConfirmationCode": c.code()})
	c.fails("ConfirmSignUp", object{"Username": email, "ConfirmationCode": "1"}, "NotAuthorizedException")
	c.fails("ResendConfirmationCode", object{"Username": email}, "InvalidParameterException")
	c.fails("SignUp", object{"Username": "Ann@example.com", "Password": password}, "UsernameExistsException")
	user := c.ok("AdminGetUser", object{"Username": email})
	if user["UserStatus"] != "CONFIRMED" || user["Username"] != text(out, "UserSub") || user["Enabled"] != true {
		t.Errorf("user %v", user)
	}
	attributes := map[string]any{}
	for _, a := range user["UserAttributes"].([]any) {
		attributes[text(a.(object), "Name")] = a.(object)["Value"]
	}
	for name, want := range map[string]any{"sub": out["UserSub"], "email": email, "email_verified": "true", "name": "Ann"} {
		if attributes[name] != want {
			t.Errorf("attribute %s = %v, want %v", name, attributes[name], want)
		}
	}
	mails := c.outbox(email)
	if len(mails) != 2 || mails[0].Code != first || mails[0].To != email || mails[0].Subject == "" {
		t.Errorf("outbox %v", mails)
	}
}

func TestSignUpRefusals(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	with := func(username, text string, attributes ...object) object {
		return object{"Username": username, "Password": text, "UserAttributes": attributes}
	}
	for _, test := range []struct {
		in   object
		want string
	}{
		{with("ann", password), "InvalidParameterException"},
		{with("", password), "InvalidParameterException"},
		{with("Ann <ann@example.com>", password), "InvalidParameterException"},
		{with(email, "Ab1!"), "InvalidPasswordException"},
		{with(email, "correct-horse-9"), "InvalidPasswordException"},
		{with(email, "CORRECT-HORSE-9"), "InvalidPasswordException"},
		{with(email, "Correct-horse"), "InvalidPasswordException"},
		{with(email, "Correcthorse9"), "InvalidPasswordException"},
		{with(email, " "+password), "InvalidParameterException"},
		{with(email, password, object{"Name": "custom:plan", "Value": "pro"}), "InvalidParameterException"},
		{with(email, password, object{"Name": "email_verified", "Value": "true"}), "NotAuthorizedException"},
		{object{"ClientId": "nope", "Username": email, "Password": password}, "ResourceNotFoundException"},
	} {
		c.fails("SignUp", test.in, test.want)
	}
	closed := newCloud(t, func(p *cognito.UserPool, _ *cognito.Client) { p.AdminCreateUserOnly = true })
	closed.fails("SignUp", with(email, password), "NotAuthorizedException")
}

func TestCodesExpireAndRunOut(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.ok("SignUp", object{"Username": email, "Password": password})
	right := c.code()
	for range 15 {
		c.fails("ConfirmSignUp", object{"Username": email, "ConfirmationCode": "none"}, "CodeMismatchException")
	}
	c.fails("ConfirmSignUp", object{"Username": email, "ConfirmationCode": right}, "TooManyFailedAttemptsException")
	c.ok("ResendConfirmationCode", object{"Username": email})
	c.clock.advance(24*time.Hour + time.Second)
	c.fails("ConfirmSignUp", object{"Username": email, "ConfirmationCode": c.code()}, "ExpiredCodeException")
}

func TestPasswordReset(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.signUp()
	c.ok("ForgotPassword", object{"Username": email})
	right := c.code()
	reset := func(code, text string) object {
		return object{"Username": email, "ConfirmationCode": code, "Password": text}
	}
	c.fails("ConfirmForgotPassword", reset("none", "Other-horse-9"), "CodeMismatchException")
	c.fails("ConfirmForgotPassword", reset(right, "short"), "InvalidPasswordException")
	c.ok("ConfirmForgotPassword", reset(right, "Other-horse-9"))
	c.fails("ConfirmForgotPassword", reset(right, "Third-horse-9"), "ExpiredCodeException")
	c.fails("InitiateAuth", passwordAuth(email, password), "NotAuthorizedException")
	c.ok("InitiateAuth", passwordAuth(email, "Other-horse-9"))
	c.ok("ForgotPassword", object{"Username": email})
	c.clock.advance(time.Hour + time.Second)
	c.fails("ConfirmForgotPassword", reset(c.code(), "Third-horse-9"), "ExpiredCodeException")
}

func TestUserExistence(t *testing.T) {
	t.Parallel()
	hiding, telling := newCloud(t), newCloud(t, legacy)
	const nobody = "nobody@example.com"
	for _, test := range []struct {
		operation    string
		in           func() object
		hidden, told string
	}{
		{"InitiateAuth", func() object { return passwordAuth(nobody, password) }, "NotAuthorizedException", "UserNotFoundException"},
		{"ConfirmSignUp", func() object { return object{"Username": nobody, "ConfirmationCode": "1"} }, "ExpiredCodeException", "UserNotFoundException"},
		{"ResendConfirmationCode", func() object { return object{"Username": nobody} }, "", "UserNotFoundException"},
		{"ForgotPassword", func() object { return object{"Username": nobody} }, "", "UserNotFoundException"},
		{"ConfirmForgotPassword", func() object {
			return object{"Username": nobody, "ConfirmationCode": "1", "Password": password}
		}, "CodeMismatchException", "UserNotFoundException"},
	} {
		hiding.fails(test.operation, test.in(), test.hidden)
		telling.fails(test.operation, test.in(), test.told)
	}
	if mails := hiding.outbox(nobody); len(mails) > 0 {
		t.Errorf("nobody got mail: %v", mails)
	}
	known := hiding.fails("InitiateAuth", passwordAuth(email, "x"), "NotAuthorizedException")
	unknown := hiding.fails("InitiateAuth", passwordAuth(nobody, "x"), "NotAuthorizedException")
	if known["message"] != unknown["message"] {
		t.Errorf("messages tell who exists: %v, %v", known["message"], unknown["message"])
	}
}

func TestSecretHash(t *testing.T) {
	t.Parallel()
	c := newCloud(t, func(_ *cognito.UserPool, client *cognito.Client) { client.GenerateSecret = true })
	if c.client.Secret == "" {
		t.Fatal("no secret was generated")
	}
	again, err := c.service.PutClient(cognito.Client{ID: c.client.ID, UserPoolID: c.pool.ID, GenerateSecret: true, ExplicitAuthFlows: c.client.ExplicitAuthFlows})
	if err != nil || again.Secret != c.client.Secret {
		t.Errorf("an update changed the secret: %v", err)
	}
	c.fails("SignUp", object{"Username": email, "Password": password}, "NotAuthorizedException")
	c.fails("SignUp", object{"Username": email, "Password": password, "SecretHash": "x"}, "NotAuthorizedException")
	hash := secretHash(c.client, email)
	c.ok("SignUp", object{"Username": email, "Password": password, "SecretHash": hash})
	c.ok("ConfirmSignUp", object{"Username": email, "ConfirmationCode": c.code(), "SecretHash": hash})
	c.fails("InitiateAuth", passwordAuth(email, password), "NotAuthorizedException")
	c.ok("InitiateAuth", object{"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": object{"USERNAME": email, "PASSWORD": password, "SECRET_HASH": hash}})
}

func TestProtocol(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	response, out := c.ask("AWSCognitoIdentityProviderService.Nope", []byte(`{}`), false)
	if response.StatusCode != http.StatusBadRequest || out["__type"] != "UnknownOperationException" {
		t.Errorf("unknown operation: %d %v", response.StatusCode, out)
	}
	response, out = c.ask("AWSCognitoIdentityProviderService.SignUp", []byte(`{"Username":7}`), false)
	if out["__type"] != "SerializationException" || response.Header.Get("x-amzn-ErrorType") != "SerializationException" {
		t.Errorf("wrong type: %v %v", out, response.Header)
	}
	if got := response.Header.Get("Content-Type"); got != "application/x-amz-json-1.1" {
		t.Errorf("Content-Type %q", got)
	}
	for _, origin := range []string{response.Header.Get("Access-Control-Allow-Origin"), preflight(c).Get("Access-Control-Allow-Origin")} {
		if origin != "*" {
			t.Errorf("Access-Control-Allow-Origin %q", origin)
		}
	}
	if headers := strings.ToLower(preflight(c).Get("Access-Control-Allow-Headers")); !strings.Contains(headers, "x-amz-target") || strings.Contains(headers, "authorization") {
		t.Errorf("pages may send %q; they need x-amz-target and must not sign", headers)
	}
	if _, out := c.ask("AWSCognitoIdentityProviderService.AdminGetUser", []byte(`{}`), false); out["__type"] != "MissingAuthenticationTokenException" {
		t.Errorf("an unsigned admin call: %v", out)
	}
}

func preflight(c *cloud) http.Header {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodOptions, c.server.URL+"/", nil)
	c.must(err)
	r.Header.Set("Origin", "https://app.example")
	r.Header.Set("Access-Control-Request-Headers", "x-amz-target,content-type")
	response, err := c.server.Client().Do(r)
	c.must(err)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		c.t.Errorf("preflight answered %d", response.StatusCode)
	}
	return response.Header
}
