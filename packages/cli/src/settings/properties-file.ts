/**
 * Files of `key=value` lines: `server.properties`, with fewer rules than the Java ones. White space
 * around key and value does not count, `#` and `!` begin a comment line, nothing is escaped.
 */

export interface Property {
  readonly key: string;
  readonly value: string;
  /** 1 for the first one. */
  readonly line: number;
}

export interface PropertiesFile {
  readonly properties: readonly Property[];
  /** Lines that cannot be read, with what is wrong with them. */
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

/** Gathers what a file says, and refuses a key that it says twice. */
export class PropertyList implements PropertiesFile {
  readonly properties: Property[] = [];
  readonly problems: { readonly line: number; readonly message: string }[] = [];
  readonly #lineOf = new Map<string, number>();

  add(property: Property): void {
    const { key, line } = property;
    const before = this.#lineOf.get(key);
    if (before === undefined) {
      this.#lineOf.set(key, line);
      this.properties.push(property);
    } else {
      this.refuse(line, `"${key}" is set already in line ${before}`);
    }
  }

  refuse(line: number, message: string): void {
    this.problems.push({ line, message });
  }
}

/** Never throws: what cannot be read is told with its line. */
export function parseProperties(text: string): PropertiesFile {
  const list = new PropertyList();
  for (const [at, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\r|\n/)
    .entries()) {
    const line = at + 1;
    const content = raw.trim();
    if (content === "" || content.startsWith("#") || content.startsWith("!")) continue;
    const equals = content.indexOf("=");
    const key = content.slice(0, equals).trim();
    if (equals < 0 || key === "") {
      list.refuse(line, "is not key=value");
      continue;
    }
    if (content.endsWith("\\")) {
      list.refuse(line, "ends with a backslash; a value is one line");
      continue;
    }
    list.add({ key, value: content.slice(equals + 1).trim(), line });
  }
  return { properties: list.properties, problems: list.problems };
}
