import assert from "node:assert/strict";
import { test } from "node:test";
import { Auth } from "../lib/auth.js";
import { ApiError, AuthError, isSignedOut, NetworkError } from "../lib/errors.js";
import { Clock, reply } from "./fakes.mjs";

function cognito(answers) {
  const clock = new Clock();
  const calls = [];
  const fetch = async (url, init) => {
    const operation = init.headers["X-Amz-Target"].split(".")[1];
    calls.push({ url, operation, input: JSON.parse(init.body) });
    const answer = answers[operation];
    return typeof answer === "string" ? reply(400, { __type: answer, message: "no" }) : reply(200, answer ?? {});
  };
  const config = { region: "eu-west-1", userPoolClientId: "app" };
  const sleep = { asleep: 0, back: 0 }; // what each of the clocks lags behind the time
  const now = () => clock.time - sleep.back;
  const uptime = () => clock.time - sleep.asleep;
  return { auth: new Auth(config, { fetch, now, uptime }), calls, clock, sleep };
}

const tokens = (id, more = {}) => ({ AuthenticationResult: { IdToken: id, RefreshToken: "r", ExpiresIn: 3600, ...more } });

test("signing in", async () => {
  const claims = Buffer.from('{"sub":"u1","email":"ä@example.com"}').toString("base64url");
  const { auth, calls } = cognito({ InitiateAuth: tokens(`h.${claims}.s`) });
  const session = await auth.signIn("a@example.com", "pw");
  assert.equal(await session.idToken(), `h.${claims}.s`);
  assert.deepEqual(session.claims, { sub: "u1", email: "ä@example.com" });
  assert.equal(calls[0].url, "https://cognito-idp.eu-west-1.amazonaws.com/");
  assert.deepEqual(calls[0].input, {
    ClientId: "app", AuthFlow: "USER_PASSWORD_AUTH", AuthParameters: { USERNAME: "a@example.com", PASSWORD: "pw" },
  });
});

test("refusals and challenges", async () => {
  await assert.rejects(cognito({ InitiateAuth: "ns#NotAuthorizedException" }).auth.signIn("a", "b"), { name: "AuthError", code: "NotAuthorizedException" });
  const challenge = { ChallengeName: "NEW_PASSWORD_REQUIRED", Session: "s", ChallengeParameters: { USER_ID_FOR_SRP: "u1" } };
  const { auth, calls } = cognito({ InitiateAuth: challenge, RespondToAuthChallenge: tokens("x") });
  const error = await auth.signIn("a@example.com", "b").catch((e) => e);
  assert.equal(error.challenge, "NEW_PASSWORD_REQUIRED");
  const session = await auth.setNewPassword(error, "fresh");
  assert.equal(await session.idToken(), "x");
  assert.deepEqual(calls[1].input.ChallengeResponses, { USERNAME: "u1", NEW_PASSWORD: "fresh" });
});

test("the token is renewed before it expires, once for all callers", async () => {
  const answers = { InitiateAuth: tokens("one") };
  const { auth, calls, clock } = cognito(answers);
  const session = await auth.signIn("a", "b");
  answers.InitiateAuth = tokens("two", { RefreshToken: undefined });
  clock.time += 57 * 60_000;
  assert.equal(await session.idToken(), "one");
  clock.time += 90_000;
  assert.deepEqual(await Promise.all([session.idToken(), session.idToken()]), ["two", "two"]);
  assert.equal(calls.length, 2);
  await session.renew("one");
  assert.equal(calls.length, 2);
  answers.InitiateAuth = "InternalErrorException";
  clock.time += 59 * 60_000;
  assert.equal(await session.idToken(), "two");
  clock.time += 120_000;
  await assert.rejects(session.idToken(), { code: "InternalErrorException" });
});

// A token that lives five minutes, where access tokens live an hour.
function shortLived(sub, iat = 1_000_000) {
  const claims = Buffer.from(JSON.stringify({ sub, iat, exp: iat + 300 })).toString("base64url");
  return tokens(`h.${claims}.s`);
}

const nameOf = async (session) => (await session.idToken()) && session.claims.sub;

