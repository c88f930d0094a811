/**
 * Settings as YAML: the part of it that settings need. Maps within maps, whose keys, joined with
 * dots, are the settings' names; values of one line, plain or in quotes; lists of such values.
 * Whatever else YAML has is refused with its line: a value must never be read as something else
 * than whoever wrote it meant.
 */
import { type PropertiesFile, PropertyList } from "./properties-file.js";

interface Level {
  /** Columns before the keys of this map. */
  readonly indent: number;
  /** Of its keys: "" or ends with a dot. */
  readonly prefix: string;
}

/** A key whose value has not come yet: a map or a list may follow. */
interface OpenKey {
  readonly key: string;
  readonly indent: number;
  readonly line: number;
  readonly members: string[];
}

const KEY = /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'#:{}[\],&*!|>%@`-][^:#"']*?)\s*:(?:\s+(.*))?$/;

/** Never throws: what cannot be read is told with its line. */
export function parseYamlSettings(text: string): PropertiesFile {
  const reader = new YamlReader();
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  for (const [at, raw] of lines.entries()) reader.readLine(raw, at + 1);
  return reader.finish();
}

class YamlReader {
  readonly #list = new PropertyList();
  readonly #levels: Level[] = [{ indent: 0, prefix: "" }];
  #open: OpenKey | undefined;

  readLine(raw: string, line: number): void {
    const content = raw.trim();
    if (content === "" || content.startsWith("#")) return;
    if (content === "---" && this.#list.properties.length === 0 && this.#open === undefined) return;
    const indent = raw.length - raw.trimStart().length;
    if (raw.slice(0, indent).includes("\t")) {
      this.#list.refuse(line, "is indented with a tab; use spaces");
    } else if (content === "-" || content.startsWith("- ")) {
      this.#member(content.slice(1).trim(), indent, line);
    } else {
      this.#entry(content, indent, line);
    }
  }

  finish(): PropertiesFile {
    this.#close();
    return { properties: this.#list.properties, problems: this.#list.problems };
  }

  /** One more member of the list that the key before has for its value. */
  #member(text: string, indent: number, line: number): void {
    const open = this.#open;
    if (open === undefined || indent < open.indent) {
      this.#list.refuse(line, "is a list's member, but no key is open");
      return;
    }
    const value = scalarOf(text);
    if ("problem" in value) this.#list.refuse(line, value.problem);
    else open.members.push(value.value);
  }

  #entry(content: string, indent: number, line: number): void {
    if (!this.#moveTo(indent, line)) return;
    const match = KEY.exec(content);
    if (match === null) {
      this.#list.refuse(line, "is not key: value");
      return;
    }
    const key = `${this.#levels.at(-1)?.prefix}${unquoted(match[1] ?? "")}`;
    const rest = withoutComment(match[2] ?? "");
    if (rest === "") {
      this.#open = { key, indent, line, members: [] };
      return;
    }
    const value = rest.startsWith("[") ? flowList(rest) : scalarOf(rest);
    if ("problem" in value) this.#list.refuse(line, value.problem);
    else this.#list.add({ key, value: value.value, line });
  }

  /** Finds the map that a line of this indentation belongs to. */
  #moveTo(indent: number, line: number): boolean {
    const open = this.#open;
    if (open !== undefined && open.members.length === 0 && indent > open.indent) {
      this.#levels.push({ indent, prefix: `${open.key}.` });
      this.#open = undefined;
      return true;
    }
    this.#close();
    while (indent < (this.#levels.at(-1)?.indent ?? 0)) this.#levels.pop();
    if (indent === this.#levels.at(-1)?.indent) return true;
    this.#list.refuse(line, "is indented like no line above it");
    return false;
  }

  #close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    this.#list.add({ key: open.key, value: open.members.join(","), line: open.line });
  }
}

type Read = { readonly value: string } | { readonly problem: string };

function scalarOf(text: string): Read {
  const quoted = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*(#.*)?$/.exec(text);
  if (quoted !== null) return { value: unquoted(quoted[1] ?? "") };
  const plain = withoutComment(text);
  if (/^[{}[\]&*!|>%@`"']/.test(plain)) {
    return { problem: `"${plain}" is no text or number of one line` };
  }
  if (/:\s|:$/.test(plain)) return { problem: `"${plain}" has a colon; put it in quotes` };
  if (plain === "~" || plain === "null") return { problem: "null is no value; leave the key out" };
  return { value: plain };
}

/** `[a, b]`, on one line. */
function flowList(text: string): Read {
  const match = /^\[(.*)\]$/.exec(text);
  if (match === null) return { problem: "has a list that does not end in this line" };
  const inner = (match[1] ?? "").trim();
  if (inner === "") return { value: "" };
  const members: string[] = [];
  for (const part of inner.split(",")) {
    const member = scalarOf(part.trim());
    if ("problem" in member) return member;
    members.push(member.value);
  }
  return { value: members.join(",") };
}

/** A comment begins with a number sign after white space. */
function withoutComment(text: string): string {
  if (text.startsWith('"') || text.startsWith("'")) return text;
  return text.replace(/(^|\s)#.*$/, "").trim();
}

function unquoted(text: string): string {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  if (!text.startsWith('"')) return text;
  return text
    .slice(1, -1)
    .replace(/\\(.)/g, (_, letter: string) => ({ n: "\n", t: "\t" })[letter] ?? letter);
}
