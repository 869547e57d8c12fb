import { h } from "./dom.js";
import { TEXTS } from "./signintexts.js";

/**
 * Shows what an authenticator app needs: a QR code, a link for an app on the
 * same device, and the key itself.
 * @param {HTMLElement} place
 * @param {import("../lib/authenticator.js").Authenticator} app
 */
export function showAuthenticator(place, app) {
  const uri = app.uri(TEXTS.issuer);
  const picture = h("canvas", { class: "qr", role: "img", "aria-label": TEXTS.app.picture });
  const copied = h("span", { class: "fine", role: "status" });
  const copy = async () => {
    await navigator.clipboard.writeText(app.secret);
    copied.textContent = TEXTS.app.copied;
  };
  place.replaceChildren(
    h("p", { class: "fine" }, TEXTS.app.steps),
    picture,
    h("a", { class: "link", href: uri }, TEXTS.app.link),
    h("p", { class: "key" }, h("span", {}, `${TEXTS.app.key}: `), h("code", { dir: "ltr", class: "secret" }, grouped(app.secret))),
    h("p", {}, h("button", { type: "button", class: "link", onclick: () => copy().catch(() => {}) }, TEXTS.app.copy), " ", copied),
  );
  draw(picture, uri);
}

/** In groups of four, to be read and typed. */
const grouped = (secret) => secret.replace(/.{4}(?=.)/g, "$& ");

// The library is loaded only where somebody sets up an app.
async function draw(canvas, text) {
  const { generate } = await import("../third_party/lean-qr/nano.mjs");
  generate(text).toCanvas(canvas, { on: [0, 0, 0, 255], off: [255, 255, 255, 255], padX: 4, padY: 4 });
}
