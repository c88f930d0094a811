import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HealthCheck, HealthEndpoint } from "./health-endpoint.js";

describe(HealthEndpoint, () => {
  let endpoint: HealthEndpoint;
  let problem: string | undefined;

  beforeEach(async () => {
    problem = undefined;
    const checks = (): HealthCheck[] => [
      { name: "first", problem: undefined },
      { name: "second", problem },
    ];
    endpoint = await HealthEndpoint.open("127.0.0.1", 0, {
      live: () => [{ name: "process", problem: undefined }],
      ready: checks,
    });
  });

  afterEach(async () => {
    await endpoint.close();
  });

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    return await fetch(`http://127.0.0.1:${endpoint.port}${path}`, init);
  }

  it("says that all is well", async () => {
    const response = await ask("/readyz");
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({
      status: "ok",
      checks: { first: "ok", second: "ok" },
    });
  });

  it("answers 503, with the reason, on one line", async () => {
    problem = "is gone";
    const response = await ask("/readyz?verbose");
    expect(response.status).toBe(503);
    expect(await response.text()).toBe(
      '{"status":"unavailable","checks":{"first":"ok","second":"is gone"}}\n',
    );
  });

  it("keeps life and readiness apart", async () => {
    problem = "is gone";
    expect((await ask("/livez")).status).toBe(200);
  });

  it("answers HEAD without a body", async () => {
    problem = "is gone";
    const response = await ask("/readyz", { method: "HEAD" });
    expect(response.status).toBe(503);
    expect(await response.text()).toBe("");
  });

  it("refuses other methods and knows no other path", async () => {
    const refused = await ask("/livez", { method: "POST", body: "x".repeat(100_000) });
    expect(refused.status).toBe(405);
    expect(refused.headers.get("allow")).toBe("GET, HEAD");
    for (const path of ["/", "/livez/", "/readyz/x", "//livez", "/..%2flivez"]) {
      expect((await ask(path)).status).toBe(404);
    }
    expect(await statusOfPath("*")).toBe(404);
  });

  it.each([
    ["bytes that are no HTTP", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"],
    ["too large a header", `GET /livez HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
    ["two lengths", "GET /livez HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
    ["a tunnel", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["a broken chunk", "GET /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
  ])("survives %s, and ends the connection", async (_what, bytes) => {
    await connectionEnds(bytes);
    expect((await ask("/livez")).status).toBe(200);
  });

  it("is refused a port that is taken", async () => {
    const again = HealthEndpoint.open("127.0.0.1", endpoint.port, {
      live: () => [],
      ready: () => [],
    });
    await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("closes although a prober keeps its connection", async () => {
    const socket = connect(endpoint.port, "127.0.0.1");
    socket.on("error", () => undefined);
    await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.resume();
    await endpoint.close();
    await closed;
  });

  async function statusOfPath(path: string): Promise<number | undefined> {
    return await new Promise((resolve, reject) => {
      httpRequest(
        { host: "127.0.0.1", port: endpoint.port, path, method: "OPTIONS" },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      )
        .once("error", reject)
        .end();
    });
  }

  async function connectionEnds(bytes: string): Promise<void> {
    const socket = connect(endpoint.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.resume();
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.write(bytes, "latin1");
    await closed;
  }
});
