/** Throughput over time with the faults marked, as SVG. Pure. */

const WIDTH = 1_200;
const PLOT = { left: 76, right: 1_180, top: 84, bottom: 372 };
/** Under the plot, one lane per broker. */
const LANE = { top: 424, height: 16, gap: 6 };

/** Told apart also by whoever does not see red and green alike. */
const KILL_COLOURS = {
  "kill-random": "#0072b2",
  "kill-leader": "#d55e00",
  "kill-controller": "#cc79a7",
  "kill-two": "#009e73",
  "kill-all": "#111111",
  "kill-while-paused": "#8a6d00",
};
const PAUSE_COLOUR = "#f2c14e";
const DOWN_COLOUR = "#b23a48";
const LINE_COLOUR = "#3b5b7a";
const INK = "#333333";
const GRID = "#e3e3e3";

/** `result`: the JSON report. */
export function chartOf(result) {
  const brokers = [...new Set([1, 2, 3, ...result.absences.map(({ broker }) => broker)])].sort();
  const height = LANE.top + brokers.length * (LANE.height + LANE.gap) + 52;
  const seconds = Math.max(1, result.acknowledgedPerSecond.length, result.writtenSeconds);
  const top = niceCeiling(Math.max(1, ...result.acknowledgedPerSecond));
  const x = (at) => rounded(PLOT.left + (at / seconds) * (PLOT.right - PLOT.left));
  const y = (value) => rounded(PLOT.bottom - (value / top) * (PLOT.bottom - PLOT.top));
  const parts = [
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...heading(result),
    ...bands(result, x),
    ...valueAxis(top, y),
    ...curve(result.acknowledgedPerSecond, x, y),
    ...marks(result, x),
    ...lanes(result, brokers, x),
    ...timeAxis(seconds, x, height),
    ...legend(),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
      'font-family="system-ui, sans-serif" font-size="13" role="img">',
    "<title>Acknowledged records per second while brokers are killed and paused</title>",
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function heading({ records, faults, target, seed, verdict }) {
  const counts =
    `${records.acknowledged.toLocaleString("en")} acknowledged, ${records.lost ?? "unknown"} lost, ` +
    `${records.duplicated} duplicated, ${records.reordered} reordered`;
  const title = verdict === "interrupted" ? "interrupted, nothing read back" : counts;
  return [
    text(PLOT.left, 26, "Acknowledged records per second", { size: 17, weight: 600 }),
    text(PLOT.left, 46, `${faults.count} faults on ${target}, seed ${seed}: ${title}`),
  ];
}

function bands({ absences }, x) {
  return absences
    .filter(({ state }) => state === "paused")
    .map(({ fromSeconds, toSeconds }) =>
      box(x(fromSeconds), PLOT.top, x(toSeconds), PLOT.bottom, PAUSE_COLOUR, 0.3),
    );
}

function valueAxis(top, y) {
  const parts = [];
  for (let step = 0; step <= 4; step += 1) {
    const value = (top * step) / 4;
    parts.push(line(PLOT.left, y(value), PLOT.right, y(value), GRID));
    const label = value.toLocaleString("en");
    parts.push(text(PLOT.left - 8, y(value) + 4, label, { anchor: "end" }));
  }
  const middle = (PLOT.top + PLOT.bottom) / 2;
  parts.push(
    `<text transform="translate(18 ${middle}) rotate(-90)" text-anchor="middle" ` +
      `fill="${INK}">records/s</text>`,
  );
  return parts;
}

/** A step per second: the value of a second is drawn over all of it. */
function curve(perSecond, x, y) {
  if (perSecond.length === 0) return [];
  let steps = "";
  for (const [second, value] of perSecond.entries()) {
    steps += `L${x(second)} ${y(value)}L${x(second + 1)} ${y(value)}`;
  }
  const outline = `M${steps.slice(1)}`;
  const area = `${outline}L${x(perSecond.length)} ${y(0)}L${x(0)} ${y(0)}Z`;
  return [
    `<path d="${area}" fill="${LINE_COLOUR}" opacity="0.14"/>`,
    `<path d="${outline}" fill="none" stroke="${LINE_COLOUR}" stroke-width="1.2"/>`,
  ];
}

/** A mark where a process was killed; the lanes below tell which. */
function marks({ faults, absences }, x) {
  return faults.list
    .filter(({ kind }) => kind in KILL_COLOURS)
    .map((fault) => {
      const colour = KILL_COLOURS[fault.kind];
      const at = x(killedAt(fault, absences));
      const title = `<title>fault ${fault.number}: ${fault.kind}, ${fault.atSeconds} s</title>`;
      return (
        `<g>${title}${line(at, PLOT.top, at, PLOT.bottom, colour, 1.4)}` +
        `<path d="M${at - 4} ${PLOT.top - 7}h8l-4 7z" fill="${colour}"/></g>`
      );
    });
}

/** The kill of a fault may come after its pause. */
function killedAt({ atSeconds, brokers }, absences) {
  const kill = absences.find(
    ({ broker, state, fromSeconds }) =>
      state === "down" && fromSeconds >= atSeconds && brokers.includes(broker),
  );
  return kill?.fromSeconds ?? atSeconds;
}

function lanes({ absences }, brokers, x) {
  return brokers.flatMap((broker, at) => {
    const top = LANE.top + at * (LANE.height + LANE.gap);
    const bottom = top + LANE.height;
    const own = absences.filter((absence) => absence.broker === broker);
    return [
      text(PLOT.left - 8, bottom - 4, `broker ${broker}`, { anchor: "end" }),
      box(PLOT.left, top, PLOT.right, bottom, "#eef2f5", 1),
      ...own.map(({ state, fromSeconds, toSeconds }) => {
        const colour = state === "paused" ? PAUSE_COLOUR : DOWN_COLOUR;
        return box(x(fromSeconds), top, x(toSeconds), bottom, colour, 1);
      }),
    ];
  });
}

function timeAxis(seconds, x, height) {
  const step = [5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600].find(
    (each) => seconds / each <= 14,
  );
  const parts = [line(PLOT.left, PLOT.bottom, PLOT.right, PLOT.bottom, INK)];
  for (let at = 0; at <= seconds; at += step ?? 7_200) {
    parts.push(line(x(at), PLOT.bottom, x(at), PLOT.bottom + 5, INK));
    parts.push(text(x(at), PLOT.bottom + 20, clock(at), { anchor: "middle" }));
  }
  const middle = (PLOT.left + PLOT.right) / 2;
  parts.push(
    text(middle, height - 16, "time since the first write, minutes:seconds", { anchor: "middle" }),
  );
  return parts;
}

function legend() {
  const entries = [
    ...Object.entries(KILL_COLOURS).map(([kind, colour]) => [kind.replaceAll("-", " "), colour]),
    ["paused", PAUSE_COLOUR],
    ["down (lanes)", DOWN_COLOUR],
  ];
  let left = PLOT.left;
  return entries.flatMap(([label, colour]) => {
    const parts = [box(left, 56, left + 12, 68, colour, 1), text(left + 17, 67, label)];
    left += 40 + label.length * 7.2;
    return parts;
  });
}

/** The next of 1, 2, 4, 5 or 8 times a power of ten: quarters of it are round. */
function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 8, 10].map((each) => each * power).find((each) => each >= value);
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function rounded(value) {
  return Math.round(value * 10) / 10;
}

function text(x, y, content, { anchor = "start", size, weight } = {}) {
  const more = size === undefined ? "" : ` font-size="${size}" font-weight="${weight}"`;
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${INK}"${more}>${content}</text>`;
}

function line(x1, y1, x2, y2, colour, width = 1) {
  return `<path d="M${x1} ${y1}L${x2} ${y2}" stroke="${colour}" stroke-width="${width}"/>`;
}

/** At least a hair wide, so that nothing short goes unseen. */
function box(left, top, right, bottom, colour, opacity) {
  const width = rounded(Math.max(1, right - left));
  const size = `width="${width}" height="${bottom - top}"`;
  return `<rect x="${left}" y="${top}" ${size} fill="${colour}" opacity="${opacity}"/>`;
}
