/**
 * Whole requests and responses: a frame's header and its message. The broker decodes requests and
 * encodes responses; clients and tests do the reverse.
 *
 * Headers: a request's second version differs from its first by tagged fields at the end, and its
 * client id keeps its 16-bit length. A response's first version differs from its zeroth by tagged
 * fields too, and ApiVersions never has them: a client reads that response before it knows what
 * the broker speaks.
 */
import type {
  AnyApi,
  OutgoingRequestOf,
  OutgoingResponseOf,
  RequestOf,
  ResponseOf,
} from "./api.js";
import { apiVersions } from "./apis/api-versions.js";
import { type ApiName, SERVED_APIS, type ServedApis, servedApi } from "./apis/served-apis.js";
import { ProtocolError } from "./protocol-error.js";
import { type DecodeLimits, malformed, WireReader } from "./wire-reader.js";
import { WireWriter } from "./wire-writer.js";

/**
 * Bounds of requests. The smallest elements become forty times their bytes in memory, so this many
 * are 8 MiB, and some tens of milliseconds of a cold decoder.
 */
export const REQUEST_LIMITS: DecodeLimits = { elementsMax: 50_000, tagsMax: 64 };
/** Bounds of responses, which come from a broker that was asked. */
export const RESPONSE_LIMITS: DecodeLimits = { elementsMax: 10_000_000, tagsMax: 64 };

/** KIP-511: the code of the answer to a version of ApiVersions that is not served. */
const UNSUPPORTED_VERSION = 35;

/** What every request says of itself. */
export interface RequestHeader {
  readonly apiKey: number;
  readonly version: number;
  /** Stands in the response again. */
  readonly correlationId: number;
  /** Empty when the client gave none. */
  readonly clientId: string;
}

/** A request of a served API. */
export interface RequestFor<Name extends ApiName> extends RequestHeader {
  readonly name: Name;
  readonly body: RequestOf<ServedApis[Name]>;
}

/** An ApiVersions request of a version that is not served: {@link encodeVersionsFallback}. */
export interface UnknownVersionsRequest extends RequestHeader {
  readonly name: "UnknownApiVersions";
}

export type Request = { [Name in ApiName]: RequestFor<Name> }[ApiName] | UnknownVersionsRequest;

/** One for the thread: a frame is written in one go, and nothing else runs meanwhile. */
const writer = new WireWriter();

/**
 * Decodes one frame. Throws a ProtocolError, after which the connection is to be closed without an
 * answer. Bytes behind the message are not looked at: what is asked is known without them.
 */
export function decodeRequest(frame: Uint8Array, limits: DecodeLimits = REQUEST_LIMITS): Request {
  const reader = new WireReader(frame, limits);
  const apiKey = reader.int16();
  const version = reader.int16();
  const correlationId = reader.int32();
  const api = servedApi(apiKey);
  if (api === undefined) throw new ProtocolError("unsupported-api", `API ${apiKey} is not served`);
  const clientId = reader.text(reader.int16()) ?? "";
  const header = { apiKey, version, correlationId, clientId };
  if (!api.serves(version)) {
    if (apiKey === apiVersions.key) return { ...header, name: "UnknownApiVersions" };
    const text = `${api.name} version ${version} is not served`;
    throw new ProtocolError("unsupported-version", text);
  }
  const codec = api.codec(version);
  if (codec.isFlexible) skipTags(reader);
  const body = codec.readRequest(reader);
  return { apiKey, version, correlationId, clientId, name: api.name, body } as Request;
}

/** Encodes a response: pieces to send after each other, the frame's length among them. */
export function encodeResponse<Name extends ApiName>(
  name: Name,
  version: number,
  correlationId: number,
  body: OutgoingResponseOf<ServedApis[Name]>,
): Uint8Array[] {
  const api: AnyApi = SERVED_APIS[name];
  const codec = api.codec(version);
  return writer.frame(() => {
    writer.int32(correlationId);
    if (hasResponseTags(api, version)) writer.uvarint(0);
    codec.writeResponse(writer, body);
  });
}

/**
 * The answer to ApiVersions in a version that is not served: in the form of version 0, naming the
 * versions of ApiVersions alone. The client asks again in one of them.
 */
export function encodeVersionsFallback(correlationId: number): Uint8Array[] {
  return encodeResponse("ApiVersions", 0, correlationId, {
    errorCode: UNSUPPORTED_VERSION,
    apiKeys: [
      {
        apiKey: apiVersions.key,
        minVersion: apiVersions.versions.from,
        maxVersion: apiVersions.versions.to,
      },
    ],
  });
}

/** Encodes a request: pieces to send after each other, the frame's length among them. */
export function encodeRequest<Name extends ApiName>(
  name: Name,
  version: number,
  header: { readonly correlationId: number; readonly clientId: string | null },
  body: OutgoingRequestOf<ServedApis[Name]>,
): Uint8Array[] {
  const api: AnyApi = SERVED_APIS[name];
  const codec = api.codec(version);
  return writer.frame(() => {
    writer.int16(api.key);
    writer.int16(version);
    writer.int32(header.correlationId);
    if (header.clientId === null) writer.int16(-1);
    else writer.string(header.clientId, false);
    if (codec.isFlexible) writer.uvarint(0);
    codec.writeRequest(writer, body);
  });
}

/** Decodes one frame, the whole of it. Throws a ProtocolError. */
export function decodeResponse<Name extends ApiName>(
  name: Name,
  version: number,
  frame: Uint8Array,
  limits: DecodeLimits = RESPONSE_LIMITS,
): { readonly correlationId: number; readonly body: ResponseOf<ServedApis[Name]> } {
  const api: AnyApi = SERVED_APIS[name];
  const reader = new WireReader(frame, limits);
  const correlationId = reader.int32();
  if (hasResponseTags(api, version)) skipTags(reader);
  const body = api.codec(version).readResponse(reader) as ResponseOf<ServedApis[Name]>;
  if (reader.position !== frame.length) throw malformed("a response is followed by more bytes");
  return { correlationId, body };
}

function hasResponseTags(api: AnyApi, version: number): boolean {
  return api.key !== apiVersions.key && api.isFlexible(version);
}

function skipTags(reader: WireReader): void {
  const count = reader.uvarint();
  if (count > reader.tagsMax) throw malformed(`a header has ${count} tagged fields`);
  for (let index = 0; index < count; index++) {
    reader.uvarint();
    reader.skip(reader.uvarint());
  }
}
