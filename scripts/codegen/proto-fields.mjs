/** Fields of messages, as the emitters ask about them. */
import path from "node:path";
import { constantName, typeName, upperFirst } from "./proto-text.mjs";
import { protobuf } from "./protobuf.mjs";

const VARINT = 0;
const DELIMITED = 2;
const SCALARS = {
  int32: { type: "number", zero: "0", wire: VARINT, name: "int32" },
  int64: { type: "number", zero: "0", wire: VARINT, name: "int64" },
  bool: { type: "boolean", zero: "false", wire: VARINT, name: "bool" },
  string: { type: "string", zero: '""', wire: DELIMITED, name: "string" },
  bytes: { type: "Uint8Array", zero: "EMPTY_BYTES", wire: DELIMITED, name: "bytes" },
};

/** Everything the emitters ask about a field. `value` is an expression of the element. */
export function describeField(field, context) {
  const isMap = field instanceof protobuf.MapField;
  const element = describeElement(field, context);
  const kind = isMap ? "map" : field.repeated ? "list" : "single";
  const isPacked = kind === "list" && element.wire === VARINT;
  const isOptional = kind === "single" && (field.partOf !== null || element.zero === undefined);
  const types = { map: "ReadonlyMap<string, string>", list: `readonly ${element.type}[]` };
  if (isMap && (field.keyType !== "string" || field.type !== "string")) {
    throw new Error(`${field.fullName}: only map<string, string> is supported`);
  }
  const wire = kind === "map" || isPacked ? DELIMITED : element.wire;
  return {
    name: field.name,
    id: field.id,
    comment: field.comment,
    kind,
    isPacked,
    isOptional,
    oneof: oneofSiblings(field),
    element,
    type: types[kind] ?? element.type,
    tag: field.id * 8 + wire,
    elementTag: field.id * 8 + element.wire,
    context,
  };
}

/** Other members of a real oneof: reading one of them takes the others back. */
function oneofSiblings(field) {
  if (field.partOf === null || field.options?.proto3_optional === true) return [];
  return field.partOf.fieldsArray.filter((other) => other !== field).map((other) => other.name);
}

function describeElement(field, context) {
  const scalar = SCALARS[field.type];
  if (scalar !== undefined) {
    const sizeName = `sizeOf${upperFirst(scalar.name)}`;
    return {
      ...scalar,
      size: (value) => (scalar.name === "bool" ? "1" : `${use(context, sizeName)}(${value})`),
      write: (value) => `writer.${scalar.name}(${value})`,
      read: `reader.${scalar.name}()`,
    };
  }
  if (field.resolvedType instanceof protobuf.Enum) return describeEnum(field.resolvedType, context);
  if (field.resolvedType instanceof protobuf.Type) return describeMessage(field, context);
  throw new Error(`${field.fullName}: type ${field.type} is not supported`);
}

function describeEnum(type, context) {
  const name = typeName(type);
  if (type.filename !== context.filename) throw new Error(`${name}: enums are used where declared`);
  const numbers = `${constantName(name)}_NUMBERS`;
  context.imports.set("../wire/decode-error.js", new Set(["DecodeError"]));
  const [zero] = Object.entries(type.values).find(([, number]) => number === 0);
  return {
    type: name,
    zero: `"${zero}"`,
    isEnum: true,
    wire: VARINT,
    size: (value) => `${use(context, "sizeOfInt32")}(${numbers}[${value}])`,
    write: (value) => `writer.int32(${numbers}[${value}])`,
    read: `read${name}(reader)`,
  };
}

function describeMessage(field, context) {
  const name = typeName(field.resolvedType);
  if (field.resolvedType.filename !== context.filename) {
    const from = `./${moduleName(field.resolvedType.filename).replace(".ts", ".js")}`;
    const names = context.imports.get(from) ?? new Set();
    for (const needed of [`type ${name}`, `sizeOf${name}`, `write${name}`, `read${name}`]) {
      names.add(needed);
    }
    context.imports.set(from, names);
  }
  return {
    type: name,
    zero: undefined,
    isMessage: true,
    wire: DELIMITED,
    size: (value) => `${use(context, "sizeOfDelimited")}(sizeOf${name}(${value}))`,
    write: (value, indent) =>
      `writer.varint(sizeOf${name}(${value}));\n${indent}write${name}(${value}, writer)`,
    read: `read${name}(reader)`,
  };
}

export function use(context, name) {
  context.wire.add(name);
  return name;
}

export function moduleName(file) {
  return `${path.basename(file, ".proto")}.ts`;
}
