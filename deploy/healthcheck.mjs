/**
 * Exit code 0 while the node at this address serves clients, 1 otherwise, by the gRPC health service.
 *
 *   node deploy/healthcheck.mjs 127.0.0.1:50051
 *
 * It asks for this node alone. `strandline cluster health` judges the whole cluster: with one broker
 * down it would declare the two that carry on unhealthy.
 */
import { Client, credentials } from "@grpc/grpc-js";

const DEADLINE_MS = 3_000;
/** HealthCheckResponse with status SERVING: field 1, varint 1. The request is an empty message. */
const SERVING = Buffer.from([0x08, 0x01]);

const client = new Client(process.argv[2] ?? "127.0.0.1:50051", credentials.createInsecure());
client.makeUnaryRequest(
  "/grpc.health.v1.Health/Check",
  (request) => request,
  (response) => response,
  Buffer.alloc(0),
  { deadline: Date.now() + DEADLINE_MS },
  (error, response) => {
    client.close();
    const isServing = error === null && response !== undefined && SERVING.equals(response);
    console.log(isServing ? "serving" : (error?.message ?? "not serving"));
    process.exitCode = isServing ? 0 : 1;
  },
);
