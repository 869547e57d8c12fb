package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
)

const outboxPath = "/_local/outbox"

// userPool is the local Cognito in the place of fakeCognito, with the password
// policy of the component.
type userPool struct {
	t       *testing.T
	service *cognito.Service
	id      string
	skew    atomic.Int64 // of its clock, in nanoseconds; authenticator apps have the same
	calls   atomic.Int64
}

type admitsAll struct{}

func (admitsAll) Admit(context.Context, awsapi.Call) (bool, *awsapi.Error) { return false, nil }

// openWithPool opens the page of a service with a user pool.
func openWithPool(t *testing.T, mfa string) (page, *userPool) {
	t.Helper()
	f := newFakeService(t)
	pool := &userPool{t: t}
	pool.service = cognito.New(cognito.Deps{Guard: admitsAll{}, Now: pool.now})
	email := []string{"email"}
	declared, err := pool.service.PutUserPool(cognito.UserPool{
		UsernameAttributes: email, AutoVerifiedAttributes: email, MFA: mfa, SoftwareTokenMFA: mfa != "OFF",
		PasswordPolicy: cognito.PasswordPolicy{MinimumLength: 12, RequireLowercase: true, RequireUppercase: true, RequireNumbers: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	pool.id = declared.ID
	client, err := pool.service.PutClient(cognito.Client{
		UserPoolID: pool.id, ExplicitAuthFlows: []string{"ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"},
		PreventUserExistenceErrors: "ENABLED", AuthSessionValidity: 15 * time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.users = pool
	f.config = map[string]any{
		"userPoolClientId": client.ID, "demoUser": "demo@example.com", "demoPassword": "Demo-password-1",
		"signIn": map[string]string{"mfa": mfa, "passwordMinimumLength": "12", "selfSignUp": "true"},
	}
	return openPage(t, f), pool
}

func (u *userPool) now() time.Time { return time.Now().Add(time.Duration(u.skew.Load())) }

func (u *userPool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == outboxPath {
		u.service.ServeOutbox(w, r)
		return
	}
	u.calls.Add(1)
	r.URL.Path = "/"
	u.service.ServeHTTP(w, r)
}

// admin makes a call of an administrator.
func (u *userPool) admin(operation string, in map[string]any) {
	u.t.Helper()
	in["UserPoolId"] = u.id
	body, err := json.Marshal(in)
	if err != nil {
		u.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(u.t.Context(), http.MethodPost, "/", strings.NewReader(string(body)))
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+operation)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=x")
	w := httptest.NewRecorder()
	u.service.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		u.t.Fatalf("%s: %s", operation, w.Body)
	}
}

// code is the newest code that was mailed, as the page of the outbox has it.
func (u *userPool) code(p page) string {
	u.t.Helper()
	p.visible("#outbox")
	address, err := url.Parse(p.eval(`document.getElementById("outbox").href`))
	if err != nil || address.Path != outboxPath {
		u.t.Fatalf("the outbox is at %v, %v", address, err)
	}
	w := httptest.NewRecorder()
	u.service.ServeOutbox(w, httptest.NewRequestWithContext(u.t.Context(), http.MethodGet, address.String(), nil))
	var mails []cognito.Mail
	if err := json.Unmarshal(w.Body.Bytes(), &mails); err != nil || len(mails) == 0 {
		u.t.Fatalf("the outbox holds %s, %v", w.Body, err)
	}
	return mails[len(mails)-1].Code
}

// beginStep moves the clock to where authenticator apps begin to show another
// code, so that what comes soon meets the same one.
func (u *userPool) beginStep() {
	const step = 30 * time.Second
	now := u.now()
	u.skew.Add(int64(now.Truncate(step).Add(step).Sub(now)))
}

// shown is the code that an authenticator app shows for the key on the page.
func (u *userPool) shown(secret string) string {
	u.t.Helper()
	code, err := totp.GenerateCode(secret, u.now())
	if err != nil {
		u.t.Fatal(err)
	}
	return code
}

func (p page) fill(css, text string) {
	p.t.Helper()
	p.eval(`document.querySelector("` + css + `").value = ""`)
	if text != "" {
		p.run(chromedp.SendKeys(chromedp.CSS(css), text))
	}
}

// titled waits for a form by its title.
func (p page) titled(title string) {
	p.t.Helper()
	p.wait("the form "+title, fmt.Sprintf(`document.getElementById("form-title").innerText === %q`, title))
}

// complains waits for an error, and for the focus on the field that it is about.
func (p page) complains(about, field string) {
	p.t.Helper()
	p.wait("the error "+about, fmt.Sprintf(`(document.querySelector(".error:not([hidden])")?.innerText ?? "").includes(%q)`, about))
	if got := p.eval(`document.activeElement.id`); got != field {
		p.t.Errorf("%s: the focus is on %q, want %q", about, got, field)
	}
}

// secret is the key that the page shows, and checks what is shown beside it.
func (p page) secret() string {
	p.t.Helper()
	p.wait("the QR code", `[...document.querySelectorAll(".qr")].some((e) => e.width > 40 && e.getContext("2d").getImageData(4, 4, 1, 1).data[0] === 0)`)
	secret := strings.ReplaceAll(p.eval(`document.querySelector(".secret").innerText`), " ", "")
	if link := p.eval(`document.querySelector(".authenticator a").href`); !strings.HasPrefix(link, "otpauth://totp/Streaming%20Service:") || !strings.Contains(link, "secret="+secret+"&") {
		p.t.Errorf("the link is %s", link)
	}
	return secret
}

const (
	newEmail    = "new@example.com"
	newPassword = "A-password-1"
	next        = "Another-password-2"
)

func TestASignUpLeadsIntoTheChat(t *testing.T) {
	p, pool := openWithPool(t, "OFF")
	p.click("#to-sign-up")
	p.titled("Create an account")
	p.fill("#email", newEmail)
	rules := `[...document.querySelectorAll("#password-rules li")].map((e) => e.innerText.replace(/\s+/g, " ")).join("; ")`
	for _, step := range []struct{ typed, want string }{
		{"a", "needed: at least 12 characters; met: a lower-case letter; needed: an upper-case letter; needed: a digit"},
		{"aB", "needed: at least 12 characters; met: a lower-case letter; met: an upper-case letter; needed: a digit"},
		{newPassword, "met: at least 12 characters; met: a lower-case letter; met: an upper-case letter; met: a digit"},
	} {
		p.fill("#password", step.typed)
		if got := p.eval(rules); got != step.want {
			t.Errorf("%s: rules %q, want %q", step.typed, got, step.want)
		}
	}
	p.fill("#password", "too-short")
	p.click("#auth-submit")
	p.complains("still needs at least 12 characters, an upper-case letter, a digit", "password")
	if n := pool.calls.Load(); n > 0 {
		t.Errorf("a password that breaks the rules was sent, by %d calls", n)
	}
	if got := p.eval(`document.getElementById("password").autocomplete`); got != "new-password" {
		t.Errorf("autocomplete %q", got)
	}
	p.fill("#password", newPassword)
	p.enter("#password", "")
	p.titled("Confirm your e-mail")
	p.enter("#code", "none")
	p.complains("not the code", "code")
	first := pool.code(p)
	p.click("#resend")
	p.wait("the note", `document.getElementById("form-note").innerText.includes("sent to new@example.com again")`)
	code := pool.code(p)
	p.fill("#code", code[:3]+" "+code[3:]) // as people read it out
	p.click("#auth-submit")
	p.visible("#prompt")
	if first == code {
		t.Log("both codes were the same")
	}
	if got := p.eval(`document.getElementById("account-name").innerText + document.getElementById("password").value + document.getElementById("code").value`); got != newEmail {
		t.Errorf("signed in as %q", got)
	}
}

func TestAnUnconfirmedSignInLeadsIntoTheChat(t *testing.T) {
	p, pool := openWithPool(t, "OFF")
	p.click("#to-sign-up")
	p.fill("#email", newEmail)
	p.enter("#password", newPassword)
	p.titled("Confirm your e-mail")
	p.run(chromedp.Reload()) // forgets the password
	p.visible("#email")
	p.fill("#email", newEmail)
	p.enter("#password", newPassword)
	p.titled("Confirm your e-mail")
	p.enter("#code", pool.code(p))
	p.visible("#prompt")
}

func TestAForgottenPasswordIsReplaced(t *testing.T) {
	p, pool := openWithPool(t, "OFF")
	if _, err := pool.service.CreateUser(pool.id, newEmail, newPassword); err != nil {
		t.Fatal(err)
	}
	p.fill("#email", newEmail)
	p.enter("#password", "wrong")
	p.complains("is not right", "password")
	p.click("#to-forgot")
	p.click("#auth-submit")
	p.titled("Set a new password")
	p.fill("#code", pool.code(p))
	p.enter("#password", next)
	p.visible("#prompt")
	p.signOut()
	for range 5 {
		p.enter("#password", newPassword) // the old one
		p.complains("is not right", "password")
		p.fill("#password", "")
	}
	p.enter("#password", next)
	p.complains("Too many wrong tries", "password")
}

func TestAFirstSignInWithTwoSteps(t *testing.T) {
	p, pool := openWithPool(t, "ON")
	pool.admin("AdminCreateUser", map[string]any{"Username": newEmail, "TemporaryPassword": "Temporary-password-1"})
	p.fill("#email", newEmail)
	p.enter("#password", "Temporary-password-1")
	p.titled("Choose a password")
	p.enter("#password", newPassword)
	p.titled("Set up two-step sign-in")
	secret := p.secret()
	p.enter("#code", "000000")
	p.complains("not the code that your app shows now", "code")
	p.fill("#code", "")
	pool.beginStep()
	p.enter("#code", pool.shown(secret))
	p.visible("#prompt")
	if got := p.eval(`document.body.innerHTML.includes("` + secret[:4] + `")`); got != "false" {
		t.Error("the key is still on the page")
	}
	p.signOut()

	p.enter("#password", newPassword)
	p.titled("Enter your code")
	p.enter("#code", pool.shown(secret))
	p.complains("used already", "code")
	pool.skew.Add(int64(time.Minute))
	p.fill("#code", "")
	p.enter("#code", pool.shown(secret))
	p.visible("#prompt")
	p.signOut()

	p.enter("#password", newPassword)
	p.titled("Enter your code")
	pool.skew.Add(int64(16 * time.Minute))
	p.enter("#code", pool.shown(secret))
	p.titled("Sign in")
	if got := p.eval(`document.getElementById("form-note").innerText + document.getElementById("email").value`); got != "That took too long. Sign in again."+newEmail {
		t.Errorf("the form says %q", got)
	}
}

func TestTheDemoAccountWithAnotherPassword(t *testing.T) {
	p, pool := openWithPool(t, "OFF")
	if _, err := pool.service.CreateUser(pool.id, "demo@example.com", next); err != nil {
		t.Fatal(err)
	}
	p.click("#demo")
	p.complains("password of the demo account was changed", "password")
	p.enter("#password", next) // its e-mail is filled in
	p.visible("#prompt")
}

func TestTwoStepsOfTheAccount(t *testing.T) {
	p, pool := openWithPool(t, "OPTIONAL")
	if _, err := pool.service.CreateUser(pool.id, "demo@example.com", "Demo-password-1"); err != nil {
		t.Fatal(err)
	}
	p.signIn()
	p.click("#account")
	state := `document.getElementById("two-step-state").innerText`
	p.wait("the state", state+`.startsWith("Off")`)
	p.click("#two-step-set-up")
	secret := p.secret()
	p.enter("#two-step-code", "000000")
	p.complains("not the code that your app shows now", "two-step-code")
	p.fill("#two-step-code", "")
	p.enter("#two-step-code", pool.shown(secret))
	p.wait("the state", state+`.startsWith("On")`)
	p.click("#sign-out")
	p.visible("#email")

	pool.skew.Store(int64(time.Minute))
	p.click("#demo")
	p.titled("Enter your code")
	p.enter("#code", pool.shown(secret))
	p.visible("#prompt")
	p.click("#account")
	p.click("#two-step-turn-off")
	p.wait("the state", state+`.startsWith("Off")`)
	p.click("#sign-out")
	p.visible("#email")
	p.signIn()
}

// TestSigningOutReachesAllTabs: both tabs of the user are signed out, and what
// the browser kept is gone if that was asked for.
func TestSigningOutReachesAllTabs(t *testing.T) {
	t.Parallel()
	f := newFakeService(t)
	p := openPage(t, f)
	p.signIn()
	p.send("Hello")
	p.waitFor("done")
	other := openPage(t, f)
	other.signIn()
	other.wait("the conversation", answerText+` === "Hello"`)

	p.run(chromedp.SendKeys(chromedp.CSS("#prompt"), "Not sent yet"))
	p.wait("the draft", `Object.keys(localStorage).some((name) => name.startsWith("streaming.draft."))`)
	p.click("#account")
	p.click("#sign-out-wipe")
	p.click("#sign-out")
	p.wait("the note", `document.getElementById("form-note").innerText.includes("your conversations are gone")`)
	other.wait("the note", `document.getElementById("form-note").innerText.includes("signed out in another tab")`)
	if got := other.eval(`sessionStorage.length + localStorage.length`); got != "0" {
		t.Errorf("%s items are left in the browser", got)
	}
	other.signIn()
	if got := other.eval(`document.querySelectorAll("#messages li").length`); got != "0" {
		t.Errorf("%s messages are still there", got)
	}
}

// TestTheFormsAreAccessible: axe finds nothing in any state of the form, nor in
// the account's dialog.
func TestTheFormsAreAccessible(t *testing.T) {
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	p, pool := openWithPool(t, "OPTIONAL")
	if _, err := pool.service.CreateUser(pool.id, "demo@example.com", "Demo-password-1"); err != nil {
		t.Fatal(err)
	}
	check := func(what string) {
		t.Helper()
		if _, err := chromedp.Run(p.ctx, chromedp.Evaluate[float64](string(axe)+"; 1")); err != nil {
			t.Fatalf("loading axe: %.200s", err.Error())
		}
		p.eval(`(window.found = null, axe.run().then((r) => (window.found = JSON.stringify(r.violations.map((v) => [v.id, ...v.nodes.map((n) => n.html)]))), (e) => (window.found = String(e))))`)
		p.wait("axe", `window.found !== null`)
		if got := p.eval(`window.found`); got != "[]" {
			t.Errorf("%s: %s", what, got)
		}
	}
	p.titled("Sign in")
	p.click("#auth-submit")
	check("sign-in")
	p.click("#to-sign-up")
	p.fill("#email", newEmail)
	p.fill("#password", "aB")
	check("sign-up")
	p.enter("#password", newPassword)
	p.titled("Confirm your e-mail")
	check("confirmation")
	p.click("#to-sign-in")
	p.click("#demo")
	p.visible("#prompt")
	p.click("#account")
	p.wait("the state", `document.getElementById("two-step-state").innerText.startsWith("Off")`)
	p.click("#two-step-set-up")
	secret := p.secret()
	check("account")
	p.enter("#two-step-code", pool.shown(secret))
	p.wait("the state", `document.getElementById("two-step-state").innerText.startsWith("On")`)
	p.click("#sign-out")
	p.click("#demo")
	p.titled("Enter your code")
	check("code")
}
