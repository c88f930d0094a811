/**
 * The language in which messages are described: fields in wire order, each with its type and the
 * versions that have it. A description is data, from which codecs are compiled, and a type: what
 * a decoder returns and what an encoder takes are inferred from it.
 *
 * The order of a message's fields is the order in which they are written down.
 */

import { ALL_VERSIONS, NO_VERSIONS, type VersionRange, versionRange } from "./version-range.js";
import type { Chunks } from "./wire-writer.js";

export type ScalarName =
  | "bool"
  | "int8"
  | "int16"
  | "uint16"
  | "int32"
  | "int64"
  | "uuid"
  | "string"
  | "bytes"
  | "records";

export type FieldType =
  | { readonly kind: "scalar"; readonly name: ScalarName; readonly isSaturating?: boolean }
  | { readonly kind: "array"; readonly element: FieldType }
  | { readonly kind: "struct"; readonly fields: Fields };

declare const inferred: unique symbol;

/** One field. The parameters exist for inference alone: nothing of them is there at run time. */
export interface Field<
  Decoded = unknown,
  Encodable = unknown,
  IsOptional extends boolean = boolean,
> {
  readonly type: FieldType;
  /** Versions that have the field; in others a decoder gives its default. */
  readonly versions: VersionRange;
  readonly nullable: VersionRange;
  /** A tagged field is written behind all others, under this number, unless it is the default. */
  readonly tag: number | undefined;
  /** Undefined: that of the type, which is zero, false, or empty. */
  readonly default: unknown;
  readonly [inferred]?: {
    readonly decoded: Decoded;
    readonly encodable: Encodable;
    readonly isOptional: IsOptional;
  };
}

export type Fields = Readonly<Record<string, Field>>;

interface Options<Value> {
  readonly versions?: string;
  readonly nullable?: string;
  readonly tag?: number;
  readonly default?: Value | null;
}

type None = Record<never, never>;
type OrNull<Value, O> = O extends { readonly nullable: string } ? Value | null : Value;
/** What not every version has, or has a default of its own, an encoder need not be given. */
type Omissible<O> = O extends
  | { readonly versions: string }
  | { readonly tag: number }
  | { readonly default: unknown }
  ? true
  : false;
type Made<Decoded, Encodable, O> = Field<OrNull<Decoded, O>, OrNull<Encodable, O>, Omissible<O>>;

export type DecodedOf<F extends Field> =
  F extends Field<infer Decoded, unknown, boolean> ? Decoded : never;
export type EncodableOf<F extends Field> =
  F extends Field<unknown, infer Encodable, boolean> ? Encodable : never;
type IsOptional<F extends Field> =
  F extends Field<unknown, unknown, infer Optional> ? Optional : never;

/** What a decoder returns: every field, whatever the version. */
export type Message<S extends Fields> = { readonly [Name in keyof S]: DecodedOf<S[Name]> };

/** What an encoder takes. */
export type OutgoingMessage<S extends Fields> = {
  readonly [Name in keyof S as IsOptional<S[Name]> extends true ? never : Name]: EncodableOf<
    S[Name]
  >;
} & {
  readonly [Name in keyof S as IsOptional<S[Name]> extends true ? Name : never]?:
    | EncodableOf<S[Name]>
    | undefined;
};

function field(type: FieldType, options: Options<unknown> = {}): Field<never, never, never> {
  const { versions, nullable, tag } = options;
  return {
    type,
    versions: versions === undefined ? ALL_VERSIONS : versionRange(versions),
    nullable: nullable === undefined ? NO_VERSIONS : versionRange(nullable),
    tag,
    default: options.default,
  };
}

export function bool<const O extends Options<boolean> = None>(o?: O): Made<boolean, boolean, O> {
  return field({ kind: "scalar", name: "bool" }, o);
}

export function int8<const O extends Options<number> = None>(o?: O): Made<number, number, O> {
  return field({ kind: "scalar", name: "int8" }, o);
}

export function int16<const O extends Options<number> = None>(o?: O): Made<number, number, O> {
  return field({ kind: "scalar", name: "int16" }, o);
}

export function uint16<const O extends Options<number> = None>(o?: O): Made<number, number, O> {
  return field({ kind: "scalar", name: "uint16" }, o);
}

export function int32<const O extends Options<number> = None>(o?: O): Made<number, number, O> {
  return field({ kind: "scalar", name: "int32" }, o);
}

/** A 64-bit number; a decoder refuses what is no safe integer. */
export function int64<const O extends Options<number> = None>(o?: O): Made<number, number, O> {
  return field({ kind: "scalar", name: "int64" }, o);
}

/**
 * A 64-bit number that asks for a place: beyond the safe integers a decoder gives the last of them.
 * Clients ask for the offset or the time 2^63 - 1; the answer to both numbers is the same.
 */
export function int64Place<const O extends Options<number> = None>(o?: O): Made<number, number, O> {
  return field({ kind: "scalar", name: "int64", isSaturating: true }, o);
}

/** Sixteen bytes, as 22 characters of URL-safe base64. */
export function uuid<const O extends Options<string> = None>(o?: O): Made<string, string, O> {
  return field({ kind: "scalar", name: "uuid" }, o);
}

export function string<const O extends Options<string> = None>(o?: O): Made<string, string, O> {
  return field({ kind: "scalar", name: "string" }, o);
}

/** A decoder gives a view of the frame: whoever keeps it keeps the frame. */
export function bytes<const O extends Options<Uint8Array> = None>(
  o?: O,
): Made<Uint8Array, Chunks, O> {
  return field({ kind: "scalar", name: "bytes" }, o);
}

/** Record batches, not looked into: a view of the frame, or pieces that are sent as they are. */
export function records<const O extends Options<Uint8Array> = None>(
  o?: O,
): Made<Uint8Array, Chunks, O> {
  return field({ kind: "scalar", name: "records" }, o);
}

export function struct<S extends Fields, const O extends Options<never> = None>(
  fields: S,
  o?: O,
): Made<Message<S>, OutgoingMessage<S>, O> {
  return field({ kind: "struct", fields }, o);
}

/** Elements of the type of `element`. */
export function array<F extends Field, const O extends Options<never> = None>(
  element: F,
  o?: O,
): Made<readonly DecodedOf<F>[], readonly EncodableOf<F>[], O> {
  return field({ kind: "array", element: element.type }, o);
}
