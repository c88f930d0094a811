/** Plain columns under upper-case headers. */
export function columns(headers, rows) {
  const widths = headers.map((header, at) =>
    Math.max(header.length, ...rows.map((row) => String(row[at]).length)),
  );
  const line = (row) =>
    row
      .map((cell, at) => String(cell).padEnd(widths[at]))
      .join("  ")
      .trimEnd();
  return [line(headers.map((header) => header.toUpperCase())), ...rows.map(line)];
}
