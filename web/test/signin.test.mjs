import assert from "node:assert/strict";
import { test } from "node:test";
import { describeSignIn, fieldOf, isConfirmedAlready, isOver } from "../chat/signinproblems.js";
import { PasswordRules } from "../chat/passwordrules.js";
import { TEXTS } from "../chat/signintexts.js";
import { AuthError, ChallengeError, NetworkError } from "../lib/errors.js";

const { problems } = TEXTS;

// What Cognito says, and what a person is told of it.
const told = [
  ["NotAuthorizedException", "Incorrect username or password.", problems.wrongPassword],
  ["NotAuthorizedException", "Password attempts exceeded", problems.lockedOut],
  ["NotAuthorizedException", "User is disabled.", problems.disabled],
  ["NotAuthorizedException", "Temporary password has expired and must be reset by an administrator.", problems.temporaryExpired],
  ["NotAuthorizedException", "User password cannot be reset in the current state.", problems.temporaryUnused],
  ["NotAuthorizedException", "SignUp is not permitted for this user pool", problems.noSignUp],
  ["UserNotFoundException", "User does not exist.", problems.wrongPassword],
  ["UsernameExistsException", "An account with the given email already exists.", problems.exists],
  ["InvalidPasswordException", "Password did not conform with policy: Password not long enough", problems.weakPassword],
  ["InvalidParameterException", "Username should be an email.", problems.noEmail],
  ["InvalidParameterException", "Cannot reset password for the user as there is no registered/verified email or phone_number", problems.noConfirmedEmail],
  ["InvalidParameterException", "1 validation error detected: Value at 'password' failed to satisfy constraint: …", problems.spacedPassword],
  ["CodeMismatchException", "Invalid verification code provided, please try again.", problems.wrongMailedCode],
  ["ExpiredCodeException", "Invalid code provided, please request a code again.", problems.oldMailedCode],
  ["LimitExceededException", "Attempt limit exceeded, please try after some time.", problems.tooOften],
  ["SomethingNewException", "what Cognito says", "what Cognito says"],
];

for (const [code, message, text] of told) {
  test(`${code}: ${message}`, () => assert.equal(describeSignIn(new AuthError(code, message)), text));
}

test("a code of an app is not one of an e-mail", () => {
  assert.equal(describeSignIn(new AuthError("CodeMismatchException", "Invalid code received for user"), true), problems.wrongAppCode);
  assert.equal(describeSignIn(new AuthError("ExpiredCodeException", "Your software token has already been used once."), true), problems.usedAppCode);
  assert.equal(describeSignIn(new AuthError("EnableSoftwareTokenMFAException", "Code mismatch"), true), problems.wrongAppCode);
});

test("what is no refusal", () => {
  assert.equal(describeSignIn(new NetworkError()), problems.unreachable);
  assert.match(describeSignIn(new ChallengeError("SMS_MFA", "a@example.com", "s", "u")), /SMS_MFA/);
});

test("what goes on otherwise", () => {
  assert.ok(isOver(new AuthError("NotAuthorizedException", "Invalid session for the user, session is expired.")));
  assert.ok(!isOver(new AuthError("NotAuthorizedException", "Password attempts exceeded")));
  assert.ok(isConfirmedAlready(new AuthError("NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED")));
  assert.ok(!isConfirmedAlready(new AuthError("CodeMismatchException", "Invalid verification code provided, please try again.")));
  assert.equal(fieldOf(new AuthError("CodeMismatchException", "")), "code");
  assert.equal(fieldOf(new NetworkError()), undefined);
});

test("the rules for passwords", () => {
  const input = { addEventListener() {} };
  const rules = new PasswordRules({ hidden: true }, input, { signIn: { passwordMinimumLength: "8" } });
  assert.ok(rules.binding);
  assert.deepEqual(rules.broken("aB3"), [TEXTS.rules.length(8)]);
  assert.deepEqual(rules.broken("12345678"), [TEXTS.rules.lower, TEXTS.rules.upper]);
  assert.deepEqual(rules.broken("Straße-straße"), [TEXTS.rules.digit]);
  assert.deepEqual(rules.broken("ПарольОдин1"), []);
  for (const config of [{}, { signIn: {} }]) {
    const unknown = new PasswordRules({ hidden: true }, input, config);
    assert.ok(!unknown.binding);
    assert.deepEqual(unknown.broken("short"), [TEXTS.rules.length(12), TEXTS.rules.upper, TEXTS.rules.digit]);
  }
});
