/** Runs a stretch of executions in a process of its own, and tells its parent how it goes. */
import { Executions } from "./execution.mjs";
import { calibrate } from "./measure.mjs";
import { Tally } from "./tally.mjs";

const TOLD_EVERY_MS = 500;
const HEX_BYTES_MAX = 4_096;

const nextTurn = async () => await new Promise((resolve) => setImmediate(resolve));

/** What cannot be sent is for nobody: the parent has gone. */
const tell = (message) => process.send(message, () => undefined);

process.once("disconnect", () => process.exit());

process.once("message", async ({ seed, from, to }) => {
  const executions = new Executions(seed);
  const tally = new Tally(executions.marks);
  calibrate();
  tell({ kind: "at", index: from });
  let toldAtMs = 0;
  for (let index = from; index < to; index += 1) {
    // Told before it is run: what hangs or ends the process is this one, or soon after it.
    if ((index & 127) === 0 && performance.now() - toldAtMs > TOLD_EVERY_MS) {
      toldAtMs = performance.now();
      tell({ kind: "at", index });
      await nextTurn();
    }
    const execution = executions.run(index);
    tally.add(execution);
    for (const problem of execution.problems) {
      const hex = Buffer.from(execution.input.subarray(0, HEX_BYTES_MAX)).toString("hex");
      const { target, mark, input } = execution;
      tell({ kind: "finding", index, target, mark, problem, hex, bytes: input.length });
    }
  }
  process.send({ kind: "done", tally: tally.toJson() }, () => process.disconnect());
});
