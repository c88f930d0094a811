/** The simulator's command line, read into settings. */
export interface CliOptions {
  readonly scenario: string;
  readonly seeds: readonly number[];
  readonly isVerbose: boolean;
  readonly keepsGoing: boolean;
}

export const USAGE = `usage: npm run sim -- [--scenario NAME] [--seeds COUNT] [--from SEED] [--seed SEED]
                      [--keep-going] [--verbose]

  --scenario NAME   what to simulate; see the list below
  --seeds COUNT     how many seeds to run, one after the other (default 100)
  --from SEED       the first of them (default 1)
  --seed SEED       runs this one seed and prints the hash of its trace
  --keep-going      goes on after a seed with findings
  --verbose         prints every log line and every fault`;

const SEEDS_DEFAULT = 100;
const SEEDS_MAX = 10_000_000;

/** Returns what is wrong with the arguments as text. */
export function readArguments(
  args: readonly string[],
  scenarioNames: readonly string[],
): CliOptions | string {
  const [defaultScenario] = scenarioNames;
  let scenario = defaultScenario ?? "";
  let count = SEEDS_DEFAULT;
  let from = 1;
  let isVerbose = false;
  let keepsGoing = false;
  for (let at = 0; at < args.length; at++) {
    const name = args[at];
    if (name === "--verbose") isVerbose = true;
    else if (name === "--keep-going") keepsGoing = true;
    else if (name === "--scenario") scenario = args[++at] ?? "";
    else if (name === "--seeds" || name === "--from" || name === "--seed") {
      const number = wholeNumber(args[++at]);
      if (number === undefined) return `${name} takes a whole number`;
      if (name === "--seeds") count = number;
      else from = number;
      if (name === "--seed") count = 1;
    } else return `unknown argument ${name}`;
  }
  if (!scenarioNames.includes(scenario)) {
    return `there is no scenario "${scenario}": it is one of ${scenarioNames.join(", ")}`;
  }
  if (count < 1 || count > SEEDS_MAX) return `--seeds takes 1 to ${SEEDS_MAX}`;
  const seeds = Array.from({ length: count }, (_, at) => from + at);
  return { scenario, seeds, isVerbose, keepsGoing };
}

function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined;
  return Number(text);
}
