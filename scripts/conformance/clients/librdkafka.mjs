/**
 * librdkafka's own suite: each of its tests in a process of its own, without its socket emulation and
 * without those that need no broker. The list is what passes against Kafka 4.3.1.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { KAFKA_VERSION } from "../../lab/kafka-jars.mjs";
import { Lacking } from "../../lab/lacking.mjs";
import { outcomeOf } from "../../lab/toolchain.mjs";
import { librdkafkaTests } from "../librdkafka-build.mjs";
import { ADMIN_PARTS, ADMIN_TEST, NOT_SERVED, TESTS } from "../librdkafka-tests.mjs";

const TEST_MS_MAX = 300_000;

export const librdkafka = {
  name: "librdkafka",
  async prepare({ workspace, say }) {
    const { tests: directory, version } = await librdkafkaTests(workspace, say);
    const caseOf = (test, part) => ({
      test: part === undefined ? test : `${test} ${part}`,
      skipped: NOT_SERVED[part ?? test],
      timeoutMs: TEST_MS_MAX + 10_000,
      run: async ({ target }) => await runTest({ workspace, target, directory, test, part }),
    });
    const cases = TESTS.map((test) => caseOf(test));
    const adminParts = ADMIN_PARTS.map((part) => caseOf(ADMIN_TEST, part));
    return { version, cases: [...cases, ...adminParts] };
  },
};

async function runTest({ workspace, target, directory, test, part }) {
  const conf = workspace.path("librdkafka-test.conf");
  const report = workspace.path("librdkafka-report.json");
  writeFileSync(conf, `bootstrap.servers=${target.bootstrap.join(",")}\n`);
  writeFileSync(report, "");
  const command = ["./test-runner", "-p1", "-Q", "-E", "-L"];
  const outcome = await outcomeOf(workspace, command, {
    cwd: directory,
    timeoutMs: TEST_MS_MAX,
    logFile: workspace.path(`librdkafka-${test}${part === undefined ? "" : `-${part}`}.log`),
    env: {
      LD_LIBRARY_PATH: "../src:../src-cpp",
      RDKAFKA_TEST_CONF: conf,
      TEST_REPORT: report,
      TESTS: test.slice(0, 4),
      TEST_KAFKA_VERSION: KAFKA_VERSION,
      ...(part === undefined ? {} : { SUBTESTS: `do_test_${part}:` }),
    },
  });
  const state = stateIn(readFileSync(report, "utf8"), test);
  if (state !== "PASSED") throw new Error(reasonOf(outcome, state, test));
  // A name that matches no part would pass by doing nothing.
  if (part !== undefined && !outcome.stderr.includes(`[ do_test_${part}:`)) {
    throw new Lacking("the suite leaves it out by itself");
  }
}

/** PASSED, FAILED, SKIPPED …; undefined when the program ended before it wrote its report. */
function stateIn(report, test) {
  const found = new RegExp(`"name": "${test}", "state": "([A-Z]+)"`).exec(report);
  return found?.[1];
}

function reasonOf({ code, signal, isOverdue, stderr }, state, test) {
  // The sentence stands in the line after this one.
  const failure = /^.*### Test "([^"]*)" failed at .*###\n(.*)$/m.exec(plain(stderr));
  if (failure !== null) return failure[2];
  if (isOverdue) return `had not ended after ${TEST_MS_MAX / 1_000} s`;
  if (state === "SKIPPED") return `${test} was left out by the suite itself`;
  const last = plain(stderr).trim().split("\n").at(-1);
  return `ended with ${signal ?? `exit code ${code}`}: ${last}`;
}

function plain(text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one.
  return text.replaceAll(/\u001b\[[0-9;]*m/g, "");
}
