/** Columns for people: upper-case headers, no borders, numbers to the right. */

export type Cell = string | number;

/** Lines of a table. A column whose cells are all numbers is aligned to the right. */
export function table(headers: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const isNumeric = headers.map((_, column) =>
    rows.every((row) => typeof row[column] === "number"),
  );
  const widths = headers.map((header, column) =>
    Math.max(header.length, ...rows.map((row) => String(row[column] ?? "").length)),
  );
  const line = (cells: readonly Cell[]): string =>
    cells
      .map((cell, column) => {
        const text = String(cell);
        const width = widths[column] ?? 0;
        const isRight = isNumeric[column] === true && rows.length > 0;
        return isRight ? text.padStart(width) : text.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return [line(headers.map((header) => header.toUpperCase())), ...rows.map(line)];
}
