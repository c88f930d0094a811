/** Where the time of a CPU profile went: own time by function, and by the package it belongs to. */

/** Times are those of the profile: microseconds of the monotonic clock. Returns milliseconds. */
export function ownTimes(profile, { fromUs, toUs }) {
  const byId = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const functions = new Map();
  const packages = new Map();
  let atUs = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    // A sample stands for the time since the one before it.
    const tookUs = profile.timeDeltas[index];
    atUs += tookUs;
    if (atUs < fromUs || atUs > toUs) continue;
    const frame = byId.get(id);
    const name = functionName(frame);
    if (name === "(idle)") continue;
    add(functions, name, tookUs / 1_000);
    add(packages, packageName(frame), tookUs / 1_000);
  }
  return { functions, packages };
}

/** The largest, largest first. */
export function largest(times, count) {
  return [...times].sort(([, a], [, b]) => b - a).slice(0, count);
}

export function add(times, name, ms) {
  times.set(name, (times.get(name) ?? 0) + ms);
}

export function functionName({ functionName: name, url, lineNumber }) {
  if (url === "") return name;
  const file = url.split("/").slice(-2).join("/");
  return `${name || "(anonymous)"} ${file}:${lineNumber + 1}`;
}

/** The npm package, ours by its folder, a module of Node, or V8's own word. */
export function packageName({ functionName: name, url }) {
  if (url === "") return name.startsWith("(") ? name : "(native)";
  if (url.startsWith("node:")) return url.split("/").slice(0, 2).join("/");
  const [, foreign] =
    /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url) ?? [];
  const [, own, file] = /\/packages\/([^/]+)\/(?:dist|src)\/(.*)$/.exec(url) ?? [];
  if (own !== undefined) return `${own}${file.includes("/") ? `/${file.split("/")[0]}` : ""}`;
  return foreign ?? "(other)";
}
