/** Emits the three functions of a message, which measure, write and read it, and its codec. */
import { use } from "./proto-fields.mjs";
import { fits, lowerFirst } from "./proto-text.mjs";

/** Local names of the generated readers. */
const RESERVED_FIELDS = new Set(["reader", "tag", "outerEnd", "inner", "number"]);

/** Only what another module calls is exported. */
export function exported(type, context) {
  return context.shared.has(type) ? "export " : "";
}

export function emitCodec(name) {
  const lines = [`export const ${lowerFirst(name)}Codec: MessageCodec<${name}> = messageCodec({`];
  lines.push(`  size: sizeOf${name},`, `  write: write${name},`, `  read: read${name},`, "});\n");
  return lines.join("\n");
}

export function emitSize(name, fields) {
  const parameter = fields.length === 0 ? "_message" : "message";
  const lines = [`function sizeOf${name}(${parameter}: ${name}): number {`];
  if (fields.length === 0) return `${lines[0]}\n  return 0;\n}\n`;
  lines.push("  let size = 0;");
  for (const field of fields) lines.push(sizeOfField(field));
  return `${lines.join("\n")}\n  return size;\n}\n`;
}

function sizeOfField(field) {
  const value = `message.${field.name}`;
  const tagSize = varintSize(field.tag);
  const { context, element } = field;
  if (field.kind === "single") {
    const condition = isPresent(field, value);
    const addition = `size += ${sum(tagSize, element.size(value))};`;
    const line = `  if (${condition}) ${addition}`;
    return fits(line) ? line : `  if (${condition}) {\n    ${addition}\n  }`;
  }
  if (field.kind === "map") {
    use(context, "sizeOfString");
    use(context, "sizeOfDelimited");
    use(context, "assertElementCount");
    return `  if (${value} !== undefined) {
    assertElementCount(${value}.size);
    for (const [key, value] of ${value}) {
      size += ${tagSize} + sizeOfDelimited(2 + sizeOfString(key) + sizeOfString(value));
    }
  }`;
  }
  use(context, "assertElementCount");
  const loop = field.isPacked
    ? `    let packed = 0;
    for (const value of ${value}) packed += ${element.size("value")};
    size += ${tagSize} + ${use(context, "sizeOfDelimited")}(packed);`
    : fitLoop(`for (const value of ${value})`, `size += ${sum(tagSize, element.size("value"))};`);
  return `  if (${isPresent(field, value)}) {
    assertElementCount(${value}.length);
${loop}
  }`;
}

function fitLoop(head, statement) {
  const line = `    ${head} ${statement}`;
  return fits(line) ? line : `    ${head} {\n      ${statement}\n    }`;
}

function sum(tagSize, expression) {
  if (/^\d+$/.test(expression)) return `${tagSize + Number(expression)}`;
  return `${tagSize} + ${expression}`;
}

/** Proto3: a field at its zero is not written; a list when it is empty. */
function isPresent(field, value) {
  if (field.isOptional) return `${value} !== undefined`;
  if (field.kind === "list") return `${value} !== undefined && ${value}.length > 0`;
  if (field.element.isEnum) return `${value} !== undefined && ${value} !== ${field.element.zero}`;
  if (field.element.name === "bytes") {
    return `${use(field.context, "lengthOfChunks")}(${value}) > 0`;
  }
  return value;
}

function varintSize(tag) {
  return tag < 0x80 ? 1 : 2;
}

export function emitWrite(name, fields) {
  const parameters = fields.length === 0 ? ["_message", "_writer"] : ["message", "writer"];
  const [message, writer] = [`${parameters[0]}: ${name}`, `${parameters[1]}: WireWriter`];
  const close = fields.length === 0 ? "}" : "";
  const line = `function write${name}(${message}, ${writer}): void {${close}`;
  const broken = `function write${name}(\n  ${message},\n  ${writer},\n): void {`;
  const body = fields.map((field) => `\n${writeField(field)}`).join("");
  return `${fits(line) ? line : broken + close}${body}${close === "" ? "\n}" : ""}\n`;
}

