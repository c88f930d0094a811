/**
 * HTTP answers for whoever watches over this process: `/livez` and `/readyz`. A small listener of
 * its own; it relies on nothing but the checks it is given, so it answers before the cluster is
 * joined and while the node stops.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

/** One thing that must hold. */
export interface HealthCheck {
  readonly name: string;
  /** What is wrong, for an operator; undefined while it holds. */
  readonly problem: string | undefined;
}

export interface HealthChecks {
  /** This process works: nothing that another process or the network could fail. */
  live(): readonly HealthCheck[];
  /** Clients should be sent here. */
  ready(): readonly HealthCheck[];
}

/** A probe is a line and a few headers; what is larger or slower is none. */
const HEADER_BYTES_MAX = 8 * 1024;
const REQUEST_MS_MAX = 5_000;
const IDLE_MS_MAX = 5_000;
const CONNECTIONS_MAX = 128;

const METHODS = "GET, HEAD";

export class HealthEndpoint {
  readonly #server: Server;
  readonly #checks: HealthChecks;

  private constructor(checks: HealthChecks) {
    this.#checks = checks;
    this.#server = createServer(
      {
        maxHeaderSize: HEADER_BYTES_MAX,
        headersTimeout: REQUEST_MS_MAX,
        requestTimeout: REQUEST_MS_MAX,
        keepAliveTimeout: IDLE_MS_MAX,
        connectionsCheckingInterval: 1_000,
      },
      (request, response) => this.#answer(request, response),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
    // Bytes that are no HTTP: the answer is the end of the connection.
    this.#server.on("clientError", (_error, socket) => void socket.destroy());
    // A peer that never reads its answer.
    this.#server.setTimeout(REQUEST_MS_MAX, (socket) => socket.destroy());
  }

  /** Rejects as node:net does when it cannot listen there: `code` is EADDRINUSE and the like. */
  static async open(host: string, port: number, checks: HealthChecks): Promise<HealthEndpoint> {
    const endpoint = new HealthEndpoint(checks);
    await new Promise<void>((resolve, reject) => {
      endpoint.#server.once("error", reject);
      endpoint.#server.listen(port, host, () => {
        endpoint.#server.off("error", reject);
        resolve();
      });
    });
    // Out of file descriptors, for example: the probe fails, the node goes on.
    endpoint.#server.on("error", () => undefined);
    return endpoint;
  }

  /** The port that is bound. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Ends open connections too: a prober that keeps one must not hold the process. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    // Whatever body there is, nobody wants it.
    request.resume();
    const path = request.url?.split("?", 1)[0];
    const checks =
      path === "/livez"
        ? () => this.#checks.live()
        : path === "/readyz"
          ? () => this.#checks.ready()
          : undefined;
    if (checks === undefined) {
      reply(request, response, 404, { error: "there are /livez and /readyz" });
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", METHODS);
      reply(request, response, 405, { error: `use ${METHODS}` });
      return;
    }
    const results = checks();
    const isOk = results.every((check) => check.problem === undefined);
    reply(request, response, isOk ? 200 : 503, {
      status: isOk ? "ok" : "unavailable",
      checks: Object.fromEntries(results.map(({ name, problem }) => [name, problem ?? "ok"])),
    });
  }
}

/** One line of JSON. */
function reply(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: object,
): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  const hasBody = request.headers["content-length"] !== undefined;
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": bytes.length,
    "Cache-Control": "no-store",
    // A body that is still on its way is not waited for.
    ...(hasBody || request.headers["transfer-encoding"] ? { Connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : bytes);
}