test("an ID token lives its own life, not that of the access token", async () => {
  const answers = { InitiateAuth: shortLived("one") };
  const { auth, clock } = cognito(answers);
  const session = await auth.signIn("a", "b");
  answers.InitiateAuth = shortLived("two");
  clock.time += 239_000;
  assert.equal(await nameOf(session), "one");
  clock.time += 2_000;
  assert.equal(await nameOf(session), "two");
});

for (const [what, iat] of [["behind", 1], ["ahead", 9_000_000_000]]) {
  test(`the clock of the user pool may be ${what}`, async () => {
    const answers = { InitiateAuth: shortLived("one", iat) };
    const { auth, clock } = cognito(answers);
    const session = await auth.signIn("a", "b");
    answers.InitiateAuth = shortLived("two", iat);
    clock.time += 239_000;
    assert.equal(await nameOf(session), "one");
    clock.time += 2_000;
    assert.equal(await nameOf(session), "two");
  });
}

for (const [what, lag] of [["that is set back", { back: 3_600_000 }], ["that stands still while the machine sleeps", { asleep: 600_000 }]]) {
  test(`a clock ${what} keeps no token alive`, async () => {
    const answers = { InitiateAuth: shortLived("one") };
    const { auth, clock, sleep } = cognito(answers);
    const session = await auth.signIn("a", "b");
    answers.InitiateAuth = shortLived("two");
    clock.time += 600_000;
    Object.assign(sleep, lag);
    assert.equal(await nameOf(session), "two");
  });
}

test("callers share one renewal that fails, and the next waits a while", async () => {
  const answers = { InitiateAuth: shortLived("one") };
  const { auth, calls, clock } = cognito(answers);
  const session = await auth.signIn("a", "b");
  answers.InitiateAuth = "TooManyRequestsException";
  clock.time += 241_000;
  await Promise.all(Array.from({ length: 50 }, () => session.idToken()));
  assert.equal(await nameOf(session), "one");
  assert.equal(calls.length, 2);
  answers.InitiateAuth = shortLived("two");
  clock.time += 5_000;
  assert.equal(await nameOf(session), "two");
});

test("a renewal does not undo a sign-out", async () => {
  const { auth } = cognito({ InitiateAuth: shortLived("one") });
  const session = auth.restore("refresh");
  const renewed = assert.rejects(session.idToken(), { code: "NotAuthorizedException" });
  await session.signOut();
  await renewed;
  assert.equal(session.refreshToken, "");
  await assert.rejects(session.idToken(), { code: "NotAuthorizedException" });
});

test("a session ends by a refusal, not by a failure that passes", async () => {
  const { auth } = cognito({ InitiateAuth: "NotAuthorizedException" });
  assert.ok(isSignedOut(await auth.restore("r").idToken().catch((error) => error)));
  for (const exception of ["InternalErrorException", "TooManyRequestsException"]) {
    const { auth } = cognito({ InitiateAuth: exception });
    assert.ok(!isSignedOut(await auth.restore("r").idToken().catch((error) => error)), exception);
  }
  assert.ok(!isSignedOut(new AuthError("UnknownError", "", 502)));
  assert.ok(!isSignedOut(new NetworkError()));
  assert.ok(!isSignedOut(new ApiError(503)));
  assert.ok(isSignedOut(new ApiError(401)));
});

test("signing up, passwords and signing out", async () => {
  const { auth, calls } = cognito({ SignUp: { UserConfirmed: false } });
  assert.deepEqual(await auth.signUp("a@example.com", "pw"), { confirmed: false });
  await auth.confirmSignUp("a@example.com", "123456");
  await auth.resendCode("a@example.com");
  await auth.forgotPassword("a@example.com");
  await auth.resetPassword("a@example.com", "654321", "pw2");
  const session = auth.restore("refresh");
  await session.signOut();
  await assert.rejects(session.idToken(), { code: "NotAuthorizedException" });
  assert.deepEqual(calls.map((call) => call.operation), [
    "SignUp", "ConfirmSignUp", "ResendConfirmationCode", "ForgotPassword", "ConfirmForgotPassword", "RevokeToken",
  ]);
  assert.deepEqual(calls[0].input.UserAttributes, [{ Name: "email", Value: "a@example.com" }]);
  assert.deepEqual(calls[5].input, { ClientId: "app", Token: "refresh" });
});

