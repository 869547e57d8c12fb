package cognito_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streaming-service/streaming-service/internal/localcloud/awsapi"
	"github.com/streaming-service/streaming-service/internal/localcloud/cognito"
)

func TestAdminUsers(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	created, _ := c.ok("AdminCreateUser", object{"Username": email})["User"].(object)
	if created["UserStatus"] != "FORCE_CHANGE_PASSWORD" {
		t.Errorf("user %v", created)
	}
	temporary := c.code()
	c.fails("ForgotPassword", object{"Username": email}, "NotAuthorizedException")
	asked := c.ok("InitiateAuth", passwordAuth(email, temporary))
	if asked["ChallengeName"] != "NEW_PASSWORD_REQUIRED" || asked["AuthenticationResult"] != nil || text(asked, "Session") == "" {
		t.Fatalf("sign-in with a temporary password: %v", asked["ChallengeName"])
	}
	answer := func(session, text string) object {
		return object{"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": session, "ChallengeResponses": object{"USERNAME": email, "NEW_PASSWORD": text}}
	}
	c.fails("RespondToAuthChallenge", answer("garbage", password), "NotAuthorizedException")
	c.fails("RespondToAuthChallenge", answer(text(asked, "Session"), "short"), "InvalidPasswordException")
	if c.ok("RespondToAuthChallenge", answer(text(asked, "Session"), password))["AuthenticationResult"] == nil {
		t.Error("no tokens after the password was replaced")
	}
	c.fails("RespondToAuthChallenge", answer(text(asked, "Session"), password), "NotAuthorizedException")
	c.ok("AdminSetUserPassword", object{"Username": email, "Password": "Temporary-9"})
	asked = c.ok("InitiateAuth", passwordAuth(email, "Temporary-9"))
	c.clock.advance(3*time.Minute + time.Second)
	c.fails("RespondToAuthChallenge", answer(text(asked, "Session"), password), "NotAuthorizedException")
	c.ok("AdminSetUserPassword", object{"Username": email, "Password": "Temporary-9"})
	c.clock.advance(7*24*time.Hour + time.Second)
	if out := c.fails("InitiateAuth", passwordAuth(email, "Temporary-9"), "NotAuthorizedException"); out["message"] != "Temporary password has expired and must be reset by an administrator." {
		t.Errorf("a temporary password of last week: %v", out["message"])
	}
	c.ok("AdminCreateUser", object{"Username": email, "MessageAction": "RESEND"})
	if asked = c.ok("InitiateAuth", passwordAuth(email, c.code())); asked["ChallengeName"] != "NEW_PASSWORD_REQUIRED" {
		t.Errorf("sign-in with the password of another invitation: %v", asked["ChallengeName"])
	}
	c.fails("AdminCreateUser", object{"Username": "nobody@example.com", "MessageAction": "RESEND"}, "UserNotFoundException")
	c.fails("AdminCreateUser", object{"Username": email, "MessageAction": "SHOUT"}, "InvalidParameterException")
	c.ok("AdminSetUserPassword", object{"Username": email, "Password": password, "Permanent": true})
	c.fails("AdminCreateUser", object{"Username": email, "MessageAction": "RESEND"}, "UnsupportedUserStateException")
	access := c.signIn()["AccessToken"]
	c.ok("AdminDisableUser", object{"Username": email})
	c.fails("InitiateAuth", passwordAuth(email, password), "NotAuthorizedException")
	c.fails("GetUser", object{"AccessToken": access}, "NotAuthorizedException")
	c.ok("AdminEnableUser", object{"Username": email})
	c.ok("GetUser", object{"AccessToken": access})
	c.ok("AdminUserGlobalSignOut", object{"Username": email})
	c.fails("GetUser", object{"AccessToken": access}, "NotAuthorizedException")
	c.ok("AdminDeleteUser", object{"Username": email})
	c.fails("AdminGetUser", object{"Username": email}, "UserNotFoundException")
	c.fails("AdminGetUser", object{"Username": email, "UserPoolId": "us-east-1_nope"}, "ResourceNotFoundException")
}

