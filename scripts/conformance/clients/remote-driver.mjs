/**
 * A driver whose client is a library of another language: a program that takes calls as lines of
 * JSON and answers them in the same way. Bytes travel as base64. Records that a member gets come
 * unasked.
 */
import { Lacking } from "../../lab/lacking.mjs";

const CLOSE_MS_MAX = 20_000;

export class RemoteDriver {
  #child;
  #calls = new Map();
  #members = new Map();
  #nextId = 1;
  #rest = "";
  #failure;

  /** `calls`: the names it answers; each becomes a function of this driver. */
  static async open(workspace, command, { bootstrap, env }) {
    const driver = new RemoteDriver();
    const child = workspace.spawn(command[0], [...command.slice(1), bootstrap.join(",")], {
      stdout: (chunk) => driver.#take(chunk),
      env,
    });
    driver.#child = child;
    child.ended.then(
      ({ code, signal }) => driver.#fail(`the program ended (${signal ?? code}): ${child.stderr}`),
      (error) => driver.#fail(error.message),
    );
    for (const name of await driver.#call("calls")) {
      driver[name] ??= async (...args) => await driver.#call(name, ...args);
    }
    return driver;
  }

  async produce(topic, partition, records, options) {
    await this.#call("produce", topic, partition, records.map(encoded), options);
  }

  async read(topic, partition, options) {
    return (await this.#call("read", topic, partition, options)).map(decoded);
  }

  async producer(options) {
    const id = await this.#call("open_producer", options);
    return {
      send: async (topic, partition, records) =>
        await this.#call("send", id, topic, partition, records.map(encoded)),
      close: async () => await this.#call("close_producer", id),
    };
  }

  async member(group, topic, onRecord) {
    const id = this.#nextId;
    this.#members.set(id, onRecord);
    await this.#call("open_member", group, topic, id);
    return { close: async () => await this.#call("close_member", id) };
  }

  async close() {
    // Nothing may be awaited any more: its end is no failure now.
    this.#calls.clear();
    this.#child.stdin.end();
    await this.#child.endedWithin(CLOSE_MS_MAX);
  }

  async #call(method, ...args) {
    if (this.#failure !== undefined) throw this.#failure;
    const id = this.#nextId;
    this.#nextId += 1;
    const answer = new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
    });
    this.#child.stdin.write(`${JSON.stringify({ id, method, args })}\n`);
    return await answer;
  }

  #take(chunk) {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop();
    for (const line of lines) this.#takeLine(JSON.parse(line));
  }

  #takeLine({ id, result, error, lacks, member, record }) {
    if (member !== undefined) {
      if (error === undefined) this.#members.get(member)?.(decoded(record));
      else this.#fail(`a member failed: ${error}`);
      return;
    }
    const { resolve, reject } = this.#calls.get(id);
    this.#calls.delete(id);
    if (lacks !== undefined) reject(new Lacking(lacks));
    else if (error !== undefined) reject(new Error(error));
    else resolve(result);
  }

  #fail(message) {
    this.#failure ??= new Error(message);
    for (const { reject } of this.#calls.values()) reject(new Error(message));
    this.#calls.clear();
  }
}

function encoded({ key, value, headers, timestampMs }) {
  return {
    key: base64(key),
    value: base64(value),
    headers: headers.map(([name, bytes]) => [name, base64(bytes)]),
    timestampMs,
  };
}

function base64(bytes) {
  return bytes === null ? null : bytes.toString("base64");
}

function decoded({ offset, key, value, headers, timestampMs }) {
  return {
    offset,
    key: bytesOf(key),
    value: bytesOf(value),
    headers: headers.map(([name, bytes]) => [name, bytesOf(bytes)]),
    timestampMs,
  };
}

function bytesOf(text) {
  return text === null ? null : Buffer.from(text, "base64");
}
