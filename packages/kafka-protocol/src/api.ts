/** One API of the protocol: its number, its versions, both its messages, and their codecs. */
import { assert } from "@strandline/model";
import { compileReader, type Read } from "./compile-reader.js";
import { compileWriter, type Write } from "./compile-writer.js";
import type { Fields, Message, OutgoingMessage } from "./schema.js";
import { includesVersion, type VersionRange, versionRange } from "./version-range.js";

export interface ApiDescription<Name extends string, Req extends Fields, Res extends Fields> {
  readonly key: number;
  readonly name: Name;
  /** Versions that are served. */
  readonly versions: string;
  /** Versions that write lengths compactly and end every structure with tagged fields. */
  readonly flexible: string;
  /** The lowest version that clients are told, where they must be told one that is refused. */
  readonly advertisedFrom?: number;
  readonly request: Req;
  readonly response: Res;
}

/** Both messages in one version. */
export interface Codec {
  readonly isFlexible: boolean;
  readonly readRequest: Read;
  readonly writeRequest: Write;
  readonly readResponse: Read;
  readonly writeResponse: Write;
}

export class Api<
  Name extends string = string,
  Req extends Fields = Fields,
  Res extends Fields = Fields,
> {
  readonly key: number;
  readonly name: Name;
  readonly versions: VersionRange;
  readonly flexible: VersionRange;
  readonly advertisedFrom: number;
  readonly request: Req;
  readonly response: Res;
  readonly #codecs = new Map<number, Codec>();

  constructor(description: ApiDescription<Name, Req, Res>) {
    this.key = description.key;
    this.name = description.name;
    this.versions = versionRange(description.versions);
    this.flexible = versionRange(description.flexible);
    this.advertisedFrom = description.advertisedFrom ?? this.versions.from;
    this.request = description.request;
    this.response = description.response;
  }

  /** True for a version that requests may have. */
  serves(version: number): boolean {
    return includesVersion(this.versions, version);
  }

  isFlexible(version: number): boolean {
    return includesVersion(this.flexible, version);
  }

  /** The codec of a version that is served, compiled when it is first asked for. */
  codec(version: number): Codec {
    const known = this.#codecs.get(version);
    if (known !== undefined) return known;
    assert(this.serves(version), `${this.name} version ${version} is served`);
    const format = { version, isFlexible: this.isFlexible(version) };
    const codec: Codec = {
      isFlexible: format.isFlexible,
      readRequest: compileReader(this.request, format),
      writeRequest: compileWriter(this.request, format),
      readResponse: compileReader(this.response, format),
      writeResponse: compileWriter(this.response, format),
    };
    this.#codecs.set(version, codec);
    return codec;
  }
}

/** An API of any fields. */
export type AnyApi = Pick<
  Api,
  | "key"
  | "name"
  | "versions"
  | "flexible"
  | "advertisedFrom"
  | "request"
  | "response"
  | "serves"
  | "isFlexible"
  | "codec"
>;

export type RequestOf<A extends AnyApi> = Message<A["request"]>;
export type OutgoingRequestOf<A extends AnyApi> = OutgoingMessage<A["request"]>;
export type ResponseOf<A extends AnyApi> = Message<A["response"]>;
export type OutgoingResponseOf<A extends AnyApi> = OutgoingMessage<A["response"]>;