func TestAdminPermission(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.signUp()
	c.ok("AdminGetUser", object{"Username": email})
	c.guard.mu.Lock()
	signUp, admin := c.guard.calls[0], c.guard.calls[len(c.guard.calls)-1]
	c.guard.refuse = awsapi.AccessDenied("role", "cognito-idp:AdminGetUser", "pool")
	c.guard.mu.Unlock()
	if signUp.Operation != "SignUp" || signUp.AccessKeyID != "" || len(signUp.Permissions) > 0 || signUp.Body != nil {
		t.Errorf("the guard was asked about %+v; a password must not reach it", signUp)
	}
	want := awsapi.Permission{Action: "cognito-idp:AdminGetUser", Resource: "arn:aws:cognito-idp:us-east-1:000000000000:userpool/" + c.pool.ID}
	if admin.AccessKeyID != "AKID" || len(admin.Permissions) != 1 || admin.Permissions[0].Action != want.Action || admin.Permissions[0].Resource != want.Resource {
		t.Errorf("the guard was asked about %+v, want %+v", admin, want)
	}
	c.fails("AdminGetUser", object{"Username": email}, "AccessDeniedException")
}

func TestAdminInitiateAuth(t *testing.T) {
	t.Parallel()
	c := newCloud(t, func(_ *cognito.UserPool, client *cognito.Client) {
		client.ExplicitAuthFlows = []string{"ALLOW_ADMIN_USER_PASSWORD_AUTH"}
	})
	c.signUp()
	in := passwordAuth(email, password)
	in["AuthFlow"] = "ADMIN_USER_PASSWORD_AUTH"
	if c.ok("AdminInitiateAuth", in)["AuthenticationResult"] == nil {
		t.Error("no tokens")
	}
	c.fails("InitiateAuth", in, "InvalidParameterException")
}

func TestGroups(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.signUp()
	c.fails("AdminAddUserToGroup", object{"Username": email, "GroupName": "pro"}, "ResourceNotFoundException")
	c.must(c.service.PutGroup(cognito.Group{UserPoolID: c.pool.ID, Name: "pro"}))
	c.fails("AdminAddUserToGroup", object{"Username": "nobody@example.com", "GroupName": "pro"}, "UserNotFoundException")
	groups := func() int {
		list, _ := c.ok("AdminListGroupsForUser", object{"Username": email})["Groups"].([]any)
		return len(list)
	}
	c.ok("AdminAddUserToGroup", object{"Username": email, "GroupName": "pro"})
	c.ok("AdminAddUserToGroup", object{"Username": email, "GroupName": "pro"})
	if groups() != 1 {
		t.Errorf("%d groups, want 1", groups())
	}
	c.ok("AdminRemoveUserFromGroup", object{"Username": email, "GroupName": "pro"})
	if groups() != 0 {
		t.Errorf("%d groups, want 0", groups())
	}
	c.ok("AdminAddUserToGroup", object{"Username": email, "GroupName": "pro"})
	c.must(c.service.DeleteGroup(c.pool.ID, "pro"))
	if groups() != 0 {
		t.Error("a user stays in a deleted group")
	}
}