test("a code of the authenticator app, with another try after a wrong one", async () => {
  const challenge = { ChallengeName: "SOFTWARE_TOKEN_MFA", Session: "s1", ChallengeParameters: { USER_ID_FOR_SRP: "u1" } };
  const answers = { InitiateAuth: challenge, RespondToAuthChallenge: "CodeMismatchException" };
  const { auth, calls } = cognito(answers);
  const asked = await auth.signIn("a@example.com", "b").catch((e) => e);
  await assert.rejects(auth.sendCode(asked, "000000"), { code: "CodeMismatchException" });
  answers.RespondToAuthChallenge = tokens("x");
  assert.equal(await (await auth.sendCode(asked, "123456")).idToken(), "x");
  assert.deepEqual(calls[2].input, {
    ClientId: "app", ChallengeName: "SOFTWARE_TOKEN_MFA", Session: "s1",
    ChallengeResponses: { USERNAME: "u1", SOFTWARE_TOKEN_MFA_CODE: "123456" },
  });
});

test("an authenticator app is set up where it is required", async () => {
  const challenge = { ChallengeName: "MFA_SETUP", Session: "s1", ChallengeParameters: { USER_ID_FOR_SRP: "u1" } };
  const { auth, calls } = cognito({
    InitiateAuth: challenge, AssociateSoftwareToken: { SecretCode: "ABCD", Session: "s2" },
    VerifySoftwareToken: { Status: "SUCCESS", Session: "s3" }, RespondToAuthChallenge: tokens("x"),
  });
  const asked = await auth.signIn("a+b@example.com", "b").catch((e) => e);
  const app = await auth.setUpAuthenticator(asked);
  assert.equal(app.uri("Chat & Co"), "otpauth://totp/Chat%20%26%20Co:a%2Bb%40example.com?secret=ABCD&issuer=Chat%20%26%20Co");
  assert.equal(await (await app.verify("123456")).idToken(), "x");
  assert.deepEqual(calls.slice(1).map(({ operation, input }) => [operation, input]), [
    ["AssociateSoftwareToken", { Session: "s1" }],
    ["VerifySoftwareToken", { Session: "s2", UserCode: "123456" }],
    ["RespondToAuthChallenge", { ClientId: "app", ChallengeName: "MFA_SETUP", Session: "s3", ChallengeResponses: { USERNAME: "u1" } }],
  ]);
});

test("an authenticator app of a signed-in user, with an access token that has ended", async () => {
  const answers = {
    InitiateAuth: tokens("one", { AccessToken: "a1" }), GetUser: "NotAuthorizedException",
    AssociateSoftwareToken: { SecretCode: "ABCD" }, VerifySoftwareToken: { Status: "SUCCESS" }, SetUserMFAPreference: {},
  };
  const { auth, calls } = cognito(answers);
  const session = await auth.signIn("a@example.com", "b");
  answers.InitiateAuth = tokens("two", { AccessToken: "a2" });
  await assert.rejects(session.asksForCodes(), { code: "NotAuthorizedException" });
  answers.GetUser = { UserMFASettingList: ["SOFTWARE_TOKEN_MFA"] };
  assert.equal(await session.asksForCodes(), true);
  answers.GetUser = {};
  assert.equal(await session.asksForCodes(), false);
  await (await session.setUpAuthenticator()).verify("123456");
  await session.removeAuthenticator();
  const prefer = (on) => ["SetUserMFAPreference", { AccessToken: "a2", SoftwareTokenMfaSettings: { Enabled: on, PreferredMfa: on } }];
  assert.deepEqual(calls.map(({ operation, input }) => [operation, input]).slice(1), [
    ["GetUser", { AccessToken: "a1" }], ["InitiateAuth", calls[2].input], ["GetUser", { AccessToken: "a2" }],
    ["GetUser", { AccessToken: "a2" }], ["GetUser", { AccessToken: "a2" }],
    ["AssociateSoftwareToken", { AccessToken: "a2" }], ["VerifySoftwareToken", { AccessToken: "a2", UserCode: "123456" }], prefer(true), prefer(false),
  ]);
});
