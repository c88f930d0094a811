/** One execution: an input that seed and index decide, a target that takes it, rules that hold. */
import { SeededRandom } from "../chaos/seeded-random.mjs";
import { BatchTarget, UnpackTarget } from "./batches.mjs";
import { FrameTarget, LentFrameTarget } from "./frames.mjs";
import { largestAllocation, leastMs, measured } from "./measure.mjs";
import { RequestTarget } from "./requests.mjs";

/** Nothing takes longer. */
const MS_MAX = 50;
/** No single allocation is larger than so many times the input, or than a page. */
const TIMES_MAX = 4;
const PAGE_BYTES = 4_096;
/** How often what was slow is run again before it is called slow. */
const AGAIN = 5;
/** Of inputs that are alike, the first is looked at by the profiler, and then one of so many. */
const LOOKED_AT_OF = 1_000;
const LOOKS_MAX = 4;

export class Executions {
  #seed;
  #targets;
  #alike = new Map();

  /** `framesPerVersion`: good requests of each API and version, from which others are made. */
  constructor(seed, { framesPerVersion = 16 } = {}) {
    this.#seed = seed;
    const random = new SeededRandom(seed);
    const [requests, batches, frames, lent, unpacking] = [
      new RequestTarget(random, framesPerVersion),
      new BatchTarget(random),
      new FrameTarget(random),
      new LentFrameTarget(random),
      new UnpackTarget(random),
    ];
    // Unpacking is slow, and by other people's code: it is here to see that ours survives it.
    this.#targets = [
      ...Array.from({ length: 62 }, () => requests),
      ...Array.from({ length: 25 }, () => batches),
      ...Array.from({ length: 6 }, () => frames),
      ...Array.from({ length: 6 }, () => lent),
      unpacking,
    ];
    this.marks = requests.marks;
  }

  pick(index) {
    const target = this.#targets[index % this.#targets.length];
    return { target, input: target.input(new SeededRandom(mixed(this.#seed, index))) };
  }

  /** Returns `{ target, mark, outcome, input, ... }`, with `problems` as sentences. */
  run(index) {
    const { target, input } = this.pick(index);
    const work = () => target.run(input);
    const found = measured(work);
    const problems = [];
    let outcome = "thrown";
    if (found.error !== undefined) {
      problems.push(`threw ${found.error.stack ?? found.error}`);
    } else {
      try {
        outcome = target.check?.(found.result, input) ?? found.result;
      } catch (error) {
        problems.push(error.stack);
      }
    }
    if (found.ms > MS_MAX) {
      const ms = leastMs(work, AGAIN);
      if (ms > MS_MAX) problems.push(`took ${ms.toFixed(0)} ms`);
    }
    const memory = this.#memory(target, outcome, input, found, work);
    problems.push(...memory.problems);
    return {
      target: target.name,
      mark: target.mark,
      outcome,
      input,
      ms: found.ms,
      problems,
      totalBytes: found.heapBytes + found.bufferBytes,
      largestBytes: memory.largestBytes,
    };
  }

  #memory(target, outcome, input, { heapBytes, bufferBytes }, work) {
    // Unpacked bytes are bounded by themselves, not by those that they come from.
    if (target.outputBytesMax !== undefined) return { problems: [] };
    const floorBytes = target.floorBytes ?? PAGE_BYTES;
    const limit = Math.max(floorBytes, TIMES_MAX * input.length);
    // All buffers together: a stream's reader has some of its own, to gather small chunks in.
    if (bufferBytes > TIMES_MAX * input.length + floorBytes) {
      return { problems: [`${bufferBytes} bytes of buffers for ${input.length}`] };
    }
    // No part is larger than the whole.
    if (heapBytes <= limit || !this.#isLookedAt(target, outcome, input, heapBytes)) {
      return { problems: [] };
    }
    // V8 compiles when it likes, and that takes memory too: what the work needs, it needs again.
    let largestBytes = Number.POSITIVE_INFINITY;
    for (let look = 0; look < LOOKS_MAX && largestBytes > limit; look += 1) {
      largestBytes = Math.min(largestBytes, largestAllocation(work));
    }
    if (largestBytes <= limit) return { problems: [], largestBytes };
    return {
      problems: [`one allocation of ${largestBytes} bytes for ${input.length}`],
      largestBytes,
    };
  }

  /** The profiler collects all garbage first: of executions that are alike it sees some. */
  #isLookedAt(target, outcome, input, heapBytes) {
    const times = Math.round(Math.log2(heapBytes / Math.max(1, input.length)));
    const kind = `${target.mark} ${outcome === "decoded"} ${times}`;
    const seen = this.#alike.get(kind) ?? 0;
    this.#alike.set(kind, seen + 1);
    return seen % LOOKED_AT_OF === 0;
  }
}

/** Neighbouring indexes give seeds that have nothing in common. */
function mixed(seed, index) {
  let state = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca77);
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  state = Math.imul(state ^ (state >>> 12), 0x297a2d39);
  return (state ^ (state >>> 15)) >>> 0;
}
