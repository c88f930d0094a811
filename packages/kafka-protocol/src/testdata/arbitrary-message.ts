/**
 * Messages of any schema, for property tests: what a version has is anything that it admits, and
 * what it lacks is the default, so that a decoder gives back what was encoded.
 */
import { uuidText } from "@strandline/model";
import fc from "fast-check";
import { defaultOf } from "../field-default.js";
import type { Field, Fields, FieldType } from "../schema.js";
import { includesVersion } from "../version-range.js";

type AnyMessage = Readonly<Record<string, unknown>>;

export function arbitraryMessage(fields: Fields, version: number): fc.Arbitrary<AnyMessage> {
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [name, field] of Object.entries(fields))
    members[name] = arbitraryField(field, version);
  return fc.record(members, { noNullPrototype: true });
}

function arbitraryField(field: Field, version: number): fc.Arbitrary<unknown> {
  if (!includesVersion(field.versions, version)) return fc.constant(defaultOf(field));
  const value = arbitraryOf(field.type, version);
  const isNullable = includesVersion(field.nullable, version);
  const orNull = isNullable ? fc.option(value, { freq: 4 }) : value;
  if (field.tag === undefined) return orNull;
  return fc.oneof(orNull, fc.constant(defaultOf(field)));
}

function arbitraryOf(type: FieldType, version: number): fc.Arbitrary<unknown> {
  if (type.kind === "struct") return arbitraryMessage(type.fields, version);
  if (type.kind === "array") {
    return fc.array(arbitraryOf(type.element, version), { maxLength: 3 });
  }
  switch (type.name) {
    case "bool":
      return fc.boolean();
    case "int8":
      return fc.integer({ min: -128, max: 127 });
    case "int16":
      return fc.integer({ min: -32_768, max: 32_767 });
    case "uint16":
      return fc.integer({ min: 0, max: 65_535 });
    case "int32":
      return fc.integer();
    case "int64":
      return fc.maxSafeInteger();
    case "uuid":
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => uuidText(bytes));
    case "string":
      return fc.string({ unit: "grapheme", maxLength: 12 });
    case "bytes":
    case "records":
      return fc.uint8Array({ maxLength: 20 });
  }
}
