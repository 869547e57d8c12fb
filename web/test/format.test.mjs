import assert from "node:assert/strict";
import { test } from "node:test";
import { flatten, format } from "../chat/format.js";
import { generator } from "./fakes.mjs";

const tags = (text) => format(text).flatMap((block) => block.nodes.map((node) => node.tag));

test("blocks", () => {
  assert.deepEqual(tags("One.\n\nTwo\nlines.\n"), ["p", "p"]);
  assert.deepEqual(tags("# Title\nText\n- one\n- two\n  more\n1. three"), ["h", "p", "li", "li", "li"]);
  assert.deepEqual(tags("Before\n```go\nx := 1\n\ny\n```\nAfter"), ["p", "pre", "p"]);
  assert.deepEqual(tags("```\nnot closed **yet**"), ["pre"]);
  assert.deepEqual(tags("a - b * c\n-5 degrees"), ["p"]);
});

test("code keeps its text and names its language", () => {
  const [pre] = format("```go\nx := `1`\n```\n")[0].nodes;
  assert.equal(pre.lang, "go");
  assert.deepEqual(pre.children.map((child) => [child.tag, child.text]), [
    ["mark", "```go\n"], ["code", "x := `1`\n"], ["mark", "```\n"],
  ]);
});

test("spans", () => {
  const [p] = format("a **b c** `d*e` ** f ** *h i* 2*3*4 `g").at(0).nodes;
  assert.deepEqual(p.children.filter((child) => child.tag !== "mark").map((child) => [child.tag, child.text]), [
    ["text", "a "], ["strong", "b c"], ["text", " "], ["code", "d*e"], ["text", " ** f ** "], ["em", "h i"], ["text", " 2*3*4 `g"],
  ]);
});

test("markup is text", () => {
  const text = '<script>alert(1)</script> <img src=x onerror=alert(1)> [a](javascript:alert(1)) &lt;';
  assert.deepEqual(format(text)[0].nodes, [{ tag: "p", children: [{ tag: "text", text }] }]);
});

test("no character is ever lost, whatever the model writes", () => {
  const random = generator(11);
  const pieces = ["a", " ", "\n", "\n\n", "```", "`", "**", "*", "- ", "1. ", "# ", "<b>", "é", "👩‍🚀", "\t", "~~~", "\r\n", "  ", "go", "\u0000"];
  for (let round = 0; round < 3_000; round++) {
    const text = Array.from({ length: random() * 24 }, () => pieces[Math.floor(random() * pieces.length)]).join("");
    const blocks = format(text);
    assert.equal(blocks.map((block) => block.source).join(""), text);
    for (const block of blocks) assert.equal(flatten(block.nodes), block.source, JSON.stringify(text));
    for (const tag of tags(text)) assert.match(tag, /^(p|pre|li|h|mark)$/);
  }
});
