package cognito_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
	"github.com/pquerna/otp/totp"

	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
)

// sdkUser is a user of a pool who signs in with AWS's own SDK.
type sdkUser struct {
	*cloud
	client *sdk.Client
}

func newSDKUser(t *testing.T, mfa string) sdkUser {
	t.Helper()
	c := newCloud(t, func(p *cognito.UserPool, _ *cognito.Client) { p.MFA, p.SoftwareTokenMFA = mfa, mfa != "OFF" })
	c.signUp()
	return c.withSDK()
}

func (c *cloud) withSDK() sdkUser {
	return sdkUser{c, sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(c.server.URL), Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
	})}
}

func (u sdkUser) initiate() (*sdk.InitiateAuthOutput, error) {
	return u.client.InitiateAuth(u.t.Context(), &sdk.InitiateAuthInput{
		ClientId: &u.cloud.client.ID, AuthFlow: types.AuthFlowTypeUserPasswordAuth, AuthParameters: map[string]string{"USERNAME": email, "PASSWORD": password},
	})
}

// asked signs in with the password and expects a challenge.
func (u sdkUser) asked(challenge types.ChallengeNameType) (session *string) {
	u.t.Helper()
	out, err := u.initiate()
	u.must(err)
	if out.ChallengeName != challenge || out.AuthenticationResult != nil || aws.ToString(out.Session) == "" || out.ChallengeParameters["USER_ID_FOR_SRP"] == "" {
		u.t.Fatalf("signing in: challenge %q %v, want %s", out.ChallengeName, out.ChallengeParameters, challenge)
	}
	return out.Session
}

func (u sdkUser) respond(challenge types.ChallengeNameType, session *string, more ...string) (*sdk.RespondToAuthChallengeOutput, error) {
	answers := map[string]string{"USERNAME": email}
	for i := 0; i+1 < len(more); i += 2 {
		answers[more[i]] = more[i+1]
	}
	return u.client.RespondToAuthChallenge(u.t.Context(), &sdk.RespondToAuthChallengeInput{
		ClientId: &u.cloud.client.ID, ChallengeName: challenge, Session: session, ChallengeResponses: answers,
	})
}

func (u sdkUser) sendCode(session *string, code string) (*sdk.RespondToAuthChallengeOutput, error) {
	return u.respond(types.ChallengeNameTypeSoftwareTokenMfa, session, "SOFTWARE_TOKEN_MFA_CODE", code)
}

// codeOf is what the authenticator shows, so long before now or after.
func (u sdkUser) codeOf(secret string, shift time.Duration) string {
	u.t.Helper()
	code, err := totp.GenerateCode(secret, u.clock.Now().Add(shift))
	u.must(err)
	return code
}

// setUp answers MFA_SETUP and returns the secret.
func (u sdkUser) setUp() (secret string) {
	u.t.Helper()
	associated, err := u.client.AssociateSoftwareToken(u.t.Context(), &sdk.AssociateSoftwareTokenInput{Session: u.asked(types.ChallengeNameTypeMfaSetup)})
	u.must(err)
	secret = aws.ToString(associated.SecretCode)
	verified, err := u.client.VerifySoftwareToken(u.t.Context(), &sdk.VerifySoftwareTokenInput{Session: associated.Session, UserCode: aws.String(u.codeOf(secret, 0))})
	u.must(err)
	if verified.Status != types.VerifySoftwareTokenResponseTypeSuccess {
		u.t.Errorf("verifying ended with %q", verified.Status)
	}
	out, err := u.respond(types.ChallengeNameTypeMfaSetup, verified.Session)
	u.must(err)
	if out.AuthenticationResult == nil || aws.ToString(out.AuthenticationResult.IdToken) == "" {
		u.t.Fatal("no tokens after the set-up")
	}
	return secret
}

// refused expects an exception and, if one is given, its message.
func refused(t *testing.T, what string, err error, code string, message ...string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || len(message) > 0 && api.ErrorMessage() != message[0] {
		t.Errorf("%s: %v, want %s %v", what, err, code, message)
	}
}

