/**
 * Makes the reader of a message out of its schema, once for each version: what a version decides is
 * decided here, and the readers that are left only read.
 */
import { defaultOf, EMPTY_ARRAY } from "./field-default.js";
import type { Field, Fields, FieldType, ScalarName } from "./schema.js";
import { includesVersion } from "./version-range.js";
import { malformed, type WireReader } from "./wire-reader.js";

export type Read<Value = unknown> = (reader: WireReader) => Value;

/** Elements of a list that is not given its length at first. */
const GROWN_COUNT_MAX = 128;

/** Version of a message, and whether that version is flexible. */
export interface Format {
  readonly version: number;
  readonly isFlexible: boolean;
}

/** Fields in the order in which a version has them, the tagged ones apart and by number. */
export function fieldsOf(fields: Fields, version: number) {
  const present = Object.entries(fields).filter(([, field]) =>
    includesVersion(field.versions, version),
  );
  return {
    plain: present.filter(([, field]) => field.tag === undefined),
    tagged: present
      .filter(([, field]) => field.tag !== undefined)
      .sort(([, a], [, b]) => (a.tag as number) - (b.tag as number)),
  };
}

export function compileReader(fields: Fields, format: Format): Read<Record<string, unknown>> {
  const { plain, tagged } = fieldsOf(fields, format.version);
  const steps = plain.map(([name, field]) => ({ name, read: fieldReader(field, format) }));
  const readTags = format.isFlexible ? tagsReader(tagged, format) : undefined;
  // Every message has every field, in one order: objects of one shape are fast to make and to use.
  const template: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) template[name] = defaultOf(field);
  return (reader) => {
    const message = { ...template };
    for (let index = 0; index < steps.length; index++) {
      const step = steps[index] as (typeof steps)[number];
      message[step.name] = step.read(reader);
    }
    if (readTags !== undefined) readTags(reader, message);
    return message;
  };
}

/** Reads the known tagged fields into the message, and passes over the others. */
function tagsReader(tagged: readonly [string, Field][], format: Format) {
  const known = new Map(
    tagged.map(([name, field]) => [field.tag, { name, read: fieldReader(field, format) }]),
  );
  return (reader: WireReader, message: Record<string, unknown>): void => {
    const count = reader.uvarint();
    if (count > reader.tagsMax) throw malformed(`a message has ${count} tagged fields in a place`);
    for (let index = 0; index < count; index++) {
      const tag = reader.uvarint();
      const size = reader.uvarint();
      const from = reader.position;
      reader.skip(size);
      const field = known.get(tag);
      if (field === undefined) continue;
      const end = reader.end;
      reader.end = reader.position;
      reader.position = from;
      message[field.name] = field.read(reader);
      if (reader.position !== reader.end) throw malformed(`tagged field ${tag} has another size`);
      reader.end = end;
    }
  };
}

function fieldReader(field: Field, format: Format): Read {
  const isNullable = includesVersion(field.nullable, format.version);
  return typeReader(field.type, isNullable, format);
}

function typeReader(type: FieldType, isNullable: boolean, format: Format): Read {
  if (type.kind === "array") return arrayReader(type.element, isNullable, format);
  if (type.kind === "struct") {
    const read = compileReader(type.fields, format);
    return isNullable ? (reader) => (reader.int8() < 0 ? null : read(reader)) : read;
  }
  if (type.isSaturating === true) return (reader) => reader.int64Saturated();
  return scalarReader(type.name, isNullable, format.isFlexible);
}

function arrayReader(element: FieldType, isNullable: boolean, format: Format): Read {
  const readElement = typeReader(element, false, format);
  const elementBytesMin = bytesMin(element, format);
  const { isFlexible } = format;
  return (reader) => {
    const declared = isFlexible ? reader.uvarint() - 1 : reader.int32();
    const count = reader.admitCount(declared, elementBytesMin);
    if (count === 0) return EMPTY_ARRAY;
    if (count === -1) return nullOf(isNullable);
    const elements: unknown[] = [];
    // A list that grows as it is filled takes half as much again, and leaves as much behind.
    if (count > GROWN_COUNT_MAX) elements.length = count;
    for (let index = 0; index < count; index++) elements[index] = readElement(reader);
    return elements;
  };
}

function scalarReader(name: ScalarName, isNullable: boolean, isCompact: boolean): Read {
  switch (name) {
    case "bool":
      return (reader) => reader.bool();
    case "int8":
      return (reader) => reader.int8();
    case "int16":
      return (reader) => reader.int16();
    case "uint16":
      return (reader) => reader.uint16();
    case "int32":
      return (reader) => reader.int32();
    case "int64":
      return (reader) => reader.int64();
    case "uuid":
      return (reader) => reader.uuid();
    case "string":
      return isCompact
        ? (reader) => reader.text(reader.uvarint() - 1) ?? nullOf(isNullable)
        : (reader) => reader.text(reader.int16()) ?? nullOf(isNullable);
    case "bytes":
    case "records":
      return isCompact
        ? (reader) => reader.view(reader.uvarint() - 1) ?? nullOf(isNullable)
        : (reader) => reader.view(reader.int32()) ?? nullOf(isNullable);
  }
}

function nullOf(isNullable: boolean): null {
  if (!isNullable) throw malformed("a field is null that must not be");
  return null;
}

const BYTES_MIN = { bool: 1, int8: 1, int16: 2, uint16: 2, int32: 4, int64: 8, uuid: 16 } as const;

/** The fewest bytes that a value takes: what bounds a count by the bytes that are there. */
function bytesMin(type: FieldType, format: Format): number {
  const lengthBytes = format.isFlexible ? 1 : 4;
  if (type.kind === "array") return lengthBytes;
  if (type.kind === "struct") {
    let sum = format.isFlexible ? 1 : 0;
    for (const [, field] of fieldsOf(type.fields, format.version).plain) {
      const isNullable = includesVersion(field.nullable, format.version);
      sum += field.type.kind === "struct" && isNullable ? 1 : bytesMin(field.type, format);
    }
    return sum;
  }
  if (type.name === "string") return format.isFlexible ? 1 : 2;
  if (type.name === "bytes" || type.name === "records") return lengthBytes;
  return BYTES_MIN[type.name];
}
