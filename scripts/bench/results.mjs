/** What was measured: a JSON line each as it comes, and a table for people at the end. */
import { columns } from "../lab/columns.mjs";
import { FIGURES, meets, rounded, targetText } from "./figures.mjs";

export class Results {
  #lines = new Map();

  /** `isSound`: what the target asks for besides the number. */
  add(name, value, more = {}, isSound = true) {
    const { unit, target } = specOf(name);
    const aim =
      target === undefined
        ? {}
        : { target: targetText(target), met: isSound && meets(target, value) };
    this.#print({ figure: name, value: rounded(value), unit, ...aim, ...tidy(more) });
  }

  /** A figure that could not be measured is a line too. */
  fail(name, message) {
    const { unit, target } = specOf(name);
    const aim = target === undefined ? {} : { target: targetText(target), met: false };
    this.#print({ figure: name, value: null, unit, ...aim, error: message });
  }

  has(name) {
    return this.#lines.has(name);
  }

  table() {
    const rows = [...this.#lines.values()].map(({ figure, value, unit, target, met, ...more }) => [
      figure,
      value ?? "FAILED",
      unit,
      target ?? "",
      met === undefined ? "" : met ? "yes" : "NO",
      wordsOf(more),
    ]);
    return columns(["figure", "value", "unit", "target", "met", "more"], rows);
  }

  #print(line) {
    this.#lines.set(line.figure, line);
    console.log(JSON.stringify(line));
  }
}

function specOf(name) {
  const spec = FIGURES.find((each) => each.name === name);
  if (spec === undefined) throw new Error(`no figure is named ${name}`);
  return spec;
}

function tidy(more) {
  const known = Object.entries(more).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    known.map(([key, value]) => [
      key,
      typeof value === "number"
        ? rounded(value)
        : Array.isArray(value)
          ? value.map((each) => (typeof each === "number" ? rounded(each) : each))
          : value,
    ]),
  );
}

function wordsOf(more) {
  return Object.entries(more)
    .map(([key, value]) => `${key} ${Array.isArray(value) ? value.join("/") : value}`)
    .join(", ");
}
