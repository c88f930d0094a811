/** The generated codecs against protobufjs, which reads the same .proto files by reflection. */
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import type { MessageCodec } from "@strandline/platform";
import fc from "fast-check";
import type * as Protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { protoRoot } from "./grpc/proto-root.js";
import * as rpc from "./index.js";
import { DecodeError } from "./index.js";

type Message = Record<string, unknown>;

const require = createRequire(import.meta.url);
const protobuf = createRequire(require.resolve("@grpc/proto-loader"))(
  "protobufjs",
) as typeof Protobuf;

const RENAMED: Readonly<Record<string, string>> = { Error: "ErrorDetail", Record: "RecordMessage" };
const SAFE = fc.maxSafeInteger();
const INT32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const TEXT = fc.string({ unit: "grapheme", maxLength: 40 });
const SCALARS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  int32: INT32,
  int64: SAFE,
  bool: fc.boolean(),
  string: TEXT,
  bytes: fc.uint8Array({ maxLength: 300 }),
};

function loadTypes(): readonly Protobuf.Type[] {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => `${protoRoot()}/${target}`;
  const names = readdirSync(protoRoot(), { recursive: true, encoding: "utf8" });
  root.loadSync(
    names.filter((name) => name.endsWith(".proto")),
    { keepCase: false },
  );
  root.resolveAll();
  return [...typesOf(root)];
}

function* typesOf(parent: Protobuf.NamespaceBase): Generator<Protobuf.Type> {
  for (const member of parent.nestedArray) {
    if (member instanceof protobuf.Type) yield member;
    if (member instanceof protobuf.Namespace) yield* typesOf(member);
  }
}

function codecOf(type: Protobuf.Type): MessageCodec<Message> {
  const name = RENAMED[type.name] ?? type.name;
  const key = `${name.charAt(0).toLowerCase()}${name.slice(1)}Codec`;
  return (rpc as unknown as Record<string, MessageCodec<Message>>)[key] as MessageCodec<Message>;
}

function isPresenceTracked(field: Protobuf.Field): boolean {
  return field.partOf !== null || field.resolvedType instanceof protobuf.Type;
}

function elementOf(field: Protobuf.Field): fc.Arbitrary<unknown> {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Enum) {
    return fc.constantFrom(...Object.keys(resolvedType.values));
  }
  if (resolvedType instanceof protobuf.Type) return messageOf(resolvedType);
  return SCALARS[field.type] as fc.Arbitrary<unknown>;
}

function fieldValueOf(field: Protobuf.Field): fc.Arbitrary<unknown> {
  if (field.map) {
    const entries = fc.uniqueArray(fc.tuple(TEXT, TEXT), { maxLength: 5, selector: ([k]) => k });
    const harmless = entries.filter((list) => list.every(([key]) => key !== "__proto__"));
    return harmless.map((list) => new Map(list));
  }
  if (field.repeated) return fc.array(elementOf(field), { maxLength: 5 });
  const element = elementOf(field);
  return isPresenceTracked(field) ? fc.option(element, { nil: undefined }) : element;
}

/** A message in our shape; of a oneof at most one member is set. */
function messageOf(type: Protobuf.Type): fc.Arbitrary<Message> {
  const shape: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of type.fieldsArray) shape[field.name] = fieldValueOf(field);
  const choices = type.oneofsArray.filter((each) => each.fieldsArray.length > 1);
  return fc.tuple(fc.record(shape), fc.nat()).map(([message, choice]) => {
    for (const { fieldsArray } of choices) {
      fieldsArray.forEach((field, index) => {
        if (index !== choice % fieldsArray.length) message[field.name] = undefined;
      });
    }
    return message;
  });
}

/** The same message for protobufjs, with or without the fields that proto3 need not write. */
function toReference(type: Protobuf.Type, message: Message, withZeros: boolean): Message {
  const result: Message = {};
  for (const field of type.fieldsArray) {
    const value = message[field.name];
    if (value === undefined) continue;
    const isKept = withZeros || isPresenceTracked(field) || !isZero(field, value);
    if (isKept) result[field.name] = referenceValue(field, value, withZeros);
  }
  return result;
}

function referenceValue(field: Protobuf.Field, value: unknown, withZeros: boolean): unknown {
  if (field.map) return Object.fromEntries(value as Map<string, string>);
  const { resolvedType } = field;
  if (!(resolvedType instanceof protobuf.Type)) return value;
  const convert = (each: unknown) => toReference(resolvedType, each as Message, withZeros);
  return Array.isArray(value) ? value.map(convert) : convert(value);
}

function isZero(field: Protobuf.Field, value: unknown): boolean {
  if (field.repeated || field.map) return false;
  if (value instanceof Uint8Array) return value.length === 0;
  if (field.resolvedType instanceof protobuf.Enum)
    return field.resolvedType.values[value as string] === 0;
  return value === 0 || value === "" || value === false;
}

function referenceBytes(type: Protobuf.Type, message: Message, withZeros: boolean): Uint8Array {
  return type.encode(type.fromObject(toReference(type, message, withZeros))).finish();
}

const TYPES = loadTypes();

/** Fields that no message here has: one of each wire type, and groups. */
const UNKNOWN_FIELDS = [
  [0xa0, 0x3f, 0x96, 0x01],
  [0xa1, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8],
  [0xa2, 0x3f, 3, 1, 2, 3],
  [0xa3, 0x3f, 0x08, 0x01, 0xab, 0x3f, 0xac, 0x3f, 0xa4, 0x3f],
  [0xa5, 0x3f, 1, 2, 3, 4],
];

describe("generated codecs", () => {
  it("exist for every message of every .proto file", () => {
    expect(TYPES.length).toBeGreaterThan(60);
    expect(TYPES.filter((type) => codecOf(type) === undefined)).toEqual([]);
  });

  describe.each(TYPES.map((type) => [type.name, type] as const))("%s", (_name, type) => {
    const codec = codecOf(type);

    it("encodes to the bytes that protobufjs writes", () => {
      fc.assert(
        fc.property(messageOf(type), (message) => {
          const expected = Buffer.from(referenceBytes(type, message, false));
          expect(Buffer.from(codec.encode(message)).equals(expected)).toBe(true);
        }),
        { numRuns: 50 },
      );
    });

    it("decodes what protobufjs writes, zeros and unknown fields included", () => {
      fc.assert(
        fc.property(messageOf(type), fc.subarray(UNKNOWN_FIELDS), (message, unknown) => {
          const bytes = Buffer.from([...unknown.flat(), ...referenceBytes(type, message, true)]);
          expect(codec.decode(bytes)).toEqual(message);
        }),
        { numRuns: 50 },
      );
    });

    it("decodes or refuses any bytes, and fails in no other way", () => {
      const cut = messageOf(type).chain((message) => {
        const bytes = codec.encode(message);
        return fc.nat({ max: bytes.length }).map((length) => bytes.subarray(0, length));
      });
      fc.assert(
        fc.property(fc.oneof(cut, fc.uint8Array({ maxLength: 60 })), (bytes) => {
          try {
            codec.decode(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        }),
        { numRuns: 100 },
      );
    });
  });
});
