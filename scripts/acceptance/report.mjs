/** What was checked, and what came of it. A failed check is a sentence; the rest goes on. */
import { columns } from "../lab/columns.mjs";

export class Report {
  #rows = [];
  #scenario = "";
  #startedAtMs = performance.now();

  begin(scenario) {
    this.#scenario = scenario;
    this.say(`== ${scenario}`);
  }

  /** `problem` is undefined or empty when the check holds. Returns whether it does. */
  check(name, problem, figures) {
    const isOk = problem === undefined || problem === false || problem === "";
    this.#add({ name, result: isOk ? "ok" : "FAILED", sentence: isOk ? "" : problem, figures });
    return isOk;
  }

  skip(name, reason) {
    this.#add({ name, result: "skipped", sentence: reason, figures: undefined });
  }

  say(line) {
    const seconds = ((performance.now() - this.#startedAtMs) / 1_000).toFixed(1).padStart(6);
    process.stderr.write(`${seconds}  ${line}\n`);
  }

  get failures() {
    return this.#rows.filter((row) => row.result === "FAILED");
  }

  /** Lines of a table for people. */
  table() {
    const cells = this.#rows.map((row) => [
      row.scenario,
      row.name,
      row.result,
      row.figures === undefined ? "" : figuresText(row.figures),
    ]);
    const lines = columns(["scenario", "check", "result", "figures"], cells);
    const counts = ["ok", "FAILED", "skipped"].map(
      (result) => `${this.#rows.filter((row) => row.result === result).length} ${result}`,
    );
    return [...lines, "", counts.join(", ")];
  }

  json() {
    return {
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      seconds: Math.round((performance.now() - this.#startedAtMs) / 100) / 10,
      isOk: this.failures.length === 0,
      checks: this.#rows,
    };
  }

  #add(row) {
    this.#rows.push({ scenario: this.#scenario, ...row });
    const figures = row.figures === undefined ? "" : `  (${figuresText(row.figures)})`;
    const sentence = row.sentence === "" ? "" : `: ${row.sentence}`;
    this.say(`${row.result.padEnd(7)} ${row.name}${sentence}${figures}`);
  }
}

function figuresText(figures) {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(" ") : value}`)
    .join(", ");
}
