/** The target of requests: any bytes are a request of a served API, or refused. */
import {
  decodeRequest,
  encodeRequest,
  ProtocolError,
  SERVED_APIS,
} from "@strandline/kafka-protocol";
import { makeBatch } from "./batches.mjs";
import { makeMessage } from "./message-maker.mjs";
import { joined, mutated } from "./mutation.mjs";

const HEADER_BYTES = 8;
/** Of so many decoded requests, one is encoded and decoded again. */
const REPEATED = 8;
const BATCHES = 50;
/** Larger ones grow out of these by mutation. */
const FRAME_BYTES_MAX = 16 * 1024;

export class RequestTarget {
  name = "requests";
  /** Good frames of every API in every version. */
  #corpus = [];
  #mark;
  #runs = 0;

  constructor(random, framesPerVersion) {
    const batches = Array.from({ length: BATCHES }, () => makeBatch(random));
    const batch = () => batches[random.below(BATCHES)];
    for (const [name, api] of Object.entries(SERVED_APIS)) {
      for (let version = api.versions.from; version <= api.versions.to; version += 1) {
        const frames = Array.from({ length: framesPerVersion }, () =>
          frameOf(name, version, () => makeMessage(api.request, version, random, batch)),
        );
        this.#corpus.push({ mark: `${name} ${version}`, frames });
      }
    }
  }

  get marks() {
    return this.#corpus.map(({ mark }) => mark);
  }

  input(random) {
    const other = () => this.#any(random).bytes;
    const { bytes, mark } = this.#any(random);
    this.#mark = mark;
    // Now and then as it is: what is good is decoded.
    return random.below(20) === 0 ? bytes : mutated(bytes, random, { kept: HEADER_BYTES, other });
  }

  /** The API and version that the last input began as. */
  get mark() {
    return this.#mark;
  }

  run(frame) {
    let request;
    try {
      request = decodeRequest(frame);
    } catch (error) {
      if (error instanceof ProtocolError) return error.problem;
      throw error;
    }
    return request;
  }

  /** What holds of the result; not a part of what is measured. */
  check(request, frame) {
    if (typeof request === "string") return request;
    const count = elementsIn(request);
    if (count > frame.length) throw new Error(`${count} elements out of ${frame.length} bytes`);
    this.#runs += 1;
    if (this.#runs % REPEATED === 0 && request.name !== "UnknownApiVersions") repeat(request);
    return "decoded";
  }

  #any(random) {
    const { mark, frames } = this.#corpus[random.below(this.#corpus.length)];
    return { mark, bytes: frames[random.below(frames.length)] };
  }
}

function frameOf(name, version, makeBody) {
  const header = { correlationId: 7, clientId: "fuzz" };
  for (;;) {
    const frame = joined(...encodeRequest(name, version, header, makeBody())).slice(4);
    if (frame.length <= FRAME_BYTES_MAX) return frame;
  }
}

/** An answer may repeat all that was asked, so it can be encoded, and means the same again. */
function repeat(request) {
  const { name, version, correlationId, clientId, body } = request;
  const encode = (content) =>
    joined(...encodeRequest(name, version, { correlationId, clientId }, content)).subarray(4);
  const once = encode(body);
  let twice;
  try {
    twice = encode(decodeRequest(once).body);
  } catch (error) {
    // Bytes behind the message counted for its size, and are gone now.
    if (error instanceof ProtocolError && error.problem === "too-large") return;
    throw error;
  }
  if (Buffer.compare(once, twice) !== 0) throw new Error(`${name} ${version} changes on its way`);
}

function elementsIn(value) {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return 0;
  let count = Array.isArray(value) ? value.length : 0;
  for (const key in value) count += elementsIn(value[key]);
  return count;
}
