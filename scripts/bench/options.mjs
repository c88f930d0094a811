/** The command line of the bench. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { readArguments, refuse, requireKnown } from "../lab/arguments.mjs";
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

/** `url`: of the program, which says what its options are. */
export function readOptions(url) {
  const counts = Object.entries(COUNTS);
  const values = readArguments(url, {
    only: { type: "string", multiple: true },
    profile: { type: "boolean", default: false },
    ...Object.fromEntries(
      counts.map(([name, value]) => [name, { type: "string", default: value }]),
    ),
  });
  const names = FIGURES.map(({ name }) => name);
  const only = values.only ?? names;
  requireKnown("figure", only, names);
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