func TestMFAIsSetUpWhereItIsRequired(t *testing.T) {
	t.Parallel()
	u := newSDKUser(t, "ON")
	first := u.asked(types.ChallengeNameTypeMfaSetup)
	_, err := u.respond(types.ChallengeNameTypeMfaSetup, first)
	refused(t, "ending a set-up that was not made", err, "SoftwareTokenMFANotFoundException")
	associated, err := u.client.AssociateSoftwareToken(t.Context(), &sdk.AssociateSoftwareTokenInput{Session: first})
	u.must(err)
	if len(aws.ToString(associated.SecretCode)) < 32 {
		t.Errorf("the secret has %d characters", len(aws.ToString(associated.SecretCode)))
	}
	_, err = u.client.AssociateSoftwareToken(t.Context(), &sdk.AssociateSoftwareTokenInput{Session: first})
	refused(t, "a session used twice", err, "NotAuthorizedException", "Invalid session for the user.")
	verify := func(code string) error {
		_, err := u.client.VerifySoftwareToken(t.Context(), &sdk.VerifySoftwareTokenInput{Session: associated.Session, UserCode: &code})
		return err
	}
	refused(t, "no code", verify("abc"), "InvalidParameterException")
	refused(t, "a code of yesterday", verify(u.codeOf(*associated.SecretCode, -24*time.Hour)), "EnableSoftwareTokenMFAException")
	u.must(verify(u.codeOf(*associated.SecretCode, 0))) // the session outlives a wrong code
	refused(t, "a session of a set-up that is made", verify(u.codeOf(*associated.SecretCode, 30*time.Second)), "NotAuthorizedException")
	u.asked(types.ChallengeNameTypeSoftwareTokenMfa) // verified, though this sign-in was not ended
}

func TestCodesOfAnAuthenticator(t *testing.T) {
	t.Parallel()
	u := newSDKUser(t, "ON")
	secret := u.setUp()
	session := u.asked(types.ChallengeNameTypeSoftwareTokenMfa)
	for what, code := range map[string]string{"none": "000000x", "old": u.codeOf(secret, -2*time.Minute), "early": u.codeOf(secret, 2*time.Minute)} {
		_, err := u.sendCode(session, code)
		refused(t, what, err, "CodeMismatchException", "Invalid code received for user")
	}
	_, err := u.sendCode(session, u.codeOf(secret, 0))
	refused(t, "the code of the set-up", err, "ExpiredCodeException", "Your software token has already been used once.")
	_, err = u.respond(types.ChallengeNameTypeSoftwareTokenMfa, session)
	refused(t, "no code", err, "InvalidParameterException")
	_, err = u.client.RespondToAuthChallenge(t.Context(), &sdk.RespondToAuthChallengeInput{
		ClientId: &u.cloud.client.ID, ChallengeName: types.ChallengeNameTypeSoftwareTokenMfa, Session: session,
		ChallengeResponses: map[string]string{"SOFTWARE_TOKEN_MFA_CODE": u.codeOf(secret, 0)},
	})
	refused(t, "nobody's code", err, "InvalidParameterException")

	u.clock.advance(time.Minute)
	code := u.codeOf(secret, 30*time.Second) // a clock that is half a minute ahead
	out, err := u.sendCode(session, code)
	u.must(err)
	if out.AuthenticationResult == nil {
		t.Fatal("no tokens")
	}
	_, err = u.sendCode(session, u.codeOf(secret, time.Minute))
	refused(t, "a session used twice", err, "NotAuthorizedException", "Invalid session for the user.")
	session = u.asked(types.ChallengeNameTypeSoftwareTokenMfa)
	_, err = u.sendCode(session, code)
	refused(t, "a code used twice", err, "ExpiredCodeException")
	_, err = u.sendCode(session, u.codeOf(secret, 0))
	refused(t, "a code older than one that was used", err, "ExpiredCodeException")
	u.clock.advance(3*time.Minute + time.Second)
	_, err = u.sendCode(session, u.codeOf(secret, 0))
	refused(t, "a session that has expired", err, "NotAuthorizedException")
}

