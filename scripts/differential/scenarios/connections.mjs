/** What a connection may say at all: versions at the edges, and bytes that are no request. */
import { decodeResponse, SERVED_APIS } from "@strandline/kafka-protocol";
import { goodFrame, rawFrame, versionsOf, withLength } from "../../lab/kafka-connection.mjs";
import { SAMPLES } from "../samples.mjs";

const SOFTWARE = ["client", "a.b-C9", "", "-x", "x-", "two words", "é"];

export const connections = {
  async "what is told of versions"(door) {
    for (const version of versionsOf("ApiVersions")) {
      for (const name of version < 3 ? ["client"] : SOFTWARE) {
        const request = { clientSoftwareName: name, clientSoftwareVersion: "1.0" };
        const { body } = await door.quietly("ApiVersions", version, request);
        // Which APIs there are is said once, below; that every version says so is asked here.
        const { apiKeys, ...rest } = body;
        const count = apiKeys.length === door.side.advertised.size ? "all" : apiKeys.length;
        door.record(`v${version} from "${name}"`, { body: { ...rest, apiKeys: count } });
      }
    }
    await door.ask("the APIs", "ApiVersions", 0, {});
    const odd = { clientSoftwareName: "client", clientSoftwareVersion: "1 0" };
    await door.ask("v3 with an odd version", "ApiVersions", 3, odd);
    for (const version of [5, 99, 32_767]) {
      const connection = await door.fresh();
      const request = goodFrame("ApiVersions", 4, SAMPLES.ApiVersions(door));
      connection.write(headed(18, version, request.subarray(4 + 4 + 4)));
      const frame = await connection.frame();
      const isFrame = frame instanceof Uint8Array;
      const outcome = isFrame ? { body: decodeResponse("ApiVersions", 0, frame).body } : frame;
      door.record(`v${version}, which is none`, outcome);
      // The client asks again on the same connection.
      const again = await connection.ask("ApiVersions", 0, {});
      door.record(`v0 after v${version}`, { isAnswered: again.body?.errorCode === 0 });
    }
  },

  async "versions that are not told"(door) {
    for (const [name, api] of Object.entries(SERVED_APIS)) {
      const told = door.side.advertised.get(api.key);
      if (told === undefined || name === "ApiVersions") continue;
      const sample = (version) => goodFrame(name, version, SAMPLES[name](door)).subarray(4 + 4 + 4);
      const below = [told.minVersion - 1, -1, -32_768];
      for (const version of new Set(below)) {
        const frame = headed(api.key, version, sample(api.versions.from));
        const label = version < -1 ? "far below" : version < 0 ? "-1" : "one below";
        await door.raw(`${name}, ${label}`, frame);
      }
      for (const [label, version] of [
        ["one above", told.maxVersion + 1],
        ["far above", 32_767],
      ]) {
        await door.raw(`${name}, ${label}`, headed(api.key, version, sample(api.versions.to)));
      }
    }
    for (const version of [0, 1, 2]) {
      await door.raw(`Produce ${version}, which is told`, headed(0, version, Buffer.alloc(20)));
    }
    for (const key of [-1, 4, 93, 999, 32_767]) {
      await door.raw(`API ${key}, which is none`, rawFrame({ key, version: 0, body: [0, 0] }));
    }
  },

  async "requests that are damaged"(door) {
    for (const name of Object.keys(SERVED_APIS)) {
      if (!door.side.serves(name, SERVED_APIS[name].versions.to)) continue;
      const { from, to } = SERVED_APIS[name].versions;
      for (const version of new Set([from, to])) {
        const content = goodFrame(name, version, SAMPLES[name](door)).subarray(4);
        const label = `${name} ${version === from ? "lowest" : "highest"}`;
        const headerBytes = 8 + 2 + "differential".length;
        if (content.length - 1 > headerBytes) {
          await door.raw(`${label} without its last byte`, withLength(content.subarray(0, -1)));
        }
        await door.raw(`${label} cut behind the header`, withLength(content.subarray(0, 10)));
        const wild = Buffer.concat([content.subarray(0, headerBytes), Buffer.alloc(40, 0xff)]);
        await door.raw(`${label} full of ones`, withLength(wild));
      }
    }
  },

  async "frames that are none"(door) {
    const good = goodFrame("Metadata", 1, { topics: [] });
    await door.raw("a good one", good);
    await door.raw("a length below zero", Buffer.from("ffffffff0003", "hex"));
    await door.raw("a length of two gigabytes", Buffer.from("7fffffff0003", "hex"));
    await door.raw("a length just above the bound", Buffer.from("064000010003", "hex"));
    await door.raw("no bytes at all", Buffer.from("00000000", "hex"));
    await door.raw("half a header", Buffer.from("00000003000300", "hex"));
    await door.raw("HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    await door.raw("TLS", Buffer.from("16030100a5010000a10303", "hex"));
    await door.raw("half a request", good.subarray(0, good.length - 3));
    await door.raw(
      "a request and more bytes in its frame",
      withLength(Buffer.concat([good.subarray(4), Buffer.alloc(5)])),
    );
    const noClient = Buffer.from("0003000100000001ffff00000000", "hex");
    await door.raw("no client id", withLength(noClient));
    const badText = Buffer.from("00030001000000010001ff00000000", "hex");
    await door.raw("a client id that is no text", withLength(badText));
    // One after the other, in bytes, and two at once.
    const connection = await door.fresh();
    for (const byte of good) connection.write(Buffer.of(byte));
    const frame = await connection.frame();
    door.record("byte by byte", { answered: frame instanceof Uint8Array });
    connection.write(Buffer.concat([good, good]));
    const both = [await connection.frame(), await connection.frame()];
    door.record("two at once", { answered: both.map((each) => each instanceof Uint8Array) });
  },
};

/** A frame of any version around the rest of a good one: its client and its body. */
function headed(key, version, rest) {
  const header = Buffer.alloc(8);
  header.writeInt16BE(key, 0);
  header.writeInt16BE(version, 2);
  header.writeInt32BE(1, 4);
  return withLength(Buffer.concat([header, rest]));
}
