import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCEPTED_FILES, attachmentOf } from "../lib/attachments.js";
import { shortened, withOwnNames } from "../lib/submission.js";

for (const [file, want] of [
  [{ name: "a.PNG", mediaType: "image/png" }, { type: "image", format: "png" }],
  [{ name: "photo.jpg", mediaType: "" }, { type: "image", format: "jpeg" }],
  [{ mediaType: "image/webp" }, { type: "image", format: "webp" }],
  [{ name: "Q3 report (final)_v2.pdf", mediaType: "application/pdf" }, { type: "document", format: "pdf", name: "Q3 report (final) v2" }],
  [{ name: "data.csv", mediaType: "application/vnd.ms-excel" }, { type: "document", format: "csv", name: "data" }],
  [{ name: "notes", mediaType: "text/plain; charset=utf-8" }, { type: "document", format: "txt", name: "notes" }],
  [{ name: "日本.md", mediaType: "" }, { type: "document", format: "md", name: "document" }],
  [{ name: `${"x".repeat(250)}.html`, mediaType: "" }, { type: "document", format: "html", name: "x".repeat(200) }],
]) {
  test(`${file.name ?? file.mediaType} is ${want.format}`, () => assert.deepEqual(attachmentOf({ ...file, size: 1 }), want));
}

for (const [file, want] of [
  [{ name: "film.mp4", mediaType: "video/mp4", size: 1 }, { code: "format" }],
  [{ name: "a.png", size: 0 }, { code: "empty" }],
  [{ name: "a.png", size: 3_932_161 }, { code: "size", limit: 3_932_160, message: "a.png has 3932161 bytes; an image may have 3932160" }],
  [{ name: "a.pdf", size: 4_718_593 }, { code: "size", limit: 4_718_592 }],
]) {
  test(`${file.name} of ${file.size} bytes is refused: ${want.code}`, () => assert.throws(() => attachmentOf(file), { name: "FileError", ...want }));
}

test("a file input accepts types and endings", () => {
  for (const accepted of ["image/jpeg", ".jpg", ".md", "application/pdf"]) assert.ok(ACCEPTED_FILES.split(",").includes(accepted), accepted);
});

test("a conversation that is cut does not begin with results of tools", () => {
  const long = "x".repeat(150_000);
  const result = { role: "user", content: [{ type: "toolResult", toolUseId: "u", content: [{ type: "text", text: long }] }] };
  const answer = { role: "assistant", content: "a" };
  const ask = (content) => ({ role: "user", content });
  const cut = (...messages) => shortened({ messages }).messages.length;
  assert.equal(cut(ask("1"), answer, result, answer, ask("2"), answer, ask(long)), 3);
  assert.equal(cut(ask("1"), answer, ask("2"), answer, result, answer, ask(long)), 1);
  assert.equal(cut(ask(long), answer, result), 3); // there is nothing that could be left out
  assert.equal(cut(ask("1"), answer, ask("2")), 3);
});

test("documents of one name are numbered", () => {
  const document = (name) => ({ type: "document", format: "txt", name, data: "eA==" });
  const ask = (...content) => ({ role: "user", content });
  const { messages } = withOwnNames({ messages: [ask(document("Notes"), document("a")), { role: "assistant", content: "b" }, ask(document("notes"), document("Notes"))] });
  assert.deepEqual([messages[0], messages[2]].map(({ content }) => content.map(({ name }) => name)), [["Notes", "a"], ["notes 2", "Notes 3"]]);
  assert.deepEqual(withOwnNames({ prompt: "Hello" }), { prompt: "Hello" });
});