function writeField(field) {
  const value = `message.${field.name}`;
  if (field.kind === "map") return writeMap(field, value);
  if (field.isPacked) return writePacked(field, value);
  const tag = `writer.varint(${field.tag});`;
  if (field.kind === "list") {
    return `  if (${value} !== undefined) {
    for (const value of ${value}) {
      ${tag}
      ${field.element.write("value", "      ")};
    }
  }`;
  }
  return `  if (${isPresent(field, value)}) {
    ${tag}
    ${field.element.write(value, "    ")};
  }`;
}

function writeMap(field, value) {
  return `  if (${value} !== undefined) {
    for (const [key, value] of ${value}) {
      writer.varint(${field.tag});
      writer.varint(2 + sizeOfString(key) + sizeOfString(value));
      writer.varint(10);
      writer.string(key);
      writer.varint(18);
      writer.string(value);
    }
  }`;
}

function writePacked(field, value) {
  return `  if (${isPresent(field, value)}) {
    let packed = 0;
    for (const value of ${value}) packed += ${field.element.size("value")};
    writer.varint(${field.tag});
    writer.varint(packed);
    for (const value of ${value}) ${field.element.write("value", "")};
  }`;
}

export function emitRead(name, fields) {
  const lines = [`function read${name}(reader: WireReader): ${name} {`];
  const taken = fields.find((field) => RESERVED_FIELDS.has(field.name));
  if (taken !== undefined) throw new Error(`${name}.${taken.name}: the generated code uses it`);
  for (const field of fields) lines.push(declaration(field));
  lines.push("  while (reader.hasMore) {", "    const tag = reader.tag();");
  if (fields.length === 0) lines.push("    reader.skip(tag);");
  else {
    lines.push("    switch (tag) {");
    for (const field of fields) lines.push(readCase(field));
    lines.push("      default:", "        reader.skip(tag);", "    }");
  }
  lines.push("  }");
  const names = fields.map((field) => field.name);
  const line = `  return { ${names.join(", ")} };`;
  if (names.length === 0) lines.push("  return {};");
  else if (fits(line)) lines.push(line);
  else lines.push("  return {", ...names.map((each) => `    ${each},`), "  };");
  return `${lines.join("\n")}\n}\n`;
}

function declaration(field) {
  if (field.kind === "map") return `  const ${field.name} = new Map<string, string>();`;
  if (field.kind === "list") return `  const ${field.name}: ${field.element.type}[] = [];`;
  if (field.isOptional) return `  let ${field.name}: ${field.type} | undefined;`;
  if (field.element.name === "bytes") use(field.context, "EMPTY_BYTES");
  const type = field.element.isEnum || field.element.name === "bytes" ? `: ${field.type}` : "";
  return `  let ${field.name}${type} = ${field.element.zero};`;
}

function readCase(field) {
  const { name, element } = field;
  if (field.kind === "map") return readMapCase(field);
  if (field.isPacked) return readPackedCase(field);
  const into = (value) =>
    field.kind === "list"
      ? `reader.element();\n        ${name}.push(${value});`
      : `${name} = ${value};`;
  const others = field.oneof.map((other) => `        ${other} = undefined;\n`).join("");
  if (element.isMessage) {
    return `      case ${field.tag}: {
        const outerEnd = reader.enter();
        ${into(element.read)}
${others}        reader.leave(outerEnd);
        break;
      }`;
  }
  return `      case ${field.tag}:
        ${into(element.read)}
${others}        break;`;
}

function readMapCase(field) {
  return `      case ${field.tag}: {
        const outerEnd = reader.enter();
        reader.element();
        let key = "";
        let value = "";
        while (reader.hasMore) {
          const inner = reader.tag();
          if (inner === 10) key = reader.string();
          else if (inner === 18) value = reader.string();
          else reader.skip(inner);
        }
        ${field.name}.set(key, value);
        reader.leave(outerEnd);
        break;
      }`;
}

/** Writers pack lists of numbers; readers must take both forms. */
function readPackedCase(field) {
  return `      case ${field.tag}: {
        const outerEnd = reader.enter();
        while (reader.hasMore) {
          reader.element();
          ${field.name}.push(${field.element.read});
        }
        reader.leave(outerEnd);
        break;
      }
      case ${field.elementTag}:
        reader.element();
        ${field.name}.push(${field.element.read});
        break;`;
}
