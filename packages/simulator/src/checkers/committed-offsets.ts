/**
 * A commit that was acknowledged is there for everybody who asks after it, and what a group has
 * committed never goes back. Holds where members commit what grows, and each stops at a commit
 * whose outcome it does not know.
 */
import type { Checker, Observation } from "../observation.js";

export function committedOffsets(): Checker {
  /** By group and partition: what everybody who asks from now on must be told at least. */
  const floors = new Map<string, { readonly offset: number; readonly why: string }>();
  const questions = new Map<string, { readonly offset: number; readonly why: string }>();
  const raise = (key: string, offset: number, why: string): void => {
    if (offset > (floors.get(key)?.offset ?? -1)) floors.set(key, { offset, why });
  };
  return {
    name: "committed offsets",
    observe(observation: Observation): string | undefined {
      if (observation.kind === "offset-committed") {
        const { group, partition, offset, by } = observation;
        raise(`${group} ${partition}`, offset, `acknowledged to ${by}`);
        return undefined;
      }
      if (observation.kind === "offset-asked") {
        const { group, partition, question } = observation;
        const floor = floors.get(`${group} ${partition}`);
        if (floor !== undefined) questions.set(`${question} ${partition}`, floor);
        return undefined;
      }
      if (observation.kind !== "offset-answered") return undefined;
      const { group, partition, question, offset } = observation;
      const floor = questions.get(`${question} ${partition}`);
      questions.delete(`${question} ${partition}`);
      raise(`${group} ${partition}`, offset, `told to ${question}`);
      if (floor === undefined || offset >= floor.offset) return undefined;
      const told = `${group} had committed ${floor.offset} of ${partition}, ${floor.why}`;
      return `${told}; ${question} was told ${offset} later`;
    },
    finish: () => [],
  };
}
