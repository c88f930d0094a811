/**
 * Makes the writer of a message out of its schema, once for each version. A field that the version
 * does not have is left out; one that was not given is written as its default.
 */
import { assert } from "@strandline/model";
import { type Format, fieldsOf } from "./compile-reader.js";
import { defaultOf, isDefault } from "./field-default.js";
import type { Field, Fields, FieldType, ScalarName } from "./schema.js";
import { includesVersion } from "./version-range.js";
import type { Chunks, WireWriter } from "./wire-writer.js";

export type Write = (writer: WireWriter, value: unknown) => void;

type Members = Readonly<Record<string, unknown>>;

interface Step {
  readonly name: string;
  readonly field: Field;
  readonly fallback: unknown;
  readonly write: Write;
}

export function compileWriter(fields: Fields, format: Format): Write {
  const { plain, tagged } = fieldsOf(fields, format.version);
  const toStep = ([name, field]: readonly [string, Field]): Step => ({
    name,
    field,
    fallback: defaultOf(field),
    write: fieldWriter(name, field, format),
  });
  const steps = plain.map(toStep);
  const tags = tagged.map(toStep);
  return (writer, value) => {
    const members = value as Members;
    for (let index = 0; index < steps.length; index++) {
      const step = steps[index] as Step;
      const given = members[step.name];
      step.write(writer, given === undefined ? step.fallback : given);
    }
    if (format.isFlexible) writeTags(writer, members, tags);
  };
}

function writeTags(writer: WireWriter, members: Members, tags: readonly Step[]): void {
  let count = 0;
  for (const { field, name } of tags) if (!isDefault(field, members[name])) count++;
  writer.uvarint(count);
  if (count === 0) return;
  for (const { field, name, write } of tags) {
    if (!isDefault(field, members[name])) {
      writer.tagged(field.tag as number, write, members[name]);
    }
  }
}

function fieldWriter(name: string, field: Field, format: Format): Write {
  const isNullable = includesVersion(field.nullable, format.version);
  const write = typeWriter(field.type, format);
  const writeNull = nullWriter(field.type, format.isFlexible);
  const isMarked = isNullable && field.type.kind === "struct";
  return (writer, value) => {
    if (value === null) {
      assert(isNullable, `${name} is not null in version ${format.version}`);
      writeNull(writer);
      return;
    }
    if (isMarked) writer.int8(1);
    write(writer, value);
  };
}

function nullWriter(type: FieldType, isFlexible: boolean): (writer: WireWriter) => void {
  if (type.kind === "struct") return (writer) => writer.int8(-1);
  if (isFlexible) return (writer) => writer.uvarint(0);
  return type.kind === "scalar" && type.name === "string"
    ? (writer) => writer.int16(-1)
    : (writer) => writer.int32(-1);
}

function typeWriter(type: FieldType, format: Format): Write {
  if (type.kind === "struct") return compileWriter(type.fields, format);
  if (type.kind === "scalar") return scalarWriter(type.name, format.isFlexible);
  const writeElement = typeWriter(type.element, format);
  const { isFlexible } = format;
  return (writer, value) => {
    const elements = value as readonly unknown[];
    if (isFlexible) writer.uvarint(elements.length + 1);
    else writer.int32(elements.length);
    for (let index = 0; index < elements.length; index++) writeElement(writer, elements[index]);
  };
}

function scalarWriter(name: ScalarName, isCompact: boolean): Write {
  switch (name) {
    case "bool":
      return (writer, value) => writer.bool(value as boolean);
    case "int8":
      return (writer, value) => writer.int8(value as number);
    case "int16":
      return (writer, value) => writer.int16(value as number);
    case "uint16":
      return (writer, value) => writer.uint16(value as number);
    case "int32":
      return (writer, value) => writer.int32(value as number);
    case "int64":
      return (writer, value) => writer.int64(value as number);
    case "uuid":
      return (writer, value) => writer.uuid(value as string);
    case "string":
      return (writer, value) => writer.string(value as string, isCompact);
    case "bytes":
    case "records":
      return (writer, value) => writer.bytes(value as Chunks, isCompact);
  }
}
