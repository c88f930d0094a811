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

/** Never throws: what cannot be read is told with its line. */
export function parseProperties(text: string): PropertiesFile {
  const properties: Property[] = [];
  const problems: { line: number; message: string }[] = [];
  const lineOf = new Map<string, number>();
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
      problems.push({ line, message: "is not key=value" });
      continue;
    }
    if (content.endsWith("\\")) {
      problems.push({ line, message: "ends with a backslash; a value is one line" });
      continue;
    }
    const before = lineOf.get(key);
    if (before !== undefined) {
      problems.push({ line, message: `"${key}" is set already in line ${before}` });
      continue;
    }
    lineOf.set(key, line);
    properties.push({ key, value: content.slice(equals + 1).trim(), line });
  }
  return { properties, problems };
}
