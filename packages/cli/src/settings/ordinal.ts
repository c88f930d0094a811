/** The number that a StatefulSet ends its pods' names with: `strandline-1` is number 1. */

/** Undefined when the host name does not end with a number of its own. */
export function ordinalOf(hostName: string): number | undefined {
  // A pod's host name may come with its domain.
  const match = /-(\d{1,10})$/.exec(hostName.split(".", 1)[0] ?? "");
  return match === null ? undefined : Number(match[1]);
}
