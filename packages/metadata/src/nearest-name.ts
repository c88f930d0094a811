/** What somebody may have meant by a name that does not exist. */

/** Edits up to which a name still looks like another. */
const EDITS_MAX = 4;

/** The nearest of `names`, or undefined when none is near. The first wins a tie. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let fewest = Math.min(EDITS_MAX, Math.floor(name.length / 2)) + 1;
  for (const candidate of names) {
    // As many edits as the lengths differ are needed at least: a long name costs nothing.
    if (Math.abs(name.length - candidate.length) >= fewest) continue;
    const edits = editDistance(name, candidate);
    if (edits >= fewest) continue;
    fewest = edits;
    nearest = candidate;
  }
  return nearest;
}

/** Insertions, deletions and replacements that turn one text into the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
