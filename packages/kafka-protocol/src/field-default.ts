/** What a field is when a version does not have it, or an encoder was not given it. */
import type { Field, FieldType } from "./schema.js";

export const ZERO_UUID = "AAAAAAAAAAAAAAAAAAAAAA";

const EMPTY_BYTES = new Uint8Array(0);
/** Shared, and frozen. */
export const EMPTY_ARRAY: readonly unknown[] = Object.freeze([]);

/** Shared by all messages, so not to be changed. */
export function defaultOf(field: Field): unknown {
  return field.default === undefined ? defaultOfType(field.type) : field.default;
}

function defaultOfType(type: FieldType): unknown {
  if (type.kind === "array") return EMPTY_ARRAY;
  if (type.kind === "struct") {
    const value: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(type.fields)) value[name] = defaultOf(field);
    return Object.freeze(value);
  }
  switch (type.name) {
    case "bool":
      return false;
    case "uuid":
      return ZERO_UUID;
    case "string":
      return "";
    case "bytes":
    case "records":
      return EMPTY_BYTES;
    case "int8":
    case "int16":
    case "uint16":
    case "int32":
    case "int64":
      return 0;
  }
}

/** True for what a tagged field need not say. */
export function isDefault(field: Field, value: unknown): boolean {
  if (value === undefined) return true;
  const type = field.type;
  if (value === null || field.default === null) return value === field.default;
  if (type.kind === "array") return (value as readonly unknown[]).length === 0;
  if (type.kind === "struct") {
    const members = value as Readonly<Record<string, unknown>>;
    for (const name in type.fields) {
      if (!isDefault(type.fields[name] as Field, members[name])) return false;
    }
    return true;
  }
  if (type.name === "bytes" || type.name === "records") {
    return (value as { readonly length: number }).length === 0;
  }
  return value === defaultOf(field);
}
