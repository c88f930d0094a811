/**
 * Exit code 0 while the node in this container serves clients, 1 otherwise, by HTTP `/readyz`. It
 * runs every few seconds next to the node: with node:http alone it costs a fifth of the command.
 *
 * It asks for this node alone. `strandline cluster health` judges the whole cluster: with one broker
 * down it would declare the two that carry on unhealthy.
 */
import { get } from "node:http";

const ANSWER_MS_MAX = 3_000;

const port = process.env.STRANDLINE_HTTP_PORT || "8080";

const request = get({ host: "127.0.0.1", port, path: "/readyz" }, (response) => {
  response.pipe(process.stdout);
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.setTimeout(ANSWER_MS_MAX, () => request.destroy(new Error("no answer in time")));
request.on("error", (error) => {
  console.log(error.message);
  process.exitCode = 1;
});
