/**
 * The report card as data: one row for each test, `suite,test,PASS|FAIL|SKIP,reason`. A suite is a
 * client with its version. What is not a pass has its reason.
 */

export const RESULTS = ["PASS", "FAIL", "SKIP"];
const HEADER = "suite,test,result,reason";
/** A reason is one line for people, not a stack. */
const REASON_MAX = 300;

export class Card {
  #rows = [];

  /** Reads what `text` wrote. Throws on a line that is no row. */
  static parse(text) {
    const card = new Card();
    for (const line of text.split("\n").slice(1)) {
      if (line === "") continue;
      const [suite, test, result, reason, ...rest] = cellsOf(line);
      if (reason === undefined || rest.length > 0) throw new Error(`no row of a card: ${line}`);
      card.add({ suite, test, result, reason });
    }
    return card;
  }

  get rows() {
    return this.#rows;
  }

  /** Names of the suites, in the order in which they came. */
  get suites() {
    return [...new Set(this.#rows.map((row) => row.suite))];
  }

  add({ suite, test, result, reason = "" }) {
    if (!RESULTS.includes(result)) throw new Error(`a test has no result ${result}`);
    if (result !== "PASS" && reason === "") throw new Error(`${suite}: ${test} needs a reason`);
    this.#rows.push({ suite, test, result, reason: shortened(reason) });
  }

  of(suite) {
    return this.#rows.filter((row) => row.suite === suite);
  }

  count(result, rows = this.#rows) {
    return rows.filter((row) => row.result === result).length;
  }

  /**
   * This card with the suites of `newer` in place of older runs of the same clients, whatever their
   * versions were; the order stays.
   */
  with(newer) {
    const merged = new Card();
    const kept = this.suites.filter((suite) => !newer.suites.some((each) => isSame(each, suite)));
    const names = [...this.suites, ...newer.suites].map(
      (suite) => newer.suites.find((each) => isSame(each, suite)) ?? suite,
    );
    for (const suite of new Set(names)) {
      const source = kept.includes(suite) ? this : newer;
      for (const row of source.of(suite)) merged.add(row);
    }
    return merged;
  }

  text() {
    const line = (row) => [row.suite, row.test, row.result, row.reason].map(cell).join(",");
    return `${[HEADER, ...this.#rows.map(line)].join("\n")}\n`;
  }
}

/** A suite's name without the version behind it: "kafkajs 2.2.4" is "kafkajs". */
export function clientOf(suite) {
  return suite.split(" ")[0];
}

function isSame(one, other) {
  return clientOf(one) === clientOf(other);
}

function shortened(reason) {
  const line = reason.replaceAll(/\s+/g, " ").trim();
  return line.length > REASON_MAX ? `${line.slice(0, REASON_MAX - 1)}…` : line;
}

function cell(text) {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function cellsOf(line) {
  const cells = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const found = pattern.exec(line);
    if (found === null) throw new Error(`no row of a card: ${line}`);
    cells.push(found[1]?.replaceAll('""', '"') ?? found[2]);
    if (found[3] === "") return cells;
  }
}
