// The chat page: signs a user in and opens the workspace.
import { Auth, fetchConfig, isSignedOut } from "./streaming-service.js";
import { $, drawIcons, say } from "./chat/dom.js";
import { SignIn } from "./chat/signin.js";
import { startTheme } from "./chat/theme.js";
import { Workspace } from "./chat/workspace.js";

// The refresh token lives as long as the tab; the ID token in memory only.
const TOKEN = "streaming.refreshToken";
// Between tries to go on with a session while the user pool cannot be reached.
const FIRST_PAUSE = 500;
const LAST_PAUSE = 4_000;

async function start() {
  drawIcons();
  startTheme();
  const config = await fetchConfig("config.json");
  const auth = new Auth(config);
  let session = null;

  const workspace = new Workspace(config, (note) => {
    session = null;
    sessionStorage.removeItem(TOKEN);
    view("sign-in");
    signIn.show(note);
  });
  const signIn = new SignIn(auth, config, (signedIn) => {
    session = signedIn;
    sessionStorage.setItem(TOKEN, session.refreshToken);
    signIn.hide();
    view("chat");
    workspace.open(session);
  });
  // The refresh token may have been replaced by a renewal.
  addEventListener("pagehide", () => session && sessionStorage.setItem(TOKEN, session.refreshToken));

  const restored = await restore(auth);
  if (restored) {
    session = restored;
    view("chat");
    workspace.open(restored);
  } else {
    view("sign-in");
    signIn.show(sessionStorage.getItem(TOKEN) ? "The service cannot be reached. Reload the page to go on with your session." : "");
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

start().catch((error) => {
  view("fatal");
  say($("fatal"), `The page could not be started: ${error.message}`);
});
