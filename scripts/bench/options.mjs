/** The command line of the bench. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { FIGURES } from "./figures.mjs";

/** What is measured at its full size; smaller ones are for trying things out. */
const COUNTS = {
  seconds: "10",
  "warm-up": "5",
  partitions: "1000",
  gigabytes: "10",
  kills: "30",
  starts: "5",
};

export function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      profile: { type: "boolean", default: false },
      ...Object.fromEntries(
        Object.entries(COUNTS).map(([name, value]) => [name, { type: "string", default: value }]),
      ),
    },
  });
  const names = FIGURES.map(({ name }) => name);
  const only = values.only ?? names;
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) refuse(`no figure ${unknown.join(", ")}; there are ${names.join(", ")}`);
  for (const name of Object.keys(COUNTS)) {
    if (!(Number(values[name]) > 0)) refuse(`--${name} must be a positive number`);
  }
  for (const name of ["partitions", "kills", "starts"]) {
    if (!Number.isInteger(Number(values[name]))) refuse(`--${name} must be a whole number`);
  }
  return {
    only,
    seconds: Number(values.seconds),
    warmUpSeconds: Number(values["warm-up"]),
    partitions: Number(values.partitions),
    gigabytes: Number(values.gigabytes),
    kills: Number(values.kills),
    starts: Number(values.starts),
    profiles: values.profile ? mkdtempSync(path.join(tmpdir(), "strandline-profiles-")) : undefined,
  };
}

function refuse(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
}
