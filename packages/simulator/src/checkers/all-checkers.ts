/** Every invariant that holds for any cluster. */
import type { Checker } from "../observation.js";
import { committedData } from "./committed-data.js";
import { logsAgree } from "./logs-agree.js";
import { monotoneEpoch } from "./monotone-epoch.js";
import { monotoneHighWatermark } from "./monotone-high-watermark.js";
import { noDuplicate } from "./no-duplicate.js";
import { oneLeaderPerEpoch } from "./one-leader-per-epoch.js";
import { oneLeaderPerTerm } from "./one-leader-per-term.js";
import type { KeyOf } from "./superseded.js";

/** `keyOf`: the key of a record in a compacted topic, by its payload. */
export function allCheckers(keyOf?: KeyOf): Checker[] {
  return [
    oneLeaderPerEpoch(),
    monotoneEpoch(),
    monotoneHighWatermark(),
    committedData(keyOf),
    logsAgree(keyOf),
    noDuplicate(),
    oneLeaderPerTerm(),
  ];
}
