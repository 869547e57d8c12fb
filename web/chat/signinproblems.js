import { TEXTS } from "./signintexts.js";

const { problems } = TEXTS;

// What Cognito's exceptions mean where their names alone say it.
const BY_NAME = {
  UserNotFoundException: problems.wrongPassword,
  UsernameExistsException: problems.exists,
  InvalidPasswordException: problems.weakPassword,
  LimitExceededException: problems.tooOften,
  TooManyRequestsException: problems.tooOften,
  TooManyFailedAttemptsException: problems.tooOften,
  PasswordResetRequiredException: problems.resetRequired,
  CodeDeliveryFailureException: problems.notDelivered,
  EnableSoftwareTokenMFAException: problems.wrongAppCode,
  SoftwareTokenMFANotFoundException: problems.noMFA,
};

// What they mean where one name stands for much, by their messages.
const BY_MESSAGE = [
  [/attempts exceeded/i, problems.lockedOut],
  [/disabled/i, problems.disabled],
  [/temporary password has expired/i, problems.temporaryExpired],
  [/cannot be reset in the current state/i, problems.temporaryUnused],
  [/sign-?up is not permitted/i, problems.noSignUp],
  [/no registered\/verified email/i, problems.noConfirmedEmail],
  [/should be an email|invalid email/i, problems.noEmail],
  [/'password' failed to satisfy/i, problems.spacedPassword],
  [/'userCode' failed to satisfy/i, problems.wrongAppCode],
];

/**
 * What to tell a person who could not sign in.
 * @param {Error} error
 * @param {boolean} [app] whether a code is one of an authenticator app, not of an e-mail
 */
export function describeSignIn(error, app = false) {
  if (error.name === "NetworkError") return problems.unreachable;
  if (error.name === "ChallengeError") return problems.challenge(error.challenge);
  if (error.code === "CodeMismatchException") return app ? problems.wrongAppCode : problems.wrongMailedCode;
  if (error.code === "ExpiredCodeException") return app ? problems.usedAppCode : problems.oldMailedCode;
  const meant = BY_NAME[error.code] ?? BY_MESSAGE.find(([pattern]) => pattern.test(error.message))?.[1];
  return meant ?? (error.code === "NotAuthorizedException" ? problems.wrongPassword : error.message);
}

const FIELDS = {
  CodeMismatchException: "code",
  ExpiredCodeException: "code",
  EnableSoftwareTokenMFAException: "code",
  InvalidPasswordException: "password",
  NotAuthorizedException: "password",
  UsernameExistsException: "email",
};

/** The field in which something is to be changed, if it is one. */
export const fieldOf = (error) => FIELDS[error.code];

/** Whether the session of a challenge is over, so that the sign-in begins anew. */
export const isOver = (error) => error.code === "NotAuthorizedException" && /session/i.test(error.message);

/** Whether a code was refused because the account needs none any more. */
export const isConfirmedAlready = (error) => /current status is CONFIRMED|already confirmed/i.test(error.message);