func TestWrongCodesLockOut(t *testing.T) {
	t.Parallel()
	u := newSDKUser(t, "ON")
	secret := u.setUp()
	session := u.asked(types.ChallengeNameTypeSoftwareTokenMfa)
	u.clock.advance(time.Minute)
	for range 5 {
		_, err := u.sendCode(session, u.codeOf(secret, -time.Hour))
		refused(t, "a wrong code", err, "CodeMismatchException")
	}
	_, err := u.sendCode(session, u.codeOf(secret, 0))
	refused(t, "the right code after five wrong ones", err, "NotAuthorizedException", "Password attempts exceeded")
	u.clock.advance(time.Second)
	if _, err = u.sendCode(session, u.codeOf(secret, 0)); err != nil {
		t.Errorf("a second later: %v", err)
	}
}

func TestWrongPasswordsLockOut(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.signUp()
	wrong := func(username, message string) {
		t.Helper()
		if out := c.fails("InitiateAuth", passwordAuth(username, "wrong"), "NotAuthorizedException"); out["message"] != message {
			t.Errorf("%s: %v, want %s", username, out["message"], message)
		}
	}
	const mismatch, locked = "Incorrect username or password.", "Password attempts exceeded"
	for _, username := range []string{email, "nobody@example.com"} {
		for range 5 {
			wrong(username, mismatch)
		}
		wrong(username, locked)
	}
	if out := srp(c, email, password); out["message"] != locked {
		t.Errorf("SRP while locked out: %v", out["message"])
	}
	for _, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		c.clock.advance(pause)
		wrong(email, mismatch)
		wrong(email, locked)
	}
	c.clock.advance(8 * time.Second)
	c.signIn()
	wrong(email, mismatch) // the count began anew
	c.signIn()
	for range 5 {
		wrong(email, mismatch)
	}
	c.clock.advance(15*time.Minute + 2*time.Second)
	for range 5 {
		wrong(email, mismatch) // what was long ago does not count
	}
}

func TestMFAIsAChoiceWhereItIsOptional(t *testing.T) {
	t.Parallel()
	u := newSDKUser(t, "OPTIONAL")
	signedIn := func() *string {
		t.Helper()
		out, err := u.initiate()
		u.must(err)
		if out.AuthenticationResult == nil {
			t.Fatalf("challenge %s", out.ChallengeName)
		}
		return out.AuthenticationResult.AccessToken
	}
	token := signedIn()
	prefer := func(enabled bool) error {
		_, err := u.client.SetUserMFAPreference(t.Context(), &sdk.SetUserMFAPreferenceInput{
			AccessToken: token, SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{Enabled: enabled, PreferredMfa: enabled},
		})
		return err
	}
	refused(t, "MFA without an authenticator", prefer(true), "InvalidParameterException", "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA")
	associated, err := u.client.AssociateSoftwareToken(t.Context(), &sdk.AssociateSoftwareTokenInput{AccessToken: token})
	u.must(err)
	if associated.Session != nil {
		t.Error("a session although a token was given")
	}
	_, err = u.client.VerifySoftwareToken(t.Context(), &sdk.VerifySoftwareTokenInput{AccessToken: token, UserCode: aws.String(u.codeOf(*associated.SecretCode, 0))})
	u.must(err)
	signedIn() // it is not asked for yet
	u.must(prefer(true))
	u.asked(types.ChallengeNameTypeSoftwareTokenMfa)
	got, err := u.client.GetUser(t.Context(), &sdk.GetUserInput{AccessToken: token})
	u.must(err)
	if aws.ToString(got.PreferredMfaSetting) != "SOFTWARE_TOKEN_MFA" || strings.Join(got.UserMFASettingList, ",") != "SOFTWARE_TOKEN_MFA" {
		t.Errorf("GetUser tells of %v and %v", aws.ToString(got.PreferredMfaSetting), got.UserMFASettingList)
	}
	u.must(prefer(false))
	signedIn()
	u.must(prefer(true))
	u.asked(types.ChallengeNameTypeSoftwareTokenMfa)
	u.must(u.adminTurnsOff())
	signedIn()
	_, err = u.client.SetUserMFAPreference(t.Context(), &sdk.SetUserMFAPreferenceInput{AccessToken: token, SMSMfaSettings: &types.SMSMfaSettingsType{Enabled: true}})
	refused(t, "SMS", err, "InvalidParameterException")
	_, err = u.client.AssociateSoftwareToken(t.Context(), &sdk.AssociateSoftwareTokenInput{})
	refused(t, "neither token nor session", err, "InvalidParameterException")
}

