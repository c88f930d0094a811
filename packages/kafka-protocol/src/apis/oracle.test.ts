/**
 * Every schema against the protocol's own message definitions, for every version that is served.
 * The definitions are no part of this repository: without them there is nothing to compare with.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { defaultOf, ZERO_UUID } from "../field-default.js";
import type { Field, Fields, FieldType } from "../schema.js";
import { servedVersions } from "../testdata/versions.js";
import { includesVersion, NO_VERSIONS, versionRange } from "../version-range.js";
import { SERVED_APIS } from "./served-apis.js";

const BESIDE = fileURLToPath(new URL("../../../../../shared/kafka-messages/", import.meta.url));
/** A directory named by the environment, or the one beside the repository. */
const DEFINITIONS = join(process.env["KAFKA_MESSAGES"] ?? BESIDE, "4.4.0/clients");
const isHere = existsSync(DEFINITIONS);
if (!isHere) console.log(`schemas are not compared: there are no definitions at ${DEFINITIONS}`);

interface DefinedField {
  readonly name: string;
  readonly type: string;
  readonly versions?: string;
  readonly nullableVersions?: string;
  readonly taggedVersions?: string;
  readonly tag?: number;
  readonly default?: string | number | boolean;
  readonly fields?: readonly DefinedField[];
}

interface Definition {
  readonly apiKey: number;
  readonly validVersions: string;
  readonly flexibleVersions: string;
  readonly fields: readonly DefinedField[];
  readonly commonStructs?: readonly { name: string; fields: readonly DefinedField[] }[];
}

/** A field as both sides can be brought to say it, for one version. */
interface Said {
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
  readonly tag: number | undefined;
  readonly default?: unknown;
  readonly members?: readonly Said[];
}

function definition(name: string): Definition {
  const text = readFileSync(join(DEFINITIONS, `${name}.json`), "utf8");
  return JSON.parse(text.replace(/^\s*\/\/.*$/gm, "")) as Definition;
}

function saidByDefinition(of: Definition, fields: readonly DefinedField[], version: number) {
  const said: Said[] = [];
  for (const field of fields) {
    if (!includesVersion(versionRange(field.versions ?? "0+"), version)) continue;
    const element = field.type.replace("[]", "");
    const members = field.fields ?? of.commonStructs?.find(({ name }) => name === element)?.fields;
    const isTagged = includesVersion(versionRange(field.taggedVersions ?? "none"), version);
    const isNullable = includesVersion(versionRange(field.nullableVersions ?? "none"), version);
    const kind = members === undefined ? element : "struct";
    said.push({
      name: (field.name[0] as string).toLowerCase() + field.name.slice(1),
      type: field.type.startsWith("[]") ? `[]${kind}` : kind,
      isNullable,
      tag: isTagged ? field.tag : undefined,
      ...(members === undefined
        ? { default: definedDefault(field) }
        : { members: saidByDefinition(of, members, version) }),
    });
  }
  return said;
}

function definedDefault(field: DefinedField): unknown {
  const { type, default: given } = field;
  if (given === "null" || given === null) return null;
  if (type.startsWith("[]")) return [];
  if (type === "string") return given ?? "";
  if (type === "bool") return given === true || given === "true";
  if (type === "uuid") return ZERO_UUID;
  if (type === "bytes" || type === "records") return new Uint8Array(0);
  return Number(given ?? 0);
}

function saidBySchema(fields: Fields, version: number): Said[] {
  const present = Object.entries(fields).filter(([, field]) =>
    includesVersion(field.versions, version),
  );
  return present.map(([name, field]) => sayField(name, field, version));
}

function sayField(name: string, field: Field, version: number): Said {
  const { type } = field;
  const element: FieldType = type.kind === "array" ? type.element : type;
  const kind = element.kind === "scalar" ? element.name : element.kind;
  return {
    name,
    type: type.kind === "array" ? `[]${kind}` : kind,
    isNullable: includesVersion(field.nullable, version),
    tag: field.tag,
    ...(element.kind === "struct"
      ? { members: saidBySchema(element.fields, version) }
      : { default: defaultOf(field) }),
  };
}

describe.skipIf(!isHere)("the protocol's own definitions", () => {
  it.each(servedVersions())("$name version $version has the same fields", ({ api, version }) => {
    for (const side of ["Request", "Response"] as const) {
      const defined = definition(api.name + side);
      expect(defined.apiKey).toBe(api.key);
      expect(includesVersion(versionRange(defined.validVersions), version)).toBe(true);
      const flexible = versionRange(defined.flexibleVersions);
      expect(api.isFlexible(version)).toBe(includesVersion(flexible, version));
      const fields = side === "Request" ? api.request : api.response;
      expect(saidBySchema(fields, version)).toEqual(
        saidByDefinition(defined, defined.fields, version),
      );
    }
  });
});

describe("served APIs", () => {
  it("has no field that no served version has", () => {
    for (const api of Object.values(SERVED_APIS)) {
      const check = (fields: Fields): void => {
        for (const [name, { versions, type }] of Object.entries(fields)) {
          const isReached = versions.from <= api.versions.to && versions.to >= api.versions.from;
          expect(isReached && versions !== NO_VERSIONS, `${api.name}.${name}`).toBe(true);
          const element = type.kind === "array" ? type.element : type;
          if (element.kind === "struct") check(element.fields);
        }
      };
      check(api.request);
      check(api.response);
    }
  });
});
