/** Randomness of the operating system. */
import { randomBytes, randomInt } from "node:crypto";
import type { Random } from "../ports/random.js";

export const nodeRandom: Random = {
  below: (bound: number) => (bound === 1 ? 0 : randomInt(bound)),
  bytes: (length: number) => randomBytes(length),
};
