// Every text of signing in and of the account, for translation.

export const TEXTS = {
  issuer: "Streaming Service", // what authenticator apps call this service

  forms: {
    signIn: { title: "Sign in", hint: "Ask, and watch the answer being written.", button: "Sign in" },
    signUp: { title: "Create an account", hint: "A code will be sent to your e-mail.", button: "Create account" },
    confirm: { title: "Confirm your e-mail", hint: "Enter the code that was sent to you.", button: "Confirm" },
    forgot: { title: "Forgot password", hint: "A code to set a new one will be sent to your e-mail.", button: "Send the code" },
    reset: { title: "Set a new password", hint: "Enter the code that was sent to you.", button: "Set password" },
    newPassword: { title: "Choose a password", hint: "The one you were given was for the first time only.", button: "Set password" },
    code: { title: "Enter your code", hint: "Your authenticator app shows it.", button: "Sign in" },
    setUp: { title: "Set up two-step sign-in", hint: "This service asks for a code besides the password.", button: "Verify and sign in" },
  },

  email: "E-mail",
  password: "Password",
  newPassword: "New password",
  mailedCode: "Code from the e-mail",
  appCode: "Code of your authenticator app",
  show: "Show",
  hide: "Hide",
  toSignUp: "Create an account",
  toForgot: "Forgot password?",
  toSignIn: "Back to sign in",
  resend: "Send the code again",
  otherWays: "Other ways to sign in",
  demo: "Use the demo account",
  outbox: "This is a local cloud, which sends no mail: ",
  outboxLink: "read the code in its outbox",

  missing: { email: "Enter your e-mail.", password: "Enter the password.", code: "Enter the code." },

  rules: {
    length: (count) => `at least ${count} characters`,
    lower: "a lower-case letter",
    upper: "an upper-case letter",
    digit: "a digit",
    met: "met: ",
    open: "needed: ",
    unmet: (rules) => `The password still needs ${rules.join(", ")}.`,
  },

  notes: {
    sent: (email) => `The code was sent to ${email}.`,
    sentAgain: (email) => `The code was sent to ${email} again.`,
    sentIfKnown: (email) => `If there is an account, the code was sent to ${email}.`,
    unconfirmed: "Your e-mail is not confirmed yet. Enter the code that was sent to you, or have it sent again.",
    confirmed: "Your e-mail is confirmed. Sign in with your password.",
    confirmedAlready: "This account is confirmed already. Sign in.",
    reset: "The password is set. Sign in with it.",
    tookTooLong: "That took too long. Sign in again.",
    signedOut: "You are signed out.",
    signedOutElsewhere: "You are signed out, because you signed out in another tab.",
    unreachable: "The service cannot be reached. Reload the page to go on with your session.",
  },

  problems: {
    unreachable: "The sign-in service cannot be reached.",
    challenge: (name) => `Signing in needs ${name}, which this page cannot do.`,
    demoChanged: "The password of the demo account was changed. Sign in with the new one, or restart the local cloud, which sets it back.",
    wrongPassword: "The e-mail or the password is not right.",
    lockedOut: "Too many wrong tries. Wait a while, then try again.",
    tooOften: "Too many tries. Wait a while before the next one.",
    disabled: "This account is disabled. Ask the operator of this service.",
    noSignUp: "Accounts are made by the operator of this service. Ask there for one.",
    temporaryExpired: "The password that you were given has expired. Ask the operator of this service for a new one.",
    temporaryUnused: "Sign in with the password that you were given. You can choose your own then.",
    resetRequired: "The password has to be set anew: choose “Forgot password?”.",
    exists: "There is an account with this e-mail already. Sign in, or set a new password.",
    noEmail: "This is not an e-mail address.",
    noConfirmedEmail: "No e-mail of this account is confirmed, so no code can be sent. Ask the operator of this service.",
    notDelivered: "The e-mail with the code could not be sent. Try again later.",
    weakPassword: "This password does not follow the rules.",
    spacedPassword: "A password cannot begin or end with a space.",
    wrongMailedCode: "This is not the code from the e-mail.",
    oldMailedCode: "The code has expired. Have it sent again.",
    wrongAppCode: "This is not the code that your app shows now. Look whether the clock of your device is right.",
    usedAppCode: "This code was used already. Wait for the next one.",
    noMFA: "This service does not offer two-step sign-in.",
    mfaRequired: "This service requires two-step sign-in.",
  },

  app: {
    steps: "Scan this with an authenticator app, such as the one of your phone or password manager, or give it the key. Then enter the code that it shows.",
    picture: "QR code of the key, for an authenticator app",
    link: "Open in an app on this device",
    key: "Key",
    copy: "Copy the key",
    copied: "Copied",
  },

  account: {
    button: "Account",
    title: "Your account",
    close: "Close",
    twoStep: "Two-step sign-in",
    on: "On: signing in asks for a code of your authenticator app.",
    off: "Off: your password alone signs you in.",
    setUp: "Set up",
    replace: "Use another app",
    turnOff: "Turn off",
    verify: "Verify",
    verified: "Two-step sign-in is on.",
    turnedOff: "Two-step sign-in is off.",
    signOut: "Sign out",
    signOutHint: "Signs you out in all tabs of this browser.",
    wipe: "Also delete my conversations from this browser",
    wiped: "You are signed out, and your conversations are gone from this browser.",
    notWiped: "You are signed out, but your conversations could not be deleted: close all tabs of this page, then delete its site data.",
  },
};

/** Gives the elements with data-signin their texts, and those with data-signin-label their names. */
export function fillSignInTexts(root = document) {
  for (const element of root.querySelectorAll("[data-signin]")) element.textContent = textOf(element.dataset.signin);
  for (const element of root.querySelectorAll("[data-signin-label]")) element.setAttribute("aria-label", textOf(element.dataset.signinLabel));
}

function textOf(path) {
  const text = path.split(".").reduce((texts, name) => texts?.[name], TEXTS);
  if (typeof text !== "string") throw new Error(`there is no text ${path}`);
  return text;
}
