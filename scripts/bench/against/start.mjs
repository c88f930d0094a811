/** From the start of three processes in empty directories to the first acknowledged write. */
import { Workspace } from "../../lab/workspace.mjs";
import { KafkaSide, OwnSide } from "./sides.mjs";

const SIDES = { kafka: KafkaSide, strandline: OwnSide };

/** Starts both sides so often, in turn; returns seconds by side. */
export async function startTimes(context) {
  const times = { kafka: [], strandline: [] };
  for (let at = 0; at < context.starts; at += 1) {
    for (const [name, Side] of Object.entries(SIDES)) {
      const workspace = new Workspace();
      context.owns(workspace);
      try {
        const side = await Side.prepare(workspace, `${name}-start`, context.say);
        times[name].push(await firstAck(side));
        await side.stop();
      } finally {
        await workspace.close();
      }
      context.say(`start of ${name}: ${times[name].at(-1).toFixed(2)} s`);
    }
  }
  return times;
}

async function firstAck(side) {
  const startedAtMs = performance.now();
  side.launch();
  // A broker that is not ready keeps a question rather than refuse it: asked again soon.
  await side.probe.createTopic("first", { partitions: 1, answerMs: 500 });
  await side.probe.write("first");
  return (performance.now() - startedAtMs) / 1_000;
}