func TestListUsers(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for _, name := range []string{"a@example.com", "b@example.com", "c@example.org"} {
		c.ok("AdminCreateUser", object{"Username": name, "MessageAction": "SUPPRESS"})
	}
	if mails := c.outbox(""); len(mails) != 0 {
		t.Errorf("suppressed mails were sent: %v", mails)
	}
	seen := map[string]bool{}
	in := object{"Limit": 2}
	for range 2 {
		out := c.ok("ListUsers", in)
		for _, u := range out["Users"].([]any) {
			seen[text(u.(object), "Username")] = true
		}
		in["PaginationToken"] = out["PaginationToken"]
	}
	if len(seen) != 3 || in["PaginationToken"] != nil {
		t.Errorf("pages hold %d users, then token %v", len(seen), in["PaginationToken"])
	}
	for filter, want := range map[string]int{`email = "b@example.com"`: 1, `email ^= "c@"`: 1, `email = "x"`: 0, `"cognito:user_status" = "FORCE_CHANGE_PASSWORD"`: 3} {
		if users := c.ok("ListUsers", object{"Filter": filter})["Users"].([]any); len(users) != want {
			t.Errorf("%s finds %d users, want %d", filter, len(users), want)
		}
	}
	if users := c.ok("ListUsers", object{"Limit": 0})["Users"].([]any); len(users) != 3 {
		t.Errorf("a limit of 0 lists %d users, want all", len(users))
	}
	c.fails("ListUsers", object{"Filter": "email"}, "InvalidParameterException")
	c.fails("ListUsers", object{"Limit": 61}, "InvalidParameterException")
}

func TestCreateUser(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.must(c.service.PutGroup(cognito.Group{UserPoolID: c.pool.ID, Name: "pro"}))
	first, err := c.service.CreateUser(c.pool.ID, email, "Old-password-9")
	c.must(err)
	second, err := c.service.CreateUser(c.pool.ID, email, password, "pro")
	c.must(err)
	_, id := claims(t, text(c.signIn(), "IdToken"))
	if first != second || id["sub"] != first || id["email_verified"] != true {
		t.Errorf("subs %s, %s; claims %v", first, second, id)
	}
	if _, err := c.service.CreateUser(c.pool.ID, email, password, "nope"); err == nil {
		t.Error("an unknown group is no error")
	}
	if _, err := c.service.CreateUser(c.pool.ID, email, "short"); err == nil {
		t.Error("a short password is no error")
	}
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.must(c.service.PutGroup(cognito.Group{UserPoolID: c.pool.ID, Name: "pro"}))
	c.signUp()
	c.ok("AdminAddUserToGroup", object{"Username": email, "GroupName": "pro"})
	before := c.signIn()
	data, err := c.service.Snapshot()
	c.must(err)
	if strings.Contains(string(data), password) || strings.Contains(string(data), text(before, "RefreshToken")) {
		t.Error("the snapshot holds a password or a refresh token")
	}
	after := newCloud(t, func(p *cognito.UserPool, _ *cognito.Client) { p.ID = "us-east-1_unrelated" })
	c.must(after.service.Restore(data))
	after.pool, err = after.service.PutUserPool(c.pool)
	c.must(err)
	client := c.client
	after.client, err = after.service.PutClient(client)
	c.must(err)
	if _, err := after.service.VerifyIDToken(cognito.UserPoolARN(c.pool.ID), text(before, "IdToken")); err != nil {
		t.Errorf("a token of before the restart: %v", err)
	}
	after.ok("InitiateAuth", refreshAuth(text(before, "RefreshToken")))
	if srp(after, email, password)["AuthenticationResult"] == nil {
		t.Error("SRP fails after a restart")
	}
	_, id := claims(t, text(after.signIn(), "IdToken"))
	_, old := claims(t, text(before, "IdToken"))
	if id["sub"] != old["sub"] || id["cognito:groups"] != nil {
		t.Errorf("claims %v: the group is not declared yet", id)
	}
	after.must(after.service.PutGroup(cognito.Group{UserPoolID: c.pool.ID, Name: "pro"}))
	if _, id := claims(t, text(after.signIn(), "IdToken")); id["cognito:groups"] == nil {
		t.Error("the membership is lost")
	}
	if err := after.service.Restore([]byte("{")); err == nil {
		t.Error("a broken snapshot is no error")
	}
}

