// The chat page: signs a user in and opens the workspace.
import { Auth, fetchConfig, isSignedOut } from "./streaming-service.js";
import { Account } from "./chat/account.js";
import { $, drawIcons, say } from "./chat/dom.js";
import { SignIn } from "./chat/signin.js";
import { fillSignInTexts, TEXTS } from "./chat/signintexts.js";
import { signOut, Tabs } from "./chat/signout.js";
import { fillTexts, TEXTS as CHAT_TEXTS } from "./chat/texts.js";
import { startTheme } from "./chat/theme.js";
import { Workspace } from "./chat/workspace.js";

// The refresh token lives as long as the tab; the ID token in memory only.
const TOKEN = "streaming.refreshToken";
// Between tries to go on with a session while the user pool cannot be reached.
const FIRST_PAUSE = 500;
const LAST_PAUSE = 4_000;

async function start() {
  fillTexts();
  drawIcons();
  fillSignInTexts();
  startTheme();
  const config = await fetchConfig("config.json");
  const auth = new Auth(config);
  let session = null;

  const workspace = new Workspace(config, (note) => {
    session = null;
    sessionStorage.removeItem(TOKEN);
    account.use(null);
    view("sign-in");
    signIn.show(note);
  });
  const enter = (signedIn) => {
    session = signedIn;
    account.use(session);
    view("chat");
    workspace.open(session).catch(fail);
  };
  const signIn = new SignIn(auth, config, (signedIn) => {
    sessionStorage.setItem(TOKEN, signedIn.refreshToken);
    signIn.hide();
    enter(signedIn);
  });
  const tabs = new Tabs((user) => user === session?.claims.sub && workspace.signOut(TEXTS.notes.signedOutElsewhere));
  const account = new Account(config, ({ wipe }) => signOut(workspace, tabs, session.claims.sub, wipe));
  // The refresh token may have been replaced by a renewal.
  addEventListener("pagehide", () => session && sessionStorage.setItem(TOKEN, session.refreshToken));

  const restored = await restore(auth);
  if (restored) {
    enter(restored);
  } else {
    view("sign-in");
    signIn.show(sessionStorage.getItem(TOKEN) ? TEXTS.notes.unreachable : "");
  }
}

/** The session of before a reload, or null. */
async function restore(auth) {
  const token = sessionStorage.getItem(TOKEN);
  if (!token) return null;
  const session = auth.restore(token);
  for (let pause = FIRST_PAUSE; ; pause *= 2) {
    try {
      await session.idToken();
      return session;
    } catch (error) {
      if (isSignedOut(error)) sessionStorage.removeItem(TOKEN);
      if (isSignedOut(error) || pause > LAST_PAUSE) return null;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function view(name) {
  document.body.dataset.view = name;
}

function fail(error) {
  view("fatal");
  say($("fatal"), CHAT_TEXTS.notStarted(error.message));
}

start().catch(fail);
