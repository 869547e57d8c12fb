// Puts the blocks of an answer together from its frames, applied in their order.
// The Go client has the same rules (protocol.Answer).

/** An answer in the making. */
export class Answer {
  text = "";
  reasoning = "";
  #blocks = [];
  #parts = []; // of a block of which more are to come

  /** The blocks so far. */
  get content() {
    return this.#blocks.map((block) => ({ ...block }));
  }

  get toolUses() {
    return this.#blocks.filter(({ type }) => type === "toolUse");
  }

  /** Appends what the next frame carries, and returns what that was. */
  add(frame) {
    const { type, text = "", signature = "" } = frame;
    if (type === "delta") return this.addText(text);
    if (type === "reasoning" && frame.redacted === undefined) return this.addReasoning(text, signature);
    return type === "reasoning" || type === "toolUse" ? this.#addPart(frame) : {};
  }

  addText(text) {
    if (!text) return {};
    this.text += text;
    const last = this.#blocks.at(-1);
    if (last?.type === "text") last.text += text;
    else this.#blocks.push({ type: "text", text });
    return { text };
  }

  // Text after a signature begins another block of reasoning.
  addReasoning(text, signature) {
    if (!text && !signature) return {};
    this.reasoning += text;
    const last = this.#blocks.at(-1);
    const goesOn = last?.type === "reasoning" && last.redacted === undefined && (!last.signature || !text);
    const block = goesOn ? last : { type: "reasoning", text: "" };
    if (!goesOn) this.#blocks.push(block);
    block.text += text;
    if (signature) block.signature = (block.signature ?? "") + signature;
    return { reasoning: text };
  }

  addWhole(block) {
    this.#blocks.push(block);
    return block.type === "toolUse" ? { toolUses: [block] } : {};
  }

  // Parts come one after the other; what is not the next one of its block is not
  // taken.
  #addPart(frame) {
    const { part, parts } = frame;
    if (part !== this.#parts.length + 1 || (this.#parts.length > 0 && parts !== this.#parts[0].parts)) this.#parts = [];
    if (!parts) return this.addWhole(blockOf(frame, frame.input, frame.redacted));
    if (part !== this.#parts.length + 1) return {};
    this.#parts.push(frame);
    if (part < parts) return {};
    const whole = this.#parts;
    this.#parts = [];
    if (frame.type === "reasoning") return this.addWhole(blockOf(frame, undefined, joinBase64(whole.map(({ redacted }) => redacted))));
    try {
      return this.addWhole(blockOf(frame, JSON.parse(whole.map(({ input }) => input).join(""))));
    } catch {
      return {}; // no input of a tool
    }
  }

  /** Whether other may be what this answer was some time ago. */
  beginsWith(other) {
    const uses = this.toolUses;
    return (
      this.text.startsWith(other.text) && this.reasoning.startsWith(other.reasoning) &&
      other.toolUses.every(({ toolUseId }, i) => uses[i]?.toolUseId === toolUseId)
    );
  }

  /** What this answer has more than other, with which it begins. */
  since(other) {
    return {
      text: this.text.slice(other.text.length),
      reasoning: this.reasoning.slice(other.reasoning.length),
      toolUses: this.toolUses.slice(other.toolUses.length),
    };
  }
}

/** The answer that a state tells: blocks, or text alone from an older service. */
export function answerOf({ text = "", content = [] }) {
  const answer = new Answer();
  for (const block of content) {
    if (block.type === "text") answer.addText(block.text);
    else if (block.type === "reasoning" && block.redacted === undefined) answer.addReasoning(block.text, block.signature ?? "");
    else answer.addWhole(block);
  }
  if (!answer.text) answer.addText(text);
  return answer;
}

function blockOf({ type, toolUseId, name }, input, redacted) {
  return type === "reasoning" ? { type, redacted } : { type, toolUseId, name, input };
}

function joinBase64(pieces) {
  return btoa(pieces.map((piece) => atob(piece)).join(""));
}