func TestNoMFAWhereItIsOff(t *testing.T) {
	t.Parallel()
	u := newSDKUser(t, "OFF")
	token := text(u.signIn(), "AccessToken")
	_, err := u.client.AssociateSoftwareToken(t.Context(), &sdk.AssociateSoftwareTokenInput{AccessToken: &token})
	refused(t, "an authenticator", err, "SoftwareTokenMFANotFoundException")
	_, err = u.client.AdminSetUserMFAPreference(t.Context(), &sdk.AdminSetUserMFAPreferenceInput{
		UserPoolId: &u.pool.ID, Username: aws.String(email), SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{Enabled: true},
	})
	refused(t, "MFA", err, "InvalidParameterException")
}

// TestALostAuthenticator: where codes are required, neither the user nor an
// administrator can leave them away, though both are told that they did; a user
// who is signed in can take another authenticator.
func TestALostAuthenticator(t *testing.T) {
	t.Parallel()
	u := newSDKUser(t, "ON")
	secret := u.setUp()
	u.clock.advance(time.Minute)
	out, err := u.sendCode(u.asked(types.ChallengeNameTypeSoftwareTokenMfa), u.codeOf(secret, 0))
	u.must(err)
	token := out.AuthenticationResult.AccessToken
	_, err = u.client.SetUserMFAPreference(t.Context(), &sdk.SetUserMFAPreferenceInput{
		AccessToken: token, SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{},
	})
	u.must(err)
	u.must(u.adminTurnsOff())
	u.clock.advance(time.Minute)
	session := u.asked(types.ChallengeNameTypeSoftwareTokenMfa)

	associated, err := u.client.AssociateSoftwareToken(t.Context(), &sdk.AssociateSoftwareTokenInput{AccessToken: token})
	u.must(err)
	if _, err = u.sendCode(session, u.codeOf(secret, 0)); err != nil {
		t.Errorf("the old authenticator before the new one is verified: %v", err)
	}
	another := aws.ToString(associated.SecretCode)
	_, err = u.client.VerifySoftwareToken(t.Context(), &sdk.VerifySoftwareTokenInput{AccessToken: token, UserCode: aws.String(u.codeOf(another, 0))})
	u.must(err)
	u.clock.advance(time.Minute)
	session = u.asked(types.ChallengeNameTypeSoftwareTokenMfa)
	_, err = u.sendCode(session, u.codeOf(secret, 0))
	refused(t, "the old authenticator", err, "CodeMismatchException")
	if _, err = u.sendCode(session, u.codeOf(another, 0)); err != nil {
		t.Errorf("the new authenticator: %v", err)
	}
}

func (u sdkUser) adminTurnsOff() error {
	_, err := u.client.AdminSetUserMFAPreference(u.t.Context(), &sdk.AdminSetUserMFAPreferenceInput{
		UserPoolId: &u.pool.ID, Username: aws.String(email), SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{},
	})
	return err
}

// TestANewPasswordThenACode: the challenges of a sign-in follow one another.
func TestANewPasswordThenACode(t *testing.T) {
	t.Parallel()
	c := newCloud(t, func(p *cognito.UserPool, _ *cognito.Client) { p.MFA, p.SoftwareTokenMFA = "ON", true })
	u := c.withSDK()
	_, err := u.client.AdminCreateUser(t.Context(), &sdk.AdminCreateUserInput{UserPoolId: &c.pool.ID, Username: aws.String(email), TemporaryPassword: aws.String(password)})
	u.must(err)
	session := u.asked(types.ChallengeNameTypeNewPasswordRequired)
	c.clock.advance(2 * time.Minute)
	_, err = u.respond(types.ChallengeNameTypeNewPasswordRequired, session, "NEW_PASSWORD", "short")
	refused(t, "a weak password", err, "InvalidPasswordException")
	c.clock.advance(2 * time.Minute)
	_, err = u.respond(types.ChallengeNameTypeNewPasswordRequired, session, "NEW_PASSWORD", password)
	refused(t, "a session that a weak password must not prolong", err, "NotAuthorizedException")
	out, err := u.respond(types.ChallengeNameTypeNewPasswordRequired, u.asked(types.ChallengeNameTypeNewPasswordRequired), "NEW_PASSWORD", password)
	u.must(err)
	if out.ChallengeName != types.ChallengeNameTypeMfaSetup || out.AuthenticationResult != nil || out.ChallengeParameters["MFAS_CAN_SETUP"] != `["SOFTWARE_TOKEN_MFA"]` {
		t.Errorf("after the password: %s %v", out.ChallengeName, out.ChallengeParameters)
	}
}