func TestIdentityPool(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.signUp()
	provider := cognito.Endpoint(c.pool.ID)
	pool, err := c.service.PutIdentityPool(cognito.IdentityPool{Name: "ids", Providers: []cognito.IdentityProvider{{ClientID: c.client.ID, ProviderName: provider}}})
	c.must(err)
	ask := func(operation string, in string) object {
		_, out := c.ask("AWSCognitoIdentityService."+operation, []byte(in), false)
		return out
	}
	result := c.signIn()
	logins := `"Logins":{"` + provider + `":"` + text(result, "IdToken") + `"}`
	id := text(ask("GetId", `{"IdentityPoolId":"`+pool.ID+`",`+logins+`}`), "IdentityId")
	if again := text(ask("GetId", `{"IdentityPoolId":"`+pool.ID+`",`+logins+`}`), "IdentityId"); id == "" || id != again {
		t.Errorf("identity %q, then %q", id, again)
	}
	for _, in := range []string{`{"IdentityPoolId":"` + pool.ID + `"}`, `{"IdentityPoolId":"` + pool.ID + `","Logins":{"` + provider + `":"x"}}`, `{"IdentityPoolId":"` + pool.ID + `","Logins":{"` + provider + `":"` + text(result, "AccessToken") + `"}}`} {
		if out := ask("GetId", in); out["__type"] != "NotAuthorizedException" {
			t.Errorf("%v", out)
		}
	}
	credentials := `{"IdentityId":"` + id + `",` + logins + `}`
	if out := ask("GetCredentialsForIdentity", credentials); out["__type"] != "InvalidIdentityPoolConfigurationException" {
		t.Errorf("without a role: %v", out)
	}
	c.must(c.service.SetIdentityPoolRole(pool.ID, "role"))
	got, _ := ask("GetCredentialsForIdentity", credentials)["Credentials"].(object)
	if got["AccessKeyId"] != "AKID-role" || got["SecretKey"] != "secret" || got["SessionToken"] != "token" {
		t.Errorf("credentials %v", got)
	}
}

func TestDeclarationsThatAWSRefuses(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	pool := func(change func(*cognito.UserPool)) error {
		p := cognito.UserPool{Name: "x"}
		change(&p)
		_, err := c.service.PutUserPool(p)
		return err
	}
	client := func(change func(*cognito.Client)) error {
		x := cognito.Client{UserPoolID: c.pool.ID}
		change(&x)
		_, err := c.service.PutClient(x)
		return err
	}
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"password length", pool(func(p *cognito.UserPool) { p.PasswordPolicy.MinimumLength = 5 }), "between 6 and 99"},
		{"phone", pool(func(p *cognito.UserPool) { p.UsernameAttributes = []string{"phone_number"} }), "phone_number"},
		{"MFA value", pool(func(p *cognito.UserPool) { p.MFA = "REQUIRED" }), `Invalid MfaConfiguration value "REQUIRED"`},
		{"MFA without a factor", pool(func(p *cognito.UserPool) { p.MFA = "ON" }), "no factor is configured"},
		{"pool of client", client(func(x *cognito.Client) { x.UserPoolID = "us-east-1_nope" }), "does not exist"},
		{"legacy flow", client(func(x *cognito.Client) { x.ExplicitAuthFlows = []string{"USER_PASSWORD_AUTH"} }), "ExplicitAuthFlows"},
		{"existence errors", client(func(x *cognito.Client) { x.PreventUserExistenceErrors = "ON" }), "PreventUserExistenceErrors"},
		{"short access token", client(func(x *cognito.Client) { x.AccessTokenValidity = time.Minute }), "AccessTokenValidity"},
		{"long ID token", client(func(x *cognito.Client) { x.IDTokenValidity = 25 * time.Hour }), "IdTokenValidity"},
		{"short refresh token", client(func(x *cognito.Client) { x.RefreshTokenValidity = time.Minute }), "RefreshTokenValidity"},
		{"group name", c.service.PutGroup(cognito.Group{UserPoolID: c.pool.ID, Name: "a b"}), "group name"},
		{"role of no pool", c.service.SetIdentityPoolRole("nope", "role"), "not found"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: error %v does not mention %q", test.name, test.err, test.want)
		}
	}
}
