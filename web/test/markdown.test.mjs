import assert from "node:assert/strict";
import { test } from "node:test";
import { blocksOf, htmlOf, Outline, plain } from "../chat/markdown.js";
import { generator } from "./fakes.mjs";

const html = (text) => blocksOf(text).map(htmlOf);
const kinds = (text) => blocksOf(plain(text)).map(({ token }) => token.type);

test("a text is read into blocks that join to it", () => {
  const text = "# Title\nText\n\n- one\n- two\n\n  more\n\n~~~go\nx\n\ny\n~~~\n\n| a |\n|---|\n| 1 |\n\n$$\nx\n$$\n";
  assert.deepEqual(kinds(text), ["heading", "paragraph", "list", "code", "table", "mathBlock"]);
  for (const { raw, start, end } of blocksOf(text)) assert.equal(text.slice(start, end), raw);
});

test("line ends of other systems move nothing", () => {
  const text = "One\r\nline\r\n\r\n~~~\r\nx\r\n~~~\r\nTwo";
  assert.deepEqual(kinds(text), ["paragraph", "code", "paragraph"]);
  const { start, end } = blocksOf(plain(text)).at(-1);
  assert.equal(plain(text).slice(start, end), "Two");
});

test("HTML is text, and images are links", () => {
  assert.deepEqual(html("a <b>c</b>"), ["<p>a &lt;b&gt;c&lt;/b&gt;</p>"]);
  assert.deepEqual(html("<script>x</script>"), ["&lt;script&gt;x&lt;/script&gt;"]);
  assert.deepEqual(html("![a](http://x/)"), ['<p><a href="http://x/">a</a></p>']);
});

test("what may be money is no formula", () => {
  for (const text of ["$5 and $6", "$ 5 $", "5$ or 6$x", "US$5, US$6"]) assert.ok(!html(text)[0].includes("math"), text);
  for (const text of ["$x$", "$x^2 + 1$.", "\\(x\\)", "$$x$$", "\\[x\\]"]) assert.ok(html(text)[0].includes("math"), text);
  assert.ok(html("`$x$`")[0].includes("<code>$x$</code>"));
});

test("headings have levels without leaps", () => {
  const outline = new Outline();
  const levels = blocksOf("### a\n\n# b\n\n#### c\n\n## d\n\n##### e\n\n###### f\n\n# g").map((block) => {
    outline.enter(block);
    return /^<h(.)/.exec(htmlOf(block))[1];
  });
  assert.deepEqual(levels, ["3", "3", "4", "4", "5", "6", "3"]);
});

test("whatever is written, the blocks stand where they say", () => {
  const random = generator(7);
  const pieces = ["a ", "\n", "\n\n", "- ", "1. ", "# ", "~~~\n", "> ", "| a | b |\n", "|---|---|\n", "**", "`", "$", "$$", "\\(", "<b>", "  ", "[x](y)"];
  for (let round = 0; round < 500; round++) {
    let text = "";
    for (let i = 0; i < 30; i++) text += pieces[Math.floor(random() * pieces.length)];
    const blocks = blocksOf(text);
    const spaced = (source) => source.replace(/\s/g, " "); // a list may end in another white space than the text
    for (const block of blocks) assert.equal(spaced(text.slice(block.start, block.end)), spaced(block.raw), JSON.stringify(text));
    for (const block of blocks) htmlOf(block);
  }
});
