/**
 * Settings as JSON: objects within objects, whose keys, joined with dots, are the settings' names.
 * Read here rather than with `JSON.parse`, which does not say in which line a value stands.
 */
import { type PropertiesFile, PropertyList } from "./properties-file.js";

interface Token {
  /** "{", "}", "[", "]", ":", ",", or what kind of value it is; "end" after the last one. */
  readonly kind: string;
  /** Text of a value. */
  readonly text: string;
  readonly line: number;
}

const DEPTH_MAX = 32;
const TOKEN = /\s*(?:([{}[\]:,])|("(?:[^"\\\n]|\\.)*")|(-?\d[\d.eE+-]*|true|false|null)|(\S))/gy;

/** Why the file cannot be read further. */
class JsonProblem extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Never throws: what cannot be read is told with its line. */
export function parseJsonSettings(text: string): PropertiesFile {
  const list = new PropertyList();
  try {
    const reader = new JsonReader(tokensOf(text.replace(/^\uFEFF/, "")), list);
    reader.readFile();
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    list.refuse(error.line, error.message);
  }
  return { properties: list.properties, problems: list.problems };
}

class JsonReader {
  readonly #tokens: readonly Token[];
  readonly #list: PropertyList;
  #at = 0;

  constructor(tokens: readonly Token[], list: PropertyList) {
    this.#tokens = tokens;
    this.#list = list;
  }

  readFile(): void {
    const first = this.#next();
    if (first.kind !== "{") throw new JsonProblem(first.line, "is not an object: { … }");
    this.#readObject("", 1);
    this.#expect("end");
  }

  /** After its opening brace. */
  #readObject(prefix: string, depth: number): void {
    if (this.#peek().kind === "}") {
      this.#next();
      return;
    }
    for (;;) {
      const key = this.#next();
      if (key.kind !== "string") throw unexpected(key, "a key in quotes");
      this.#expect(":");
      this.#readValue(prefix + key.text, depth);
      const separator = this.#next();
      if (separator.kind === "}") return;
      if (separator.kind !== ",") throw unexpected(separator, '"," or "}"');
    }
  }

  #readValue(key: string, depth: number): void {
    const token = this.#next();
    if (token.kind === "{") {
      if (depth >= DEPTH_MAX) throw new JsonProblem(token.line, "is nested too deep");
      this.#readObject(`${key}.`, depth + 1);
    } else if (token.kind === "[") {
      this.#list.add({ key, value: this.#readList().join(","), line: token.line });
    } else {
      this.#list.add({ key, value: scalar(token), line: token.line });
    }
  }

  /** After its opening bracket. */
  #readList(): string[] {
    const members: string[] = [];
    if (this.#peek().kind === "]") {
      this.#next();
      return members;
    }
    for (;;) {
      members.push(scalar(this.#next()));
      const separator = this.#next();
      if (separator.kind === "]") return members;
      if (separator.kind !== ",") throw unexpected(separator, '"," or "]"');
    }
  }

  #expect(kind: string): void {
    const token = this.#next();
    if (token.kind !== kind) {
      throw unexpected(token, kind === "end" ? "nothing more" : `"${kind}"`);
    }
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "", line: 1 };
  }

  #next(): Token {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }
}

function scalar(token: Token): string {
  if (token.kind === "string" || token.kind === "literal") return token.text;
  throw unexpected(token, "a text, a number, true or false");
}

function unexpected(token: Token, wanted: string): JsonProblem {
  const found = token.kind === "end" ? "the end of the file" : `"${token.text || token.kind}"`;
  return new JsonProblem(token.line, `${wanted} is expected, not ${found}`);
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let counted = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [whole, mark, quoted, literal, stray] = match;
    const begin = match.index + whole.length - whole.trimStart().length;
    for (; counted < begin; counted += 1) if (text[counted] === "\n") line += 1;
    if (stray !== undefined) throw new JsonProblem(line, `"${stray}" does not belong here`);
    if (literal === "null") throw new JsonProblem(line, "null is no value; leave the key out");
    if (mark !== undefined) tokens.push({ kind: mark, text: mark, line });
    if (literal !== undefined) tokens.push({ kind: "literal", text: literal, line });
    if (quoted !== undefined) tokens.push({ kind: "string", text: unquoted(quoted, line), line });
  }
  tokens.push({ kind: "end", text: "", line });
  return tokens;
}

function unquoted(quoted: string, line: number): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw new JsonProblem(line, `${quoted} is no text in JSON`);
  }
}