// TestAuthenticatorsOutliveARestart: the secret, that its code was used, and
// whose sign-in is locked, are in a snapshot.
func TestAuthenticatorsOutliveARestart(t *testing.T) {
	t.Parallel()
	u := newSDKUser(t, "ON")
	secret := u.setUp()
	for range 5 {
		u.fails("InitiateAuth", passwordAuth(email, "wrong"), "NotAuthorizedException")
	}
	data, err := u.service.Snapshot()
	u.must(err)
	after := newCloud(t, func(p *cognito.UserPool, _ *cognito.Client) { p.ID = "us-east-1_unrelated" })
	after.clock.now = u.clock.Now()
	after.must(after.service.Restore(data))
	after.pool, err = after.service.PutUserPool(u.pool)
	after.must(err)
	after.client, err = after.service.PutClient(u.cloud.client)
	after.must(err)
	again := after.withSDK()
	_, err = again.initiate()
	refused(t, "a sign-in while locked out", err, "NotAuthorizedException", "Password attempts exceeded")
	after.clock.advance(time.Second)
	session := again.asked(types.ChallengeNameTypeSoftwareTokenMfa)
	_, err = again.sendCode(session, u.codeOf(secret, 0))
	refused(t, "the code of before the restart", err, "ExpiredCodeException")
	after.clock.advance(time.Minute)
	if _, err := again.sendCode(session, again.codeOf(secret, 0)); err != nil {
		t.Errorf("a fresh code: %v", err)
	}
}

// TestTheSessionIsOfOneUserAndClient: it opens nothing to others.
func TestTheSessionIsOfOneUserAndClient(t *testing.T) {
	t.Parallel()
	u := newSDKUser(t, "ON")
	secret := u.setUp()
	u.clock.advance(time.Minute)
	u.ok("AdminCreateUser", object{"Username": "other@example.com", "MessageAction": "SUPPRESS"})
	other, err := u.service.PutClient(cognito.Client{UserPoolID: u.pool.ID, ExplicitAuthFlows: u.cloud.client.ExplicitAuthFlows})
	u.must(err)
	for what, in := range map[string]sdk.RespondToAuthChallengeInput{
		"another user":   {ClientId: &u.cloud.client.ID, ChallengeResponses: map[string]string{"USERNAME": "other@example.com"}},
		"another client": {ClientId: &other.ID, ChallengeResponses: map[string]string{"USERNAME": email}},
	} {
		in.Session, in.ChallengeName = u.asked(types.ChallengeNameTypeSoftwareTokenMfa), types.ChallengeNameTypeSoftwareTokenMfa
		in.ChallengeResponses["SOFTWARE_TOKEN_MFA_CODE"] = u.codeOf(secret, 0)
		_, err := u.client.RespondToAuthChallenge(t.Context(), &in)
		refused(t, what, err, "NotAuthorizedException", "Invalid session for the user.")
	}
	_, err = u.client.AdminRespondToAuthChallenge(t.Context(), &sdk.AdminRespondToAuthChallengeInput{
		UserPoolId: &u.pool.ID, ClientId: &u.cloud.client.ID, ChallengeName: types.ChallengeNameTypeSoftwareTokenMfa, Session: u.asked(types.ChallengeNameTypeSoftwareTokenMfa),
		ChallengeResponses: map[string]string{"USERNAME": email, "SOFTWARE_TOKEN_MFA_CODE": u.codeOf(secret, 0)},
	})
	u.must(err)
}
