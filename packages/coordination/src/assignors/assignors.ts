/** The assignors that there are, the best first: it is what a member votes for. */
import type { Assignor } from "./assignor.js";
import { cooperativeSticky } from "./cooperative-sticky.js";
import { range } from "./range.js";
import { roundRobin, roundRobinOfKafkaJs } from "./round-robin.js";

export const ASSIGNORS: readonly Assignor[] = [
  cooperativeSticky,
  range,
  roundRobin,
  roundRobinOfKafkaJs,
];

export function assignorNamed(name: string): Assignor | undefined {
  return ASSIGNORS.find((assignor) => assignor.name === name);
}
